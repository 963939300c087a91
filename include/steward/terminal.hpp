// What the command line must know of its caller: where its output goes, and whether the caller may do everything.
#pragma once

namespace steward {

[[nodiscard]] bool is_terminal(int fd);

// Columns of the terminal behind `fd`; 0 when it is none or does not tell.
[[nodiscard]] unsigned terminal_width(int fd);

// Effective user 0.
[[nodiscard]] bool caller_is_root();

}  // namespace steward
