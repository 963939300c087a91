// What a reader sees: pure functions from what the manager told to text. All end in a newline; all that comes from outside steward
// has been made printable.
#pragma once

#include <chrono>
#include <map>
#include <span>
#include <string>

#include <steward/manager.hpp>

#include "cli/console.hpp"
#include "cli/tree.hpp"
#include "cli/verbs.hpp"

namespace steward::cli {

using TimePoint = std::chrono::system_clock::time_point;

// The colour and the mark of a state: good, in between, in trouble, or at rest.
[[nodiscard]] Paint paint_of(ServiceState state);
[[nodiscard]] std::string mark_of(ServiceState state, const Style& style);
// failed, dead, unknown, backing off, running without its supervisor, or stopped with something to tell (its file is invalid): what a
// table must not hide.
[[nodiscard]] bool is_in_trouble(const ServiceStatus& status);

// One service in full. On a terminal a long log line takes at most three rows, unless `verbose`.
[[nodiscard]] std::string render_status(const ServiceStatus& status, TimePoint now, const Style& style, bool verbose);

// A table with one row a service. On a terminal columns are dropped and descriptions cut until it fits.
[[nodiscard]] std::string render_list(std::span<const ServiceStatus> services, TimePoint now, const Style& style, bool verbose);

// The same as a tree: a name that is not among `services` is told to be missing.
[[nodiscard]] std::string render_tree(std::span<const Twig> twigs, const std::map<std::string, ServiceStatus>& services, TimePoint now,
                                      const Style& style, bool verbose);

// The resolved service file as TOML, each key with its origin in a comment.
[[nodiscard]] std::string render_show(const ShownService& service, const Style& style);

// What becomes of keys that are not simply native, one a line. What the scripts of all but systemd leave to steward is told only with
// `all`: they leave everything to it.
[[nodiscard]] std::string render_notes(const Generated& generated, const Style& style, bool all);
// The files as they are; with `named`, each below its path.
[[nodiscard]] std::string render_files(const Generated& generated, bool named);
[[nodiscard]] std::string render_scripts(const std::vector<PackageScript>& scripts, const std::string& destination);
[[nodiscard]] std::string render_written(const Generated& generated, const std::string& destination);

// What was done to each file, or would be, with the differences: for the two below.
[[nodiscard]] std::string render_changes(const std::string& name, const std::vector<FileChange>& files, bool dry_run, const Style& style);
// What was done to each file, or would be; whether the service starts at boot, and what to do next.
[[nodiscard]] std::string render_installation(const Installation& done, VerbId verb, bool dry_run, const Style& style);

// Each changed key with what it takes, each file, and what was done or would be.
[[nodiscard]] std::string render_application(const Application& done, bool dry_run, const Style& style);

// What stands below an error's message: the faults of a service file with their lines, the last lines of output.
[[nodiscard]] std::string render_details(const Error& error, const Style& style);

}  // namespace steward::cli
