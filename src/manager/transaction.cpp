#include "manager/transaction.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <set>

#include "os/error.hpp"
#include "os/file.hpp"
#include "os/process.hpp"

namespace steward::manager {

namespace {

constexpr std::size_t largest_file = 16U * 1024 * 1024;
constexpr std::size_t largest_journal = 64U * 1024 * 1024;
constexpr int most_lock_attempts = 100;
constexpr std::string_view heading = "steward journal 1\n";
constexpr std::string_view ending = "end\n";

Result<void> write(const os::Tree& tree, const std::string& path, const Content& content)
{
    switch (content.kind) {
        case Content::Kind::file: return tree.write_file(path, content.text, content.mode, content.owner);
        case Content::Kind::link: return tree.write_link(path, content.text);
        case Content::Kind::directory: return tree.make_directory(path, content.mode);
        default: return {};
    }
}

// The journal's fields: numbers with blanks between on a line, then as many bytes as they say.
class Reader {
  public:
    explicit Reader(std::string_view text) : text_(text) {}

    bool take(std::string_view expected)
    {
        if (!text_.starts_with(expected)) return false;
        text_.remove_prefix(expected.size());
        return true;
    }
    std::optional<std::size_t> number()
    {
        std::size_t value = 0;
        const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
        if (error != std::errc{}) return std::nullopt;
        text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
        if (!take(" ") && !take("\n")) return std::nullopt;
        return value;
    }
    std::optional<std::string> bytes(std::size_t count)
    {
        if (count > text_.size()) return std::nullopt;
        std::string value(text_.substr(0, count));
        text_.remove_prefix(count);
        return value;
    }
    [[nodiscard]] bool at_end() const { return text_.empty(); }

