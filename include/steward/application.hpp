// What it takes to make a running service equal to its service file, key by key.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <steward/installation.hpp>

namespace steward {

// How the new value of a key comes to hold, in the order of how far that reaches.
enum class Means {
    live,     // of itself: nobody who runs goes by it
    signal,   // who supervises the service is told; the service does not notice
    restart,  // the service is started anew
};
[[nodiscard]] std::string_view to_string(Means means);

struct KeyChange {
    std::string key;            // "restart.delay"
    std::string before, after;  // as TOML; empty: it has no value
    Means means = Means::restart;
};

struct ApplyOptions {
    bool dry_run = false;  // nothing is changed
};

struct Application {
    std::string name;
    bool running = false;           // what does not run begins as its file says
    std::optional<Means> means;     // what was done to it, or would be; unset: nothing
    std::string reason;             // a sentence, where no key tells why, or why nothing can be done
    std::vector<KeyChange> keys;    // of what runs
    std::vector<FileChange> files;  // of an installed service: its unit or script, made anew
    bool kept_edits = false;        // one of them was edited, and is not as the service file would have it
};

}  // namespace steward
