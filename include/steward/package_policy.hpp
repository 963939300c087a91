// Debian's say in what the maintainer scripts of packages start and stop: policy-rc.d, asked as invoke-rc.d(8) and deb-systemd-invoke(1p) ask it.
#pragma once

#include <optional>
#include <string>

namespace steward {

// Whether this is called by a package's maintainer script (dpkg sets DPKG_MAINTSCRIPT_PACKAGE).
[[nodiscard]] bool in_maintainer_script();

// Why the host does not want `action` ("start", "stop", "restart", "reload") done to the service here and now; unset: it may be done. Outside a
// maintainer script nobody is asked. Where there is neither a policy nor an init system, as in a chroot,
// nothing is to be started.
[[nodiscard]] std::optional<std::string> objection_to(const std::string& action, const std::string& service);

}  // namespace steward
