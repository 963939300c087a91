// Where a service is installed: this host, or an image below a directory.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <steward/manager.hpp>
#include <steward/result.hpp>

#include "init/control.hpp"
#include "manager/located.hpp"
#include "manager/manifest.hpp"
#include "manager/paths.hpp"
#include "os/tree.hpp"

namespace steward::manager {

struct Site {
    os::Tree tree;
    std::string root;  // "" for this host, else absolute
    Paths paths;       // within the tree
    // The init system that runs here, and may be asked to act; unset and null below a root. Its Control is null where steward only writes
    // its files.
    std::optional<InitSystem> booted;
    std::shared_ptr<const init::Control> control;

    // The booted one's, if that is `system`.
    [[nodiscard]] const init::Control* control_of(std::optional<InitSystem> system) const;
};
enum class Here { no, yes };  // yes: files and links are all that is changed, and no init system is asked
// Directories of one's own (STEWARD_RUNTIME_DIR) are a world of one's own, where none is booted.
Result<Site> site_of(Scope scope, const std::string& root, Here here);

// The service with its file: an operand that is a path is a file of this host, a name is looked for in the site. A file by its path is
// read here and now, whoever may write it: installing is vouching for it.
Result<Located> locate_in(const Target& target, std::optional<Scope> scope, const std::string& root, const std::string& operation);

// What is installed there for `system`, which starts and stops it where it is booted.
Result<Located> locate_installed(const Site& site, const std::string& name, std::optional<InitSystem> system, const std::string& operation);

// The scope in which the service is installed; unset: in none.
Result<std::optional<Scope>> scope_of_installed(const std::string& name, std::optional<Scope> scope, const std::string& root);

// Nobody else changes what is installed there as long as this lives; what was killed is undone. The state directory goes with it when it
// is empty, and so does the service's.
class Workplace {
  public:
    static Result<Workplace> enter(const Site& site, const std::string& name);
    Workplace(Workplace&& other) noexcept;
    Workplace& operator=(Workplace&&) = delete;
    ~Workplace();

    [[nodiscard]] const Ledger& ledger() const { return ledger_; }

  private:
    Workplace(const Site& site, os::UniqueFd lock, Ledger ledger);
    const Site* site_;
    os::UniqueFd lock_;
    Ledger ledger_;
};

}  // namespace steward::manager
