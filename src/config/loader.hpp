// Reads service files: TOML in, a validated ServiceSpec out, with the origin of every key and the place of every fault.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <steward/result.hpp>
#include <steward/service_spec.hpp>

namespace steward::config {

// What to read. `overrides` are files already found and in order; a later one wins, key by key (tables of free keys such as
// environment merge by key; arrays are replaced).
struct Sources {
    std::string name;  // the service's; with an instance "worker@1" for the file worker@.toml
    std::string file;
    std::vector<std::string> overrides;
    std::optional<std::string> text = {};          // of `file`, from a caller who has read it and vouches for it
    std::vector<std::string> override_texts = {};  // likewise of all `overrides`, or of none
};

// A file as it was when it was read; the same again tells that it has not changed.
struct FileStamp {
    std::string path;
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::uint64_t size = 0;
    std::int64_t modified_ns = 0;
    friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

// The files as they are now, by stat alone: told apart from those of a Loaded without reading or parsing anything.
Result<std::vector<FileStamp>> stamp(const Sources& sources);
// One number for all of them, the same in every version: what the record keeps.
[[nodiscard]] std::uint64_t digest(const std::vector<FileStamp>& stamps);

struct Loaded {
    ServiceSpec spec;
    // Every key that has a value, default or written, in the order of steward.toml(5); each variable of environment for itself.
    std::vector<ResolvedKey> keys;
    std::vector<FileStamp> files;  // the file and its overrides
};

// invalid_service_file carries every fault of every file. A file that cannot be read is that error with one Diagnostic
// (not_permitted where it is).
Result<Loaded> load(const Sources& sources);
// The same from text; `file` is only named.
Result<Loaded> load_text(const std::string& text, const std::string& file, const std::string& name);

// A spec that was made without a file (ad hoc), held to the rules of one: it passes if render() keeps it whole.
Result<Loaded> load_made(const ServiceSpec& spec);

// The spec as a service file that loads to an equal spec: what the record keeps of a started service.
std::string render(const ServiceSpec& spec);

// The keys of a spec that was made without a file, none with an origin.
std::vector<ResolvedKey> keys_of(const ServiceSpec& spec);

// `[A-Za-z0-9][A-Za-z0-9_.@:-]*`, at most 200 bytes, and not ending in ".pid" or ".toml".
bool is_valid_name(std::string_view name);

}  // namespace steward::config
