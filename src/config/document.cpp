#include "config/document.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <sstream>
#include <utility>

#include "config/toml_library.hpp"

namespace steward::config {

namespace {

Place place_of(const toml::source_region& region)
{
    return {region.begin.line, region.begin.column};
}

Node convert(const toml::node& from);

Node convert_table(const toml::table& from)
{
    Node node = Node::table();
    node.members.reserve(from.size());
    for (const auto& [key, value] : from) node.members.push_back({std::string(key.str()), place_of(key.source()), convert(value)});
    return node;
}

Node convert_list(const toml::array& from)
{
    Node node = Node::of(std::vector<Node>{});
    node.items.reserve(from.size());
    for (const toml::node& item : from) node.items.push_back(convert(item));
    return node;
}

Node convert_value(const toml::node& from)
{
    switch (from.type()) {
        case toml::node_type::table: return convert_table(*from.as_table());
        case toml::node_type::array: return convert_list(*from.as_array());
        case toml::node_type::string: return Node::of(from.as_string()->get());
        case toml::node_type::integer: return Node::of(from.as_integer()->get());
        case toml::node_type::floating_point: return Node::of(from.as_floating_point()->get());
        case toml::node_type::boolean: return Node::of(from.as_boolean()->get());
        default: break;
    }
    Node date;
    date.kind = Node::Kind::date;
    return date;
}

Node convert(const toml::node& from)
{
    Node node = convert_value(from);
    node.place = place_of(from.source());
    return node;
}

// Neither literal nor multi-line strings, and every control character escaped: one line, whatever the value holds.
constexpr auto one_line = toml::format_flags::allow_unicode_strings;

bool needs_no_escape(const std::string& text)
{
    return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; });
}

std::string print_text(const std::string& text)
{
    // Almost every value: the first stream of a process costs as much as reading a service file.
    if (needs_no_escape(text)) return '"' + text + '"';
    std::ostringstream stream;
    const toml::value<std::string> node(text);
    stream << toml::toml_formatter(node, one_line);
    return std::move(stream).str();
}

// The shortest digits that read back as the same number: the library would write 0.1 as 0.10000000000000001.
std::string print_real(double value)
{
    std::array<char, 32> digits{};
    return {digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr};
}

}  // namespace

std::optional<SyntaxFault> parse_document(std::string_view text, Node& root)
{
    if (const auto place = too_deep_key(text)) return SyntaxFault{*place, "a key has too many dotted parts"};
    const toml::parse_result result = toml::parse(text);
    if (!result) {
        std::string message(result.error().description());
        message = message.substr(0, message.find(" (TOML_MAX"));  // the name of a build option of the library's
        if (!message.empty()) message.front() = static_cast<char>(std::tolower(static_cast<unsigned char>(message.front())));
        return SyntaxFault{place_of(result.error().source()), "not TOML: " + message};
    }
    root = convert(result.table());
    return std::nullopt;
}

std::string print(const Node& value)
{
    switch (value.kind) {
        case Node::Kind::text: return print_text(value.text);
        case Node::Kind::integer: return std::to_string(value.integer);
        case Node::Kind::real: return print_real(value.real);
        case Node::Kind::flag: return value.flag ? "true" : "false";
        case Node::Kind::date: break;  // no key takes one
        case Node::Kind::list: {
            std::string text = "[";
            for (const Node& item : value.items) text += (text.size() > 1 ? ", " : "") + print(item);
            return text + "]";
        }
        case Node::Kind::table: {
            std::string text = "{";
            for (const Member& member : value.members)
                text += (text.size() > 1 ? ", " : " ") + print_key(member.key) + " = " + print(member.value);
            return text + (value.members.empty() ? "}" : " }");
        }
    }
    return {};
}

std::string print_key(const std::string& key)
{
    const auto is_bare = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '-'; };
    bool bare = !key.empty();
    for (const char c : key) bare = bare && is_bare(static_cast<unsigned char>(c));
    return bare ? key : print_text(key);
}

}  // namespace steward::config
