// Proves that its standard input is what number_lines has written: every line there, once, in order, whole, and the last one the last.
// check_lines [STAMP]: each line begins with a stamp of STAMP bytes. Exits 0 and says how many lines there were, or 1 and what is wrong.
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "numbered_line.hpp"

namespace {

int complain(std::uint64_t number, const char* what, std::string_view found)
{
    std::cout << "line " << number << ": " << what << ": '" << found.substr(0, 100) << "'\n";
    return 1;
}

}  // namespace

int main(int argc, char** argv)
{
    const std::size_t stamp = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 0;
    std::vector<char> block(1U << 20U);
    std::string rest;
    std::string expected;
    std::uint64_t number = 0;
    bool over = false;
    while (const std::size_t got = std::fread(block.data(), 1, block.size(), stdin)) {
        rest.append(block.data(), got);
        std::size_t begin = 0;
        for (std::size_t end = 0; (end = rest.find('\n', begin)) != std::string::npos; begin = end + 1) {
            const auto line = std::string_view(rest).substr(begin, end + 1 - begin);
            if (over) return complain(number, "stands behind the last one", line);
            if (line.size() <= stamp || (stamp > 0 && line[stamp - 1] != ' ')) return complain(number, "has no stamp", line);
            expected.clear();
            append_numbered_line(expected, number);
            if (line.substr(stamp) == expected) {
                ++number;
                continue;
            }
            expected.clear();
            append_last_line(expected, number);
            if (line.substr(stamp) != expected) return complain(number, "is another", line);
            over = true;
        }
        rest.erase(0, begin);
    }
    if (!rest.empty()) return complain(number, "has no end", rest);
    if (!over) return complain(number, "is missing, and all after it", "");
    std::cout << number << "\n";
}
