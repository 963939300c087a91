// The functions of libsystemd that talk over D-Bus. The library is loaded by the first who asks; hosts without it have no systemd.
#pragma once

#include <systemd/sd-bus.h>

#include <steward/result.hpp>

#include "os/shared_library.hpp"

namespace steward::init {

struct Libsystemd {
    decltype(&sd_bus_new) bus_new = nullptr;
    decltype(&sd_bus_set_address) bus_set_address = nullptr;
    decltype(&sd_bus_start) bus_start = nullptr;
    decltype(&sd_bus_open_system) bus_open_system = nullptr;
    decltype(&sd_bus_open_user) bus_open_user = nullptr;
    decltype(&sd_bus_close_unref) bus_close_unref = nullptr;
    decltype(&sd_bus_match_signal) bus_match_signal = nullptr;
    decltype(&sd_bus_process) bus_process = nullptr;
    decltype(&sd_bus_wait) bus_wait = nullptr;
    decltype(&sd_bus_call) bus_call = nullptr;
    decltype(&sd_bus_get_property) bus_get_property = nullptr;
    decltype(&sd_bus_error_free) error_free = nullptr;
    decltype(&sd_bus_message_new_method_call) message_new_method_call = nullptr;
    decltype(&sd_bus_message_append) message_append = nullptr;
    decltype(&sd_bus_message_read) message_read = nullptr;
    decltype(&sd_bus_message_unref) message_unref = nullptr;
};

// What `find` looks up. unsupported: the host has no libsystemd, or one that is too old.
template <class Functions>
Result<Functions> load_from_libsystemd(bool (*find)(const os::SharedLibrary&, Functions&))
{
    const auto library = os::SharedLibrary::load("libsystemd.so.0");
    if (!library) return fail(library.error());
    Functions found;
    if (find(*library, found)) return found;
    return fail(
        Error{.code = ErrorCode::unsupported, .operation = "use", .object = "libsystemd", .cause = "it lacks functions of version 241"});
}

// As that.
Result<const Libsystemd*> libsystemd();

}  // namespace steward::init
