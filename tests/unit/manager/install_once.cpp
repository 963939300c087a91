// Installs or uninstalls once below a root, between the marks of the injector (tests/unit/process/injector.hpp), and says how that ended.
#include <sched.h>

#include <cstdio>
#include <string>

#include "manager/install.hpp"
#include "unit/process/injector.hpp"

namespace {

using namespace steward;

Result<Installation> act(const std::string& verb, const std::string& root, const std::string& file, InitSystem system)
{
    const bool by_name = file.find('/') == std::string::npos;
    const Target target{.name = "web", .file = by_name ? std::string() : file, .command = {}};
    if (verb == "uninstall" || verb == "purge") return manager::uninstall(target, {}, {.root = root, .purge = verb == "purge"});
    if (verb == "disable") return manager::set_at_boot(target, {}, manager::AtBoot::no, {.root = root});
    return manager::install(target, {}, {.init = system, .root = root});
}

}  // namespace

int main(int count, char** words)
{
    if (count != 5) return 2;
    const auto system = parse_init_system(words[4]);
    if (!system) return 2;
    sched_get_priority_max(test::marker_policy);
    const auto done = act(words[1], words[2], words[3], *system);
    sched_get_priority_max(test::marker_policy);
    const std::string line = done ? "ok" : "error " + done.error().message();
    std::puts(line.c_str());
    return 0;
}
