#include "init/libsystemd.hpp"

namespace steward::init {

namespace {

bool find(const os::SharedLibrary& library, Libsystemd& found)
{
    return library.find("sd_bus_new", found.bus_new) && library.find("sd_bus_set_address", found.bus_set_address) &&
           library.find("sd_bus_start", found.bus_start) && library.find("sd_bus_open_system", found.bus_open_system) &&
           library.find("sd_bus_open_user", found.bus_open_user) && library.find("sd_bus_close_unref", found.bus_close_unref) &&
           library.find("sd_bus_match_signal", found.bus_match_signal) && library.find("sd_bus_process", found.bus_process) &&
           library.find("sd_bus_wait", found.bus_wait) && library.find("sd_bus_call", found.bus_call) &&
           library.find("sd_bus_get_property", found.bus_get_property) && library.find("sd_bus_error_free", found.error_free) &&
           library.find("sd_bus_message_new_method_call", found.message_new_method_call) &&
           library.find("sd_bus_message_append", found.message_append) && library.find("sd_bus_message_read", found.message_read) &&
           library.find("sd_bus_message_unref", found.message_unref);
}

}  // namespace

Result<const Libsystemd*> libsystemd()
{
    static const auto loaded = load_from_libsystemd(find);
    if (!loaded) return fail(loaded.error());
    return &*loaded;
}

}  // namespace steward::init
