#include "config/reading.hpp"

#include <utility>

#include "config/unknown.hpp"

namespace steward::config {

void Reading::enter(std::string_view table, std::string_view key)
{
    table_ = table;
    key_ = key;
}

std::string Reading::where() const
{
    return table_label(table_) + " " + std::string(key_);
}

void Reading::fault(const Node& at, const std::string& message, std::string suggestion)
{
    source_.fault(at.place, where() + ": " + message, std::move(suggestion));
}

void Reading::expected(const Node& at, std::string_view what)
{
    fault(at, std::string(what) + " is expected, not " + describe(at.kind));
}

void Reading::objection(const Node& at, std::string_view text, const std::string& objection)
{
    fault(at, excerpt(text) + " " + objection);
}

std::optional<std::string> Reading::expand(const Node& at)
{
    if (!instance_ || at.text.find('%') == std::string::npos) return at.text;
    std::string text;
    for (std::size_t i = 0; i < at.text.size(); ++i) {
        const char c = at.text[i];
        if (c != '%') {
            text += c;
            continue;
        }
        const char specifier = ++i < at.text.size() ? at.text[i] : '\0';
        if (specifier == 'i') {
            text += *instance_;
        } else if (specifier == '%') {
            text += '%';
        } else {
            fault(at, "only %i (the instance) and %% (a percent sign) mean something in a template");
            return std::nullopt;
        }
    }
    return text;
}

std::optional<std::string> Reading::text(const Node& at, Rule rule)
{
    return checked(at, at.text, rule);
}

std::optional<std::string> Reading::expanded_text(const Node& at, Rule rule)
{
    return checked(at, at.kind == Node::Kind::text ? expand(at) : std::string(), rule);
}

std::optional<std::string> Reading::checked(const Node& at, std::optional<std::string> text, Rule rule)
{
    if (at.kind != Node::Kind::text) {
        expected(at, "a string");
        return std::nullopt;
    }
    if (!text) return std::nullopt;
    if (const auto objection = rule(*text)) {
        this->objection(at, *text, *objection);
        return std::nullopt;
    }
    return text;
}

}  // namespace steward::config
