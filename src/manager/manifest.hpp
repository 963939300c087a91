// What install wrote for a service, so that it can be told from what others wrote or edited, and taken away again.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <steward/init_system.hpp>
#include <steward/result.hpp>

#include "manager/transaction.hpp"

namespace steward::manager {

struct Manifest {
    struct Entry {
        Content::Kind kind = Content::Kind::file;  // file, link or directory
        std::string path;
        std::string hash;  // of a file's content or a link's target
        friend bool operator==(const Entry&, const Entry&) = default;
    };
    std::optional<InitSystem> system;  // unset: for none
    std::vector<Entry> entries;

    [[nodiscard]] const Entry* find(const std::string& path) const;
    friend bool operator==(const Manifest&, const Manifest&) = default;
};

// FNV-1a, 64 bits, in hexadecimal: tells whether a text was edited, not who did it.
[[nodiscard]] std::string hash_of(std::string_view text);

[[nodiscard]] std::string render_manifest(const Manifest& manifest);
Result<Manifest> parse_manifest(const std::string& text, const std::string& path);

[[nodiscard]] std::string manifest_path(const std::string& state_directory, const std::string& name);
// Unset: the service is not installed.
Result<std::optional<Manifest>> read_manifest(const os::Tree& tree, const std::string& state_directory, const std::string& name);
// The directories of all manifests: they were made for services, and the last service takes them away.
Result<std::set<std::string>> claimed_directories(const os::Tree& tree, const std::string& state_directory);

}  // namespace steward::manager
