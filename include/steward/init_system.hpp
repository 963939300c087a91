// The init systems that steward writes units and scripts for, and what generating them tells.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace steward {

enum class InitSystem { systemd, sysv, openrc, runit, s6, dinit };
inline constexpr std::array init_systems{InitSystem::systemd, InitSystem::sysv, InitSystem::openrc,
                                         InitSystem::runit,   InitSystem::s6,   InitSystem::dinit};
[[nodiscard]] std::string_view to_string(InitSystem system);  // "systemd", "sysv", …
[[nodiscard]] std::optional<InitSystem> parse_init_system(std::string_view name);

// How a key of a service file holds under an init system.
enum class Expression {
    native,   // the init system's own words say it
    carried,  // `steward run`, or the steward that the script calls, does it
    lost,     // nobody does
};
[[nodiscard]] std::string_view to_string(Expression how);

// A written key that is not simply native.
struct KeyNote {
    InitSystem system = InitSystem::systemd;
    std::string key;  // "log.max-size"
    Expression how = Expression::lost;
    std::string reason;  // why it is not native, as the end of the sentence "KEY …"; may be empty
    friend bool operator==(const KeyNote&, const KeyNote&) = default;
};

struct GeneratedFile {
    InitSystem system = InitSystem::systemd;
    std::string path;  // on the host that it is for
    unsigned mode = 0644;
    std::string text;
    friend bool operator==(const GeneratedFile&, const GeneratedFile&) = default;
};

struct GenerateOptions {
    std::vector<InitSystem> systems;
    bool with_steward = true;  // false: the files need nothing but the init system's host; what only steward does is lost
    bool strict = false;       // a lost key is an error (unsupported)
    std::string destination;   // not empty: the files are written below it, the service file too where they need it
};

struct Generated {
    std::string name;
    std::vector<GeneratedFile> files;
    std::vector<KeyNote> notes;
};

// Package managers whose maintainer scripts steward writes.
enum class PackageFormat { deb, rpm };
[[nodiscard]] std::optional<PackageFormat> parse_package_format(std::string_view name);

struct PackageScript {
    std::string name;  // as the package manager calls it: "postinst"
    std::string text;
    friend bool operator==(const PackageScript&, const PackageScript&) = default;
};

}  // namespace steward
