// What names, paths and lines may hold. Each rule says nothing (it holds) or completes the sentence "'x' …".
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace steward::config {

using Objection = std::optional<std::string>;

// A single line for people: no control character, so that it can stand in a table, a unit, a terminal.
[[nodiscard]] Objection object_to_line(std::string_view text);
[[nodiscard]] Objection object_to_expression(std::string_view text);      // a line that is not empty; what it means, others know
[[nodiscard]] Objection object_to_path(std::string_view text);            // absolute
[[nodiscard]] Objection object_to_file_path(std::string_view text);       // absolute, and not a directory's
[[nodiscard]] Objection object_to_socket_path(std::string_view text);     // a file's, short enough for an address
[[nodiscard]] Objection object_to_endpoint(std::string_view text);        // "8080", "127.0.0.1:8080", "[::1]:8080"
[[nodiscard]] Objection object_to_http_url(std::string_view text);        // "http://127.0.0.1:8080/health"
[[nodiscard]] Objection object_to_listen_address(std::string_view text);  // "tcp://127.0.0.1:8080", "unix:///run/web/socket"
[[nodiscard]] Objection object_to_socket_name(std::string_view text);     // what LISTEN_FDNAMES can hold
[[nodiscard]] Objection object_to_directory_name(std::string_view text);  // "web", "web/uploads": below a directory, never out of it
[[nodiscard]] Objection object_to_account(std::string_view text);
[[nodiscard]] Objection object_to_variable(std::string_view text);        // what environ(7) can hold
[[nodiscard]] Objection object_to_shell_variable(std::string_view text);  // letters, digits, '_'
[[nodiscard]] Objection object_to_argument(std::string_view text);        // anything but NUL
[[nodiscard]] Objection object_to_dependency(std::string_view text);      // what a service may be called

// A line of a unit, its last backslash not joining it to the next.
[[nodiscard]] Objection object_to_unit_line(std::string_view text);
// The name of a setting of systemd's: letters and digits.
[[nodiscard]] Objection object_to_setting(std::string_view text);

}  // namespace steward::config
