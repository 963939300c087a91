#include "manager/manifest.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include "os/error.hpp"

namespace steward::manager {

namespace {

constexpr std::size_t largest = 1024 * 1024;
constexpr std::string_view heading = "steward manifest 1";
constexpr std::string_view ending = "end";
constexpr std::string_view for_none = "none";

std::string_view word_of(Content::Kind kind)
{
    return kind == Content::Kind::link ? "link" : kind == Content::Kind::directory ? "directory" : "file";
}

// One line, its fields apart by tabs: paths hold no control characters, or nothing would have been installed.
std::vector<std::string> fields_of(std::string_view line)
{
    std::vector<std::string> fields;
    for (;;) {
        const std::size_t end = std::min(line.find('\t'), line.size());
        fields.emplace_back(line.substr(0, end));
        if (end == line.size()) return fields;
        line.remove_prefix(end + 1);
    }
}

bool take_line(Manifest& manifest, const std::vector<std::string>& fields)
{
    if (fields.size() == 2 && fields[0] == "system") {
        manifest.system = parse_init_system(fields[1]);
        return manifest.system || fields[1] == for_none;
    }
    if (fields.size() != 3 || !fields[2].starts_with('/')) return false;
    for (const auto kind : {Content::Kind::file, Content::Kind::link, Content::Kind::directory}) {
        if (fields[0] != word_of(kind)) continue;
        manifest.entries.push_back({.kind = kind, .path = fields[2], .hash = fields[1]});
        return true;
    }
    return false;
}

}  // namespace

const Manifest::Entry* Manifest::find(const std::string& path) const
{
    const auto found = std::ranges::find(entries, path, &Entry::path);
    return found == entries.end() ? nullptr : &*found;
}

std::string hash_of(std::string_view text)
{
    std::uint64_t hash = 0xcbf29ce484222325ULL;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    std::string digits;
    for (int shift = 60; shift >= 0; shift -= 4) digits += "0123456789abcdef"[(hash >> static_cast<unsigned>(shift)) & 15U];
    return digits;
}

std::string render_manifest(const Manifest& manifest)
{
    std::string text = std::string(heading) + "\n";
    text += "system\t" + std::string(manifest.system ? to_string(*manifest.system) : for_none) + "\n";
    for (const Manifest::Entry& entry : manifest.entries)
        text += std::string(word_of(entry.kind)) + "\t" + (entry.hash.empty() ? "-" : entry.hash) + "\t" + entry.path + "\n";
    return text + std::string(ending) + "\n";
}

Result<Manifest> parse_manifest(const std::string& text, const std::string& path)
{
    const auto refuse = [&](std::string cause) {
        return fail(Error{.code = ErrorCode::failed, .operation = "read", .object = os::quoted(path), .cause = std::move(cause)});
    };
    Manifest manifest;
    std::string_view rest = text;
    for (unsigned number = 1;; ++number) {
        const std::size_t end = rest.find('\n');
        if (end == std::string_view::npos) return refuse("its end is missing");
        const std::string_view line = rest.substr(0, end);
        rest.remove_prefix(end + 1);
        if (line == ending) return manifest;
        const bool good = number == 1 ? line == heading : take_line(manifest, fields_of(line));
        if (!good) return refuse("line " + std::to_string(number) + " is not one of a manifest");
        if (!manifest.entries.empty() && manifest.entries.back().hash == "-") manifest.entries.back().hash.clear();
    }
}

std::string manifest_path(const std::string& state_directory, const std::string& name)
{
    return state_directory + "/" + name + "/manifest";
}

Result<std::optional<Manifest>> read_manifest(const os::Tree& tree, const std::string& state_directory, const std::string& name)
{
    const std::string path = manifest_path(state_directory, name);
    auto there = tree.look(path, largest);
    if (!there) return fail(there.error());
    if (!*there) return std::optional<Manifest>();
    auto manifest = parse_manifest((*there)->text, path);
    if (!manifest) return fail(manifest.error());
    return std::optional(std::move(*manifest));
}

namespace {

// Another service's trouble, as against what keeps all of them from being read.
bool is_damage(const Error& error)
{
    constexpr std::array<int, 4> of_the_file{0, EFBIG, ELOOP, ENOTDIR};
    return std::ranges::find(of_the_file, error.os_errno) != of_the_file.end();
}

}  // namespace

Result<std::set<std::string>> claimed_directories(const os::Tree& tree, const std::string& state_directory)
{
    std::set<std::string> claimed;
    const auto names = tree.list(state_directory);
    if (!names) return fail(names.error());
    for (const std::string& name : *names) {
        const auto manifest = read_manifest(tree, state_directory, name);
        if (!manifest && !is_damage(manifest.error())) return fail(manifest.error());
        if (!manifest || !*manifest) continue;
        for (const Manifest::Entry& entry : (*manifest)->entries) {
            if (entry.kind == Content::Kind::directory) claimed.insert(entry.path);
        }
    }
    return claimed;
}

}  // namespace steward::manager
