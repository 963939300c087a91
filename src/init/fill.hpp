// Fills a template. Templates are files that a linter can read: @WORD@ stands for a value within a line, a line "#@WORD@" for any number
// of lines.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace steward::init {

using Lines = std::vector<std::string>;

struct Values {
    std::map<std::string, std::string, std::less<>> words;
    std::map<std::string, Lines, std::less<>> blocks;  // one that is missing is no lines
};

// Each placeholder is replaced once: what a value holds is not looked at again.
[[nodiscard]] std::string fill(std::string_view text, const Values& values);

}  // namespace steward::init
