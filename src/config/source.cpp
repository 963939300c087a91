#include "config/source.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace steward::config {

namespace {

constexpr std::size_t most_faults = 200;
constexpr std::size_t longest_line = 1000;

// Faults are shown on terminals: what could move the cursor becomes '?', one for one, so that columns stay true.
std::string presentable(std::string_view line)
{
    std::string text(line.substr(0, longest_line));
    while (line.size() > text.size() && !text.empty() && (static_cast<unsigned char>(line[text.size()]) & 0xc0) == 0x80) text.pop_back();
    for (char& c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if ((byte < 0x20 && c != '\t') || byte == 0x7f) c = '?';
    }
    return text;
}

}  // namespace

void Source::fault(Place place, std::string message, std::string suggestion)
{
    if (faults_.size() >= most_faults) {
        ++uncounted_;
        return;
    }
    faults_.push_back({path_, place.line, place.column, std::move(message), line_at(place.line), std::move(suggestion)});
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

}  // namespace steward::config