  private:
    std::string_view text_;
};

void add_content(std::string& numbers, std::string& bytes, const Content& content)
{
    for (const std::size_t number : {static_cast<std::size_t>(content.kind), std::size_t{content.mode}, std::size_t{content.owner.uid},
                                     std::size_t{content.owner.gid}, content.text.size()})
        numbers += " " + std::to_string(number);
    bytes += content.text;
}

std::optional<Step> read_step(Reader& reader)
{
    constexpr std::size_t fields = 11;
    std::array<std::size_t, fields> numbers{};
    for (std::size_t& number : numbers) {
        const auto value = reader.number();
        if (!value) return std::nullopt;
        number = *value;
    }
    Step step;
    const auto path = reader.bytes(numbers[0]);
    if (!path || !path->starts_with('/')) return std::nullopt;
    step.path = *path;
    std::size_t at = 1;
    for (Content* content : {&step.before, &step.after}) {
        if (numbers[at] > static_cast<std::size_t>(Content::Kind::directory)) return std::nullopt;
        content->kind = static_cast<Content::Kind>(numbers[at]);
        content->mode = static_cast<unsigned>(numbers[at + 1]);
        content->owner = {.uid = static_cast<std::uint32_t>(numbers[at + 2]), .gid = static_cast<std::uint32_t>(numbers[at + 3])};
        auto text = reader.bytes(numbers[at + 4]);
        if (!text) return std::nullopt;
        content->text = std::move(*text);
        at += 5;
    }
    return reader.take("\n") ? std::optional(std::move(step)) : std::nullopt;
}

}  // namespace

Content Content::file(std::string text, unsigned mode)
{
    return {.kind = Kind::file, .mode = mode, .owner = {os::effective_uid(), os::effective_gid()}, .text = std::move(text)};
}

Content Content::link(std::string target)
{
    return {.kind = Kind::link, .mode = 0, .owner = {}, .text = std::move(target)};
}

Content Content::directory()
{
    return {.kind = Kind::directory, .mode = 0755, .owner = {}, .text = {}};
}

Result<Content> content_at(const os::Tree& tree, const std::string& path)
{
    auto object = tree.look(path, largest_file);
    if (!object) return fail(object.error());
    if (!*object) return Content{};
    const os::FileInfo& info = (*object)->info;
    Content content{.kind = Content::Kind::other, .mode = info.mode, .owner = {info.uid, info.gid}, .text = std::move((*object)->text)};
    if (info.kind == os::FileInfo::Kind::regular) content.kind = Content::Kind::file;
    if (info.kind == os::FileInfo::Kind::symlink) content.kind = Content::Kind::link;
    if (info.kind == os::FileInfo::Kind::directory) content.kind = Content::Kind::directory;
    return content;
}

std::string render_journal(const std::vector<Step>& steps)
{
    std::string text(heading);
    for (const Step& step : steps) {
        std::string numbers = std::to_string(step.path.size());
        std::string bytes = step.path;
        add_content(numbers, bytes, step.before);
        add_content(numbers, bytes, step.after);
        text += numbers + "\n" + bytes + "\n";
    }
    return text + std::string(ending);
}

Result<std::vector<Step>> parse_journal(const std::string& text, const std::string& path)
{
    const auto refuse = [&] {
        return fail(Error{.code = ErrorCode::failed,
                          .operation = "read",
                          .object = os::quoted(path),
                          .cause = "it is not a journal of this version of steward",
                          .next_step = "the version of steward that wrote it"});
    };
    Reader reader(text);
    std::vector<Step> steps;
    if (!reader.take(heading)) return refuse();
    while (!reader.take(ending)) {
        auto step = read_step(reader);
        if (!step) return refuse();
        steps.push_back(std::move(*step));
    }
    if (!reader.at_end()) return refuse();
    return steps;
}

Result<bool> Ledger::is_interrupted() const
{
    auto there = tree_.look(journal(), largest_journal);
    if (!there) return fail(there.error());
    return there->has_value();
}

Result<bool> Ledger::recover() const
{
    if (auto swept = tree_.sweep(directory_); !swept) return fail(swept.error());
    auto there = tree_.look(journal(), largest_journal);
    if (!there) return fail(there.error());
    if (!*there) return false;
    auto steps = parse_journal((*there)->text, journal());
    if (!steps) return fail(steps.error());
    std::set<std::string> directories;
    for (const Step& step : *steps) directories.insert(os::parent_of(step.path));
    for (const std::string& directory : directories) {
        if (auto swept = tree_.sweep(directory); !swept) return fail(swept.error());
    }
    if (auto undone = undo(*steps); !undone) return fail(undone.error());
    if (auto ended = end(); !ended) return fail(ended.error());
    return true;
}

Result<void> Ledger::carry_out(std::vector<Step> steps, const std::function<Result<void>()>& finish) const
{
    for (Step& step : steps) {
        if (step.before.kind != Content::Kind::file || step.after.kind != Content::Kind::file) continue;
        step.after.mode = step.before.mode;
        step.after.owner = step.before.owner;
    }
    Result<void> done = begin(steps);
    for (const Step& step : steps) {
        if (!done) break;
        done = take(step.path, step.before, step.after);
    }
    if (done) done = finish();
    if (done) {
        auto ended = end();
        // With the journal gone all is done, whatever failed after that.
        return !ended && is_interrupted().value_or(true) ? ended : Result<void>{};
    }
    Error error = done.error();
    auto undone = undo(steps);
    if (undone) undone = end();
    if (!undone) error.detail.push_back("not everything could be undone: " + undone.error().message());
    return fail(std::move(error));
}

Result<void> Ledger::begin(const std::vector<Step>& steps) const
{
    if (auto made = tree_.make_directory(directory_, 0755); !made) return made;
    return tree_.write_file(journal(), render_journal(steps), 0600);
}

Result<void> Ledger::take(const std::string& path, const Content& from, const Content& to) const
{
    if (to.kind != Content::Kind::nothing) return write(tree_, path, to);
    return from.kind == Content::Kind::directory ? tree_.remove_directory(path) : tree_.remove(path);
}

// What is neither as it was before nor as it was to be has been changed by somebody else since, and is theirs.
Result<void> Ledger::undo(const std::vector<Step>& steps) const
{
    for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
        auto now = content_at(tree_, step->path);
        if (!now) return fail(now.error());
        if (!now->same(step->after) || now->same(step->before)) continue;
        if (auto taken = take(step->path, step->after, step->before); !taken) return taken;
    }
    return {};
}

Result<void> Ledger::end() const
{
    if (auto removed = tree_.remove(journal()); !removed) return removed;
    return tree_.remove_directory(directory_);
}

// No service's name begins with a dot.
std::string lock_path(const std::string& directory)
{
    return directory + "/.lock";
}

Result<os::UniqueFd> lock_state(const os::Tree& tree, const std::string& directory)
{
    for (int attempt = 0;; ++attempt) {
        auto missing = missing_directories(tree, directory);
        if (!missing) return fail(missing.error());
        const auto give_up = [&](const Error& error) {
            for (auto made = missing->rbegin(); made != missing->rend(); ++made) static_cast<void>(tree.remove_directory(*made));
            return fail(error);
        };
        for (const std::string& path : *missing) {
            auto made = tree.make_directory(path, 0755);
            if (!made) return give_up(made.error());
        }
        auto lock = tree.lock(lock_path(directory));
        if (lock) return lock;
        // Whoever finished last may have taken the empty directory away.
        if (lock.error().os_errno != ENOENT || attempt == most_lock_attempts) return give_up(lock.error());
    }
}

Result<std::vector<std::string>> missing_directories(const os::Tree& tree, const std::string& path)
{
    std::vector<std::string> missing;
    for (std::string place = path; place != "/"; place = os::parent_of(place)) {
        auto there = tree.look(place, 0);
        // A link to a directory, or a file: whether it will do is told when something is made in it.
        if (!there && there.error().code != ErrorCode::failed) return fail(there.error());
        if (!there || *there) break;
        missing.push_back(place);
    }
    std::reverse(missing.begin(), missing.end());
    return missing;
}

}  // namespace steward::manager
