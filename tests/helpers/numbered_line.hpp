// The lines that number_lines writes and check_lines expects: a line follows from its number alone.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>

inline void append_number(std::string& text, std::uint64_t number)
{
    char digits[20];
    text.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

// From a few to some two hundred bytes; one in 50,000 has 100,000.
inline void append_numbered_line(std::string& text, std::uint64_t number)
{
    const std::uint64_t mixed = (number + 1) * 0x9e3779b97f4a7c15 >> 32U;
    append_number(text, number);
    text += ' ';
    text.append(number % 50'000 == 49'999 ? 100'000 : mixed % 200, static_cast<char>('a' + mixed % 26));
    text += '\n';
}

inline void append_last_line(std::string& text, std::uint64_t count)
{
    append_number(text, count);
    text += " is the count\n";
}
