// What an installation changes, worked out before anything is changed: each file that is wanted, against what is there and what was written
// the last time.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include <steward/installation.hpp>
#include <steward/result.hpp>

#include "manager/manifest.hpp"
#include "manager/transaction.hpp"
#include "os/tree.hpp"

namespace steward::manager {

class FilePlan {
  public:
    struct Options {
        std::string name;             // of the service
        std::string state_directory;  // of the scope
        std::optional<Manifest> before;
        bool force = false;
    };
    FilePlan(const os::Tree& tree, Options options);

    // A file that steward wrote and somebody edited is kept; one that steward did not write is an error, unless it is as it is wanted: then it
    // is left to whoever wrote it. With `force` the first two are replaced.
    Result<void> want_file(const std::string& path, const std::string& text, unsigned mode);
    Result<void> want_link(const std::string& path, const std::string& target);
    // Neither listed nor told: what steward keeps for itself.
    Result<void> set(const std::string& path, const Content& wanted);
    // What is there is taken for steward's own, and may go.
    Result<void> drop_link(const std::string& path);
    // What was written the last time and has not been wanted this time goes, unless it was edited.
    Result<void> drop_the_rest();
    // Or stays, as it is: all of it, or one file.
    void keep_the_rest();
    Result<void> keep(const std::string& path);
    [[nodiscard]] bool is_handled(const std::string& path) const { return handled_.contains(path); }
    // Then the manifest: written for `system`, or taken away.
    Result<void> conclude(std::optional<InitSystem> system);
    Result<void> conclude_without();

    [[nodiscard]] const std::vector<Step>& steps() const { return steps_; }
    [[nodiscard]] std::vector<FileChange> take_changes() { return std::move(changes_); }
    [[nodiscard]] bool kept_edits() const { return kept_edits_; }
    // Whether it was listed, is there, and is not as it was written.
    [[nodiscard]] Result<bool> is_edited(const std::string& path) const;

  private:
    Result<void> want(const std::string& path, const Content& wanted);
    Result<void> want_directories(const std::string& path);
    Result<void> drop(const Manifest::Entry& entry);
    void list(const std::string& path, const Content& content);
    [[nodiscard]] bool leads_to_ours(const Content& content) const;
    [[nodiscard]] bool leads_to_what_is_gone(const std::string& path, const Content& now, const Content& wanted) const;
    void change(FileChange::Kind kind, const std::string& path, std::vector<std::string> difference = {});
    [[nodiscard]] const Manifest::Entry* listed(const std::string& path) const;

    const os::Tree& tree_;
    Options options_;
    Result<std::set<std::string>> claimed_;
    std::set<std::string> handled_;
    std::vector<Step> steps_;
    std::vector<FileChange> changes_;
    Manifest after_;
    bool kept_edits_ = false;
};

}  // namespace steward::manager
