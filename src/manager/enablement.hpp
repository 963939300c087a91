// What makes an init system start a service at boot: links, as its own tool would make them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <steward/init_system.hpp>
#include <steward/manager.hpp>

#include "manager/paths.hpp"
#include "os/tree.hpp"

namespace steward::manager {

struct Link {
    std::string path;
    std::string target;
};

// Where a unit goes that install writes, and what else an init system wants beside its files whether the service starts at boot or not.
[[nodiscard]] std::string unit_directory(const os::Tree& tree, const Paths& paths);
[[nodiscard]] std::vector<Link> standing_links(InitSystem system, const std::string& name);

enum class AtBoot { no, yes };

// The file that keeps runit from starting a service at boot.
[[nodiscard]] std::string runit_down_path(const std::string& name);

// Those that systemctl would make by the [Install] section of a unit: WantedBy=, RequiredBy=, UpheldBy=, Alias=.
[[nodiscard]] std::vector<Link> unit_links(const Paths& paths, const std::string& unit, std::string_view text);

struct Unit {
    std::string path;
    std::string text;
};
// The links that start it at boot, or tell that it is not to be; of SysV init those of a host where no tool numbers them.
[[nodiscard]] std::vector<Link> boot_links(InitSystem system, const Paths& paths, const std::string& name, const Unit& unit,
                                           AtBoot at_boot);
// Whether one of those that start it is there; of SysV init, under whatever number; of runit, whether nothing keeps it from it.
Result<AtBoot> present_at_boot(const os::Tree& tree, InitSystem system, const Paths& paths, const std::string& name);
// The links in /etc/rcN.d, K links too.
Result<std::vector<Link>> links_there(const os::Tree& tree, InitSystem system, const Paths& paths, const std::string& name);

// Of the service that no init system starts: what `run --all` goes by. Unset: as its service file says.
Result<std::optional<AtBoot>> recorded_at_boot(const os::Tree& tree, const Paths& paths, const std::string& name);
[[nodiscard]] std::string at_boot_path(const Paths& paths, const std::string& name);
[[nodiscard]] std::string at_boot_text(AtBoot at_boot);

}  // namespace steward::manager
