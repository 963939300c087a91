#include "init/fill.hpp"

#include <algorithm>

namespace steward::init {

namespace {

bool is_name(std::string_view text)
{
    return !text.empty() && std::ranges::all_of(text, [](char c) { return (c >= 'A' && c <= 'Z') || c == '_'; });
}

std::string fill_words(std::string_view line, const Values& values)
{
    std::string filled;
    while (true) {
        const std::size_t begin = line.find('@');
        const std::size_t end = begin == std::string_view::npos ? begin : line.find('@', begin + 1);
        if (end == std::string_view::npos) return filled + std::string(line);
        const auto found = values.words.find(line.substr(begin + 1, end - begin - 1));
        const bool known = found != values.words.end();
        filled += std::string(line.substr(0, begin)) + (known ? found->second : std::string("@"));
        line.remove_prefix(known ? end + 1 : begin + 1);
    }
}

}  // namespace

std::string fill(std::string_view text, const Values& values)
{
    std::string filled;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        const bool is_block = line.size() > 3 && line.starts_with("#@") && line.ends_with('@') && is_name(line.substr(2, line.size() - 3));
        if (!is_block) {
            filled += fill_words(line, values) + "\n";
            continue;
        }
        const auto found = values.blocks.find(line.substr(2, line.size() - 3));
        if (found == values.blocks.end()) continue;
        for (const std::string& inserted : found->second) filled += inserted + "\n";
    }
    return filled;
}

}  // namespace steward::init
