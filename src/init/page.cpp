// docs/init-systems.md, from the table that the renderers go by.
#include "init/mapping.hpp"
#include "init/render.hpp"

namespace steward::init {

namespace {

constexpr std::string_view head = R"(# What becomes of each key under each init system

Made from the code (`src/init/mapping.cpp`); a test compares them.

`steward generate NAME --init SYSTEM` prints units and scripts. Only a key that the service file writes has to hold: a default is no demand, and what a
file leaves out is what is natural where the service runs. So a service file of two lines becomes a systemd unit that knows nothing of steward.

- **native**: the init system's own words say it.
- **native\***: the same, unless the value is one that those words cannot say. `generate` and `check --init SYSTEM` tell which, and why.
- **carried**: steward does it. Under systemd one such key makes the unit run the service under `steward run`. The scripts of the other init systems call
  steward always; there *native* says what `--without-steward` keeps.
- **lost**: nobody does it. `--strict` refuses such a key.

With `--without-steward` what is carried is lost. A value with a newline is refused everywhere (exit code 6): it would be read as a line of its own.

| init system | files |
|---|---|
| systemd | `/usr/lib/systemd/system/NAME.service`; `/usr/lib/systemd/user/` with `--user` |
| sysv | `/etc/init.d/NAME`, with an LSB header; without steward by start-stop-daemon(8) |
| openrc | `/etc/init.d/NAME`; without steward by start-stop-daemon(8) |
| runit | `/etc/sv/NAME/run`, `finish`, `control/t`, `log/run` |
| s6 | `/etc/s6/sv/NAME/run`, `finish`, `timeout-kill`, without steward `down-signal` |
| dinit | `/etc/dinit.d/NAME`; without steward also `/etc/dinit.d/scripts/NAME` |

With `--destdir` the files are written as a package owns them, and where they call steward the service file too, to `/usr/lib/steward/NAME.toml`.

A systemd unit that runs `steward run` has systemd restart steward alone, and only if that was killed: the service is restarted by steward, so there is one
that decides. It is stopped by steward as its file says, within a time-out that is longer than the file's. Under runit and s6 `finish` does the same.

Under Debian's OpenRC use rc-service(8) or the script itself: Debian's service(8) marks a service as started before it calls OpenRC's script, which then finds
nothing to do.

)";

}  // namespace

std::string mapping_page()
{
    std::string page(head);
    page += "| key |";
    for (const InitSystem system : init_systems) page += " " + std::string(to_string(system)) + " |";
    page += " in systemd's words, or remark |\n|---|";
    for (std::size_t i = 0; i < init_systems.size(); ++i) page += "---|";
    page += "---|\n";
    for (const Mapping& mapping : mappings()) {
        const std::string table = mapping.table == "socket" ? "[[socket]]" : "[" + std::string(mapping.table) + "]";
        page += "| `" + table + "` " + (mapping.name == "*" ? "any" : "`" + std::string(mapping.name) + "`") + " |";
        for (const InitSystem system : init_systems) {
            const Expression how = base_expression(mapping, system);
            page += " " + std::string(to_string(how)) + (how == Expression::native && mapping.doubt != nullptr ? "\\*" : "") + " |";
        }
        page += " " + std::string(mapping.what) + " |\n";
    }
    return page;
}

}  // namespace steward::init
