// Files changed together or not at all. What is about to be done is on disk, with what was there before, until all of it is done: a
// transaction that was killed is undone by whoever comes next, and one that fails undoes itself.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <steward/result.hpp>

#include "os/tree.hpp"

namespace steward::manager {

// What stands at a path.
struct Content {
    enum class Kind { nothing, file, link, directory, other };
    Kind kind = Kind::nothing;
    unsigned mode = 0;
    os::Owner owner;
    std::string text;  // a file's content, a link's target

    static Content file(std::string text, unsigned mode);
    static Content link(std::string target);
    static Content directory();
    // Modes and owners do not count: they are for the administrator to choose.
    [[nodiscard]] bool same(const Content& other) const { return kind == other.kind && text == other.text; }
};
Result<Content> content_at(const os::Tree& tree, const std::string& path);

// From what is there to what is to be. A file that replaces a file keeps its mode and owner. A directory that is to go is left where it is
// not empty.
struct Step {
    std::string path;
    Content before;
    Content after;
};

// The journal's text, and back.
[[nodiscard]] std::string render_journal(const std::vector<Step>& steps);
Result<std::vector<Step>> parse_journal(const std::string& text, const std::string& path);

// The transactions of one service. For whoever holds the lock of the state directory (lock_state): nobody else changes these files.
class Ledger {
  public:
    // `directory` holds the journal, and is there while a transaction is under way.
    Ledger(const os::Tree& tree, std::string directory) : tree_(tree), directory_(std::move(directory)) {}

    [[nodiscard]] const std::string& directory() const { return directory_; }
    [[nodiscard]] Result<bool> is_interrupted() const;
    // Undoes a transaction that was killed; false: there was none.
    Result<bool> recover() const;
    // Does the steps in order, then `finish`; where anything fails, undoes the steps in reverse and gives that error.
    Result<void> carry_out(std::vector<Step> steps, const std::function<Result<void>()>& finish) const;

  private:
    [[nodiscard]] std::string journal() const { return directory_ + "/journal"; }
    Result<void> begin(const std::vector<Step>& steps) const;
    Result<void> take(const std::string& path, const Content& from, const Content& to) const;
    Result<void> undo(const std::vector<Step>& steps) const;
    Result<void> end() const;

    const os::Tree& tree_;
    std::string directory_;
};

// Makes the directory where it is missing, and waits for whoever works in it. Whoever holds the lock removes its file in the end.
[[nodiscard]] std::string lock_path(const std::string& directory);
Result<os::UniqueFd> lock_state(const os::Tree& tree, const std::string& directory);
// Those above and including `path` that are not there, the topmost first.
Result<std::vector<std::string>> missing_directories(const os::Tree& tree, const std::string& path);

}  // namespace steward::manager
