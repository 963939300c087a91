// Which init system a host has: the one that is PID 1 now, or the one that would be.
#pragma once

#include <optional>
#include <string>

#include <steward/init_system.hpp>

namespace steward::init {

// Unset: none that steward knows, as in a container or a chroot. systemd tells by /run/systemd/system (sd_booted(3)), OpenRC by
// /run/openrc; the others by PID 1's name, which without /proc nobody can tell.
[[nodiscard]] std::optional<InitSystem> booted_init_system();

// A user's own systemd, which runs from the first login to the last: whether the caller's is there to be asked.
[[nodiscard]] bool users_systemd_runs();

// What an image below `root` would boot, by the programs that are in it.
[[nodiscard]] std::optional<InitSystem> init_system_of_image(const std::string& root);

// The two by what there is, for tests: `root` is "" or a directory; `first_process` is PID 1's name, empty where it cannot be told.
[[nodiscard]] std::optional<InitSystem> booted_init_system(const std::string& root, const std::string& first_process);

}  // namespace steward::init
