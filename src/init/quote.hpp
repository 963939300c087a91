// How a value is written so that its target reads it back byte for byte. One function a target's syntax; none is given a newline:
// render() refuses those before.
#pragma once

#include <string>
#include <string_view>

#include <steward/service_spec.hpp>

namespace steward::init {

// A word of a POSIX shell: as it stands where nothing in it is special, else in single quotes.
[[nodiscard]] std::string shell_word(std::string_view text);
[[nodiscard]] std::string shell_words(const Argv& words);  // one line

// An argument of ExecStart= and its like: double quotes, C escapes, %% for '%', $$ for '$'.
[[nodiscard]] std::string systemd_argument(std::string_view text);
// The program, which systemd does not look for variables in. Only one that is_systemd_program() can be written.
[[nodiscard]] std::string systemd_program(std::string_view path);
[[nodiscard]] bool is_systemd_program(std::string_view path);
// A quoted item of Environment= and other lists, where '$' means nothing.
[[nodiscard]] std::string systemd_item(std::string_view text);
// What Environment= would not ignore.
[[nodiscard]] bool is_systemd_variable(std::string_view name, std::string_view value);
// The whole value of a setting that is not split and not unquoted (Description=, WorkingDirectory=). Only what is_systemd_line().
[[nodiscard]] std::string systemd_line(std::string_view text);
[[nodiscard]] bool is_systemd_line(std::string_view text);

[[nodiscard]] std::string octal(unsigned value);  // "022"

// A comment of any of the targets: one line whatever the text holds.
[[nodiscard]] std::string comment(std::string_view text);

}  // namespace steward::init
