#include "os/error.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace steward {

std::string Error::message() const
{
    std::string text = "cannot " + operation;
    if (!object.empty()) text += " " + object;
    if (!cause.empty()) text += ": " + cause;
    if (!next_step.empty()) text += " (try: " + next_step + ")";
    return text;
}

}  // namespace steward

namespace steward::os {

Error errno_error(std::string operation, std::string object, int os_errno)
{
    const bool denied = os_errno == EACCES || os_errno == EPERM;
    return Error{.code = denied ? ErrorCode::not_permitted : ErrorCode::failed,
                 .operation = std::move(operation),
                 .object = std::move(object),
                 .cause = errno_text(os_errno),
                 .next_step = {},
                 .os_errno = os_errno};
}

std::string errno_text(int os_errno)
{
    return std::strerror(os_errno);  // steward has no threads
}

std::string quoted(std::string_view path)
{
    std::string text = "'";
    for (const char c : path) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7f) {
            char escape[5];
            std::snprintf(escape, sizeof escape, "\\x%02x", byte);
            text += escape;
        } else {
            text += c;
        }
    }
    return text + "'";
}

}  // namespace steward::os
