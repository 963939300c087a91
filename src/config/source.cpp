#include "config/source.hpp"

#include <algorithm>
#include <utility>

#include "os/error.hpp"

namespace steward::config {

namespace {

constexpr std::size_t most_faults = 200;
constexpr std::size_t longest_line = 1000;

bool continues_character(char c)
{
    return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

// Faults are shown on terminals: what could move the cursor (C0 but the tab, DEL, C1) becomes '?', a character for a character, so that
// columns stay true.
std::string presentable(std::string_view line)
{
    if (line.size() > longest_line) {
        line = line.substr(0, longest_line + 1);
        while (line.size() > 1 && continues_character(line.back())) line.remove_suffix(1);
        line.remove_suffix(1);
    }
    std::string text;
    text.reserve(line.size());
    for (std::size_t i = 0; i < line.size(); ++i) {
        const auto byte = static_cast<unsigned char>(line[i]);
        const bool is_c1 = byte == 0xc2 && i + 1 < line.size() && static_cast<unsigned char>(line[i + 1]) < 0xa0;
        if (is_c1) ++i;
        text += is_c1 || (byte < 0x20 && byte != '\t') || byte == 0x7f ? '?' : line[i];
    }
    return text;
}

}  // namespace

void Source::fault(Place place, std::string_view message, std::string suggestion)
{
    if (faults_.size() >= most_faults) {
        ++uncounted_;
        return;
    }
    faults_.push_back({path_, place.line, place.column, presentable(message), line_at(place.line), std::move(suggestion)});
}

std::vector<Diagnostic> Source::take_faults()
{
    std::ranges::stable_sort(faults_, {}, [](const Diagnostic& fault) { return std::pair(fault.line, fault.column); });
    if (uncounted_ > 0) faults_.push_back({path_, 0, 0, "and " + std::to_string(uncounted_) + " more faults", {}, {}});
    uncounted_ = 0;
    return std::exchange(faults_, {});
}

std::string Source::line_at(unsigned line)
{
    if (line == 0) return {};
    if (line_starts_.empty()) {
        line_starts_.push_back(0);
        for (std::size_t i = 0; i < text_.size(); ++i) {
            if (text_[i] == '\n') line_starts_.push_back(i + 1);
        }
    }
    if (line > line_starts_.size()) return {};
    std::string_view rest = text_.substr(line_starts_[line - 1]);
    rest = rest.substr(0, rest.find('\n'));
    if (rest.ends_with('\r')) rest.remove_suffix(1);
    return presentable(rest);
}

std::string excerpt(std::string_view text)
{
    constexpr std::size_t longest = 60;
    if (text.size() <= longest) return os::quoted(text);
    std::size_t end = longest;
    while (end > 0 && continues_character(text[end])) --end;
    return os::quoted(text.substr(0, end)) + "…";
}

}  // namespace steward::config
