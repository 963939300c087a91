#include "config/rules.hpp"

#include <algorithm>

#include "config/loader.hpp"
#include "os/endpoint.hpp"
#include "os/listen_address.hpp"

namespace steward::config {

namespace {

// C0, DEL and, in UTF-8, C1: each of them can begin a terminal's escape sequence or end a line.
bool has_control_character(std::string_view text)
{
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if (byte < 0x20 || byte == 0x7f) return true;
        if (byte == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0) return true;
    }
    return false;
}

bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

constexpr std::size_t longest_path = 4095;  // PATH_MAX without its NUL

}  // namespace

Objection object_to_line(std::string_view text)
{
    if (has_control_character(text)) return "holds a control character";
    return std::nullopt;
}

Objection object_to_expression(std::string_view text)
{
    if (text.empty()) return "is empty";
    return object_to_line(text);
}

Objection object_to_path(std::string_view text)
{
    if (has_control_character(text)) return "holds a control character";
    if (!text.starts_with('/')) return "is not an absolute path";
    if (text.size() > longest_path) return "is longer than a path can be";
    return std::nullopt;
}

Objection object_to_file_path(std::string_view text)
{
    if (auto objection = object_to_path(text)) return objection;
    const std::string_view base = text.substr(text.rfind('/') + 1);
    if (base.empty() || base == "." || base == "..") return "names a directory, not a file";
    return std::nullopt;
}

Objection object_to_socket_path(std::string_view text)
{
    constexpr std::size_t longest = 107;  // sockaddr_un
    if (auto objection = object_to_file_path(text)) return objection;
    if (text.size() > longest) return "is longer than the path of a socket can be";
    return std::nullopt;
}

Objection object_to_endpoint(std::string_view text)
{
    if (os::parse_endpoint(text)) return std::nullopt;
    return "is no port, and no address and port: \"8080\", \"192.0.2.1:8080\", \"[::1]:8080\"";
}

Objection object_to_listen_address(std::string_view text)
{
    const auto address = os::parse_listen_address(text);
    if (!address) {
        return "is no address to listen on: \"tcp://127.0.0.1:8080\", \"tcp://[::1]:8080\", \"tcp://*:8080\", \"udp://127.0.0.1:53\", "
               "\"unix:///run/web/socket\"";
    }
    if (!address->is_unix()) return std::nullopt;
    const auto objection = object_to_socket_path(address->path);
    return objection ? Objection("has a path that " + *objection) : std::nullopt;
}

Objection object_to_socket_name(std::string_view text)
{
    constexpr std::size_t longest = 255;  // sd_listen_fds_with_names(3)
    const auto fits = [](char c) { return is_letter(c) || is_digit(c) || std::string_view("_.@-").find(c) != std::string_view::npos; };
    if (text.empty() || text.size() > longest || !std::ranges::all_of(text, fits))
        return "is no name of a socket: letters, digits, '_', '.', '@' and '-'";
    return std::nullopt;
}

Objection object_to_http_url(std::string_view text)
{
    if (os::parse_http_url(text)) return std::nullopt;
    return "is no address of the kind \"http://127.0.0.1:8080/health\"";
}

Objection object_to_directory_name(std::string_view text)
{
    if (has_control_character(text)) return "holds a control character";
    if (text.starts_with('/')) return "is absolute: a name below the base directory is meant";
    if (text.size() > longest_path) return "is longer than a path can be";
    for (std::string_view rest = text;;) {
        const std::size_t slash = rest.find('/');
        const std::string_view part = rest.substr(0, slash);
        if (part.empty() || part == "." || part == "..") return "has an empty, '.' or '..' component";
        if (slash == std::string_view::npos) break;
        rest.remove_prefix(slash + 1);
    }
    if (text == "steward" || text.starts_with("steward/")) return "is where steward keeps what it knows of all services";
    return std::nullopt;
}

Objection object_to_account(std::string_view text)
{
    if (has_control_character(text)) return "holds a control character";
    if (text.empty() || text.find_first_of(":/, \t") != std::string_view::npos || text.starts_with('-'))
        return "is no name of a user or group";
    return std::nullopt;
}

Objection object_to_variable(std::string_view text)
{
    if (text.empty()) return "is no name of a variable";
    if (has_control_character(text)) return "holds a control character";
    if (text.find('=') != std::string_view::npos) return "holds a '='";
    return std::nullopt;
}

Objection object_to_shell_variable(std::string_view text)
{
    const auto fits = [](char c) { return is_letter(c) || is_digit(c) || c == '_'; };
    if (text.empty() || is_digit(text.front()) || !std::ranges::all_of(text, fits)) return "is no name of a variable";
    return std::nullopt;
}

Objection object_to_argument(std::string_view text)
{
    if (text.find('\0') != std::string_view::npos) return "holds a NUL character";
    return std::nullopt;
}

Objection object_to_dependency(std::string_view text)
{
    if (!is_valid_name(text)) return "is no name of a service";
    return std::nullopt;
}

Objection object_to_unit_line(std::string_view text)
{
    if (auto objection = object_to_line(text)) return objection;
    if (text.ends_with('\\')) return "ends with a backslash, which would join the next line of the unit to it";
    return std::nullopt;
}

Objection object_to_setting(std::string_view text)
{
    const bool named =
        !text.empty() && is_letter(text.front()) && std::ranges::all_of(text, [](char c) { return is_letter(c) || is_digit(c); });
    if (!named) return "is not the name of a setting of systemd's: letters and digits";
    return std::nullopt;
}

}  // namespace steward::config
