// Installing a service for the init system of a host or an image, and what that changes.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <steward/init_system.hpp>

namespace steward {

// What was done to one file or link, or would be done.
struct FileChange {
    enum class Kind {
        unchanged,
        created,
        updated,
        removed,
        kept,  // it was edited since steward wrote it
    };
    Kind kind = Kind::unchanged;
    std::string path;                     // within the root
    std::vector<std::string> difference;  // a unified diff from what is there; of updated and kept files
};
[[nodiscard]] std::string_view to_string(FileChange::Kind kind);

struct InstallOptions {
    std::optional<InitSystem> init;  // unset: the booted one, or what the image would boot
    bool without_init = false;       // for no init system at all
    std::string root;                // not empty: an image; files and links below it are made, and nothing else is done
    bool now = false;                // starts it too; an update restarts it
    bool force = false;              // replaces edited files too, and those that steward did not write
    bool dry_run = false;            // nothing is changed
    bool strict = false;             // a key that would be lost is an error (unsupported)
};

struct UninstallOptions {
    std::string root;
    bool force = false;  // edited files too
    bool purge = false;  // logs, state and the directories of [directories] too, but not the configuration's
    bool leave_running = false;
    bool dry_run = false;
};

struct BootOptions {
    std::string root;
    bool dry_run = false;
};

struct Installation {
    std::string name;
    std::optional<InitSystem> system;  // unset: none
    bool changed = false;
    bool installed = false;  // now, or was until now
    bool enabled = false;
    bool started = false;
    bool kept_edits = false;  // a file is not as the service file would have it
    std::vector<FileChange> files;
    std::vector<KeyNote> notes;
    std::vector<std::string> warnings;
};

}  // namespace steward
