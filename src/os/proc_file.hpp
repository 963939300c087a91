// Small files of /proc and /sys, read without allocating. For src/os only.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <steward/result.hpp>

namespace steward::os {

// Opens, reads once, closes: 0 or an errno. `path` counts from the descriptor `directory` unless it is absolute; `content` lies in
// `buffer`. Async-signal-safe.
int read_kernel_file(int directory, const char* path, std::span<char> buffer, std::string_view* content) noexcept;

// Whether /proc is there and shows the caller's own PID namespace. What is missing in another /proc proves nothing.
// Async-signal-safe.
[[nodiscard]] bool proc_is_ours() noexcept;

// "cannot OPERATION OBJECT: /proc is not there, …", undeterminable.
[[nodiscard]] Error no_proc_error(std::string operation, std::string object);

[[nodiscard]] std::string process_text(std::int32_t pid);  // "process 123"

}  // namespace steward::os
