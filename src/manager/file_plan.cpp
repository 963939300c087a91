#include "manager/file_plan.hpp"

#include <algorithm>

#include "manager/difference.hpp"
#include "os/error.hpp"
#include "os/file.hpp"

namespace steward::manager {

namespace {

std::string shown(const Content& content)
{
    if (content.kind == Content::Kind::link) return "-> " + content.text + "\n";
    return content.text;
}

bool is_as_written(const Manifest::Entry& entry, const Content& content)
{
    return entry.kind == content.kind && entry.hash == hash_of(content.text);
}

}  // namespace

FilePlan::FilePlan(const os::Tree& tree, Options options)
    : tree_(tree), options_(std::move(options)), claimed_(claimed_directories(tree, options_.state_directory))
{
}

const Manifest::Entry* FilePlan::listed(const std::string& path) const
{
    return options_.before ? options_.before->find(path) : nullptr;
}

void FilePlan::list(const std::string& path, const Content& content)
{
    const std::string hash = content.kind == Content::Kind::directory ? "" : hash_of(content.text);
    after_.entries.push_back({.kind = content.kind, .path = path, .hash = hash});
}

// What leads to a unit or script of ours has no other purpose.
bool FilePlan::leads_to_ours(const Content& content) const
{
    if (content.kind != Content::Kind::link) return false;
    const std::string base = "/" + os::base_of(content.text);
    return std::ranges::any_of(after_.entries, [&](const Manifest::Entry& entry) {
        return entry.kind == Content::Kind::file && (entry.path.ends_with(base) || entry.path.find(base + "/") != std::string::npos);
    });
}

// A link of the wanted one's purpose, left behind by what was removed since.
bool FilePlan::leads_to_what_is_gone(const std::string& path, const Content& now, const Content& wanted) const
{
    if (now.kind != Content::Kind::link || wanted.kind != Content::Kind::link) return false;
    if (os::base_of(now.text) != os::base_of(wanted.text)) return false;
    const auto target = content_at(tree_, now.text.starts_with('/') ? now.text : os::parent_of(path) + "/" + now.text);
    return target && target->kind == Content::Kind::nothing;
}

void FilePlan::change(FileChange::Kind kind, const std::string& path, std::vector<std::string> difference)
{
    kept_edits_ = kept_edits_ || kind == FileChange::Kind::kept;
    changes_.push_back({.kind = kind, .path = path, .difference = std::move(difference)});
}

Result<bool> FilePlan::is_edited(const std::string& path) const
{
    const Manifest::Entry* entry = listed(path);
    if (entry == nullptr) return false;
    auto now = content_at(tree_, path);
    if (!now) return fail(now.error());
    return now->kind != Content::Kind::nothing && !is_as_written(*entry, *now);
}

Result<void> FilePlan::want_file(const std::string& path, const std::string& text, unsigned mode)
{
    return want(path, Content::file(text, mode));
}

Result<void> FilePlan::want_link(const std::string& path, const std::string& target)
{
    return want(path, Content::link(target));
}

Result<void> FilePlan::want_directories(const std::string& path)
{
    if (!claimed_) return fail(claimed_.error());
    auto missing = missing_directories(tree_, path);
    if (!missing) return fail(missing.error());
    for (std::string place = path; place != "/"; place = os::parent_of(place)) {
        const bool is_new = std::ranges::find(*missing, place) != missing->end();
        if (!is_new && claimed_->contains(place) && handled_.insert(place).second) list(place, Content::directory());
    }
    for (const std::string& place : *missing) {
        if (!handled_.insert(place).second) continue;
        list(place, Content::directory());
        steps_.push_back({.path = place, .before = {}, .after = Content::directory()});
    }
    return {};
}

Result<void> FilePlan::want(const std::string& path, const Content& wanted)
{
    // The manifest has a line for each path.
    if (path.find_first_of("\t\n") != std::string::npos) {
        return fail(Error{.code = ErrorCode::invalid_argument,
                          .operation = "install",
                          .object = options_.name,
                          .cause = os::quoted(path) + " holds a control character"});
    }
    handled_.insert(path);
    if (auto directories = want_directories(os::parent_of(path)); !directories) return directories;
    auto now = content_at(tree_, path);
    if (!now) return fail(now.error());
    const Manifest::Entry* entry = listed(path);
    if (now->same(wanted)) {
        if (entry != nullptr || leads_to_ours(wanted)) list(path, wanted);
        change(FileChange::Kind::unchanged, path);
        return {};
    }
    const bool free = now->kind == Content::Kind::nothing;
    const bool replaceable = now->kind == Content::Kind::file || now->kind == Content::Kind::link;
    const bool may_replace = (options_.force && replaceable) || leads_to_what_is_gone(path, *now, wanted);
    if (!free && entry == nullptr && !may_replace) {
        const std::string where = now->kind == Content::Kind::link ? ", a link to " + os::quoted(now->text) : "";
        return fail(Error{.code = ErrorCode::failed,
                          .operation = "install",
                          .object = options_.name,
                          .cause = os::quoted(path) + " is there already" + where + ", and steward did not write it",
                          .next_step = replaceable ? "--force" : ""});
    }
    if (!free && entry != nullptr && !is_as_written(*entry, *now) && !may_replace) {
        after_.entries.push_back(*entry);
        change(FileChange::Kind::kept, path, difference(path, shown(*now), shown(wanted)));
        return {};
    }
    list(path, wanted);
    steps_.push_back({.path = path, .before = *now, .after = wanted});
    change(free ? FileChange::Kind::created : FileChange::Kind::updated, path,
           free ? std::vector<std::string>() : difference(path, shown(*now), shown(wanted)));
    return {};
}

Result<void> FilePlan::drop_link(const std::string& path)
{
    handled_.insert(path);
    auto now = content_at(tree_, path);
    if (!now) return fail(now.error());
    if (now->kind != Content::Kind::link) return {};
    steps_.push_back({.path = path, .before = *now, .after = {}});
    change(FileChange::Kind::removed, path);
    return {};
}

Result<void> FilePlan::drop(const Manifest::Entry& entry)
{
    auto now = content_at(tree_, entry.path);
    if (!now) return fail(now.error());
    if (now->kind == Content::Kind::nothing) return {};
    if (entry.kind == Content::Kind::directory) {
        if (now->kind == Content::Kind::directory) steps_.push_back({.path = entry.path, .before = *now, .after = {}});
        return {};
    }
    const bool may_go = is_as_written(entry, *now) || (options_.force && now->kind == entry.kind);
    if (!may_go) {
        change(FileChange::Kind::kept, entry.path);
        return {};
    }
    steps_.push_back({.path = entry.path, .before = *now, .after = {}});
    change(FileChange::Kind::removed, entry.path);
    return {};
}

Result<void> FilePlan::drop_the_rest()
{
    if (!options_.before) return {};
    // Directories last, and the deepest first: by then they are empty, unless others use them too.
    std::vector<Manifest::Entry> rest = options_.before->entries;
    std::erase_if(rest, [&](const Manifest::Entry& entry) { return is_handled(entry.path); });
    std::ranges::stable_sort(rest, [](const Manifest::Entry& left, const Manifest::Entry& right) {
        const bool left_directory = left.kind == Content::Kind::directory;
        const bool right_directory = right.kind == Content::Kind::directory;
        if (left_directory != right_directory) return right_directory;
        return left_directory && left.path.size() > right.path.size();
    });
    for (const Manifest::Entry& entry : rest) {
        if (auto dropped = drop(entry); !dropped) return dropped;
    }
    return {};
}

Result<void> FilePlan::keep(const std::string& path)
{
    const Manifest::Entry* entry = listed(path);
    if (entry == nullptr || !handled_.insert(path).second) return {};
    after_.entries.push_back(*entry);
    return want_directories(os::parent_of(path));
}

void FilePlan::keep_the_rest()
{
    for (const Manifest::Entry& entry : options_.before ? options_.before->entries : std::vector<Manifest::Entry>()) {
        if (!is_handled(entry.path)) after_.entries.push_back(entry);
    }
}

Result<void> FilePlan::conclude(std::optional<InitSystem> system)
{
    after_.system = system;
    std::ranges::sort(after_.entries, {}, &Manifest::Entry::path);
    return set(manifest_path(options_.state_directory, options_.name), Content::file(render_manifest(after_), 0644));
}

Result<void> FilePlan::conclude_without()
{
    return set(manifest_path(options_.state_directory, options_.name), {});
}

Result<void> FilePlan::set(const std::string& path, const Content& wanted)
{
    auto now = content_at(tree_, path);
    if (!now) return fail(now.error());
    if (!now->same(wanted)) steps_.push_back({.path = path, .before = *now, .after = wanted});
    return {};
}

}  // namespace steward::manager
