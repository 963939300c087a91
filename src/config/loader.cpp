#include "config/loader.hpp"

#include <algorithm>
#include <cerrno>
#include <deque>
#include <optional>
#include <utility>

#include "config/document.hpp"
#include "config/render.hpp"
#include "config/resolve.hpp"
#include "config/source.hpp"
#include "config/trust.hpp"
#include "os/error.hpp"
#include "os/file.hpp"
#include "os/process.hpp"

namespace steward::config {

namespace {

constexpr std::size_t largest_file = 1024 * 1024;

struct File {
    std::string path;
    std::string text;
    FileStamp stamp;
};

FileStamp stamp_of(const std::string& path, const os::FileInfo& info)
{
    return {path, info.device, info.inode, info.size, info.modified_ns};
}

Error unreadable(const std::string& path, std::string cause)
{
    return {.code = ErrorCode::invalid_service_file, .operation = "read", .object = os::quoted(path), .cause = std::move(cause)};
}

// A file as far as it may be believed: regular, of a sane size, and nobody else's to write when root reads it.
Result<File> read_file(const std::string& path)
{
    const auto fd = os::open_following(path, {.read = true});
    if (!fd) return fail(fd.error());
    const auto info = os::info(*fd);
    if (!info) return fail(info.error());
    if (info->kind != os::FileInfo::Kind::regular) return fail(unreadable(path, "is not a regular file"));
    if (info->size > largest_file) return fail(unreadable(path, "is larger than 1 MiB"));
    if (const auto caller = os::effective_uid(); caller == 0) {
        auto reason = distrust(*info, caller);
        if (!reason) {
            auto place = distrust_place(path, caller);
            if (!place) return fail(std::move(place.error()));
            reason = std::move(*place);
        }
        if (reason) return fail(unreadable(path, *reason + ", and root would do what it says"));
    }
    auto text = os::read_all(*fd, largest_file);
    if (!text) return fail(text.error());
    return File{path, std::move(*text), stamp_of(path, *info)};
}

// "worker@1" → "1"
std::string instance_of(const std::string& name)
{
    const std::size_t at = name.find('@');
    return at == std::string::npos ? std::string() : name.substr(at + 1);
}

bool is_template(const std::string& file)
{
    return file.ends_with("@.toml");
}

Error invalid(const std::string& file, std::vector<Diagnostic> faults)
{
    Error error{.code = ErrorCode::invalid_service_file, .operation = "load", .object = os::quoted(file)};
    error.cause = faults.size() == 1 ? faults.front().message : std::to_string(faults.size()) + " faults";
    error.diagnostics = std::move(faults);
    return error;
}

// The instance that %i stands for. It reaches paths: one made of dots alone could lead out of a directory.
std::optional<std::string> template_instance(const std::string& instance, Source& source)
{
    if (!is_template(source.path())) return std::nullopt;
    if (instance.empty()) source.fault({}, "is a template: name an instance of it, as in worker@1");
    if (!instance.empty() && instance.find_first_not_of('.') == std::string::npos)
        source.fault({}, "an instance cannot be named '" + instance + "'");
    return instance;
}

Result<Loaded> resolve(const std::vector<File>& files, const std::string& name)
{
    std::deque<Source> sources;
    for (const File& file : files) sources.emplace_back(file.path, file.text);

    ServiceSpec spec;
    spec.name = name;
    spec.instance = instance_of(name);
    const auto instance = template_instance(spec.instance, sources.front());
    Resolver resolver(std::move(spec), instance);
    bool is_toml = true;
    for (std::size_t i = 0; i < files.size(); ++i) {
        Node root = Node::table();
        if (const auto fault = parse_document(files[i].text, root)) {
            sources[i].fault(fault->place, fault->message);
            is_toml = false;
        } else {
            resolver.apply(sources[i], root);
        }
    }
    // What is missing or contradicts itself is not to be told of files that could only be read in part.
    if (is_toml) resolver.conclude(sources.front());

    std::vector<Diagnostic> faults;
    for (Source& source : sources) std::ranges::move(source.take_faults(), std::back_inserter(faults));
    if (!faults.empty()) return fail(invalid(files.front().path, std::move(faults)));
    return Loaded{resolver.spec(), resolved_keys(resolver.spec(), resolver.origins()), {}};
}

std::vector<std::string> paths_of(const Sources& sources)
{
    std::vector<std::string> paths{sources.file};
    paths.insert(paths.end(), sources.overrides.begin(), sources.overrides.end());
    return paths;
}

}  // namespace

Result<Loaded> load(const Sources& sources)
{
    std::vector<File> files;
    std::optional<Error> failure;
    std::vector<Diagnostic> faults;
    const auto paths = paths_of(sources);
    for (std::size_t i = 0; i < paths.size(); ++i) {
        const std::string& path = paths[i];
        const std::string* text = sources.text && i == 0 ? &*sources.text : nullptr;
        if (i > 0 && i <= sources.override_texts.size()) text = &sources.override_texts[i - 1];
        auto file = text != nullptr ? Result<File>(File{path, *text, {}}) : read_file(path);
        if (file) {
            files.push_back(std::move(*file));
            continue;
        }
        faults.push_back({path, 0, 0, "cannot be read: " + file.error().cause, {}, {}});
        if (!failure) failure = std::move(file.error());
    }
    if (!failure) {
        auto loaded = resolve(files, sources.name);
        for (const File& file : files) {
            if (loaded) loaded->files.push_back(file.stamp);
        }
        return loaded;
    }
    if (failure->code != ErrorCode::not_permitted) failure->code = ErrorCode::invalid_service_file;
    failure->diagnostics = std::move(faults);
    return fail(std::move(*failure));
}

Result<Loaded> load_text(const std::string& text, const std::string& file, const std::string& name)
{
    if (text.size() > largest_file) return fail(unreadable(file, "is larger than 1 MiB"));
    return resolve({{file, text, {}}}, name);
}

Result<Loaded> load_made(const ServiceSpec& spec)
{
    auto loaded = load_text(render(spec), {}, spec.name);
    if (!loaded) {
        loaded.error().object = spec.name;
        for (Diagnostic& fault : loaded.error().diagnostics) fault = {{}, 0, 0, fault.message, {}, {}};
        return loaded;
    }
    if (loaded->spec != spec) {
        return fail(
            {.code = ErrorCode::invalid_argument, .operation = "describe", .object = spec.name, .cause = "it holds what is not UTF-8"});
    }
    loaded->keys = keys_of(spec);
    return loaded;
}

Result<std::vector<FileStamp>> stamp(const Sources& sources)
{
    std::vector<FileStamp> stamps;
    for (const std::string& path : paths_of(sources)) {
        const auto info = os::info_at(path, true);
        if (!info) return fail(info.error());
        if (!*info) return fail(os::errno_error("read", os::quoted(path), ENOENT));
        stamps.push_back(stamp_of(path, **info));
    }
    return stamps;
}

// FNV-1a, 64 bits: the same stamps give the same number in every version that reads the record.
std::uint64_t digest(const std::vector<FileStamp>& stamps)
{
    std::uint64_t hash = 0xcbf29ce484222325ULL;
    const auto add_byte = [&hash](std::uint64_t byte) { hash = (hash ^ (byte & 0xff)) * 0x100000001b3ULL; };
    const auto add_number = [&](std::uint64_t number) {
        for (unsigned shift = 0; shift < 64; shift += 8) add_byte(number >> shift);
    };
    for (const FileStamp& file : stamps) {
        add_number(file.path.size());
        for (const char c : file.path) add_byte(static_cast<unsigned char>(c));
        for (const std::uint64_t number : {file.device, file.inode, file.size, static_cast<std::uint64_t>(file.modified_ns)})
            add_number(number);
    }
    return hash;
}

}  // namespace steward::config
