// The words of a command line, understood: which verb, with which options, on what.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <steward/manager.hpp>

#include "cli/verbs.hpp"

namespace steward::cli {

enum class ColorWhen { automatic, always, never };

struct Arguments {
    const Verb* verb = nullptr;  // null: only with help or version
    bool help = false;
    bool version = false;
    std::optional<Scope> scope;
    bool here = false;
    bool json = false;
    bool quiet = false;
    bool verbose = false;
    ColorWhen color = ColorWhen::automatic;
    bool all = false;
    bool tree = false;
    bool wait = true;
    std::optional<Duration> timeout;
    std::optional<unsigned> lines;
    std::vector<InitSystem> init;  // each once, in the order given
    std::string destdir;
    bool without_steward = false;
    bool strict = false;
    std::optional<PackageFormat> scripts;
    bool follow = false;
    std::string since, until;  // as written; what they mean depends on the time of day
    std::string grep;
    bool rotate = false;
    bool reopen = false;
    bool without_init = false;  // --init none
    std::string root;
    bool now = false;
    bool force = false;
    bool purge = false;
    bool dry_run = false;
    std::string name;                   // of an ad-hoc service
    Argv command;                       // of an ad-hoc service; what stands after --
    std::optional<int> signal;          // always set with the verb signal
    std::vector<std::string> operands;  // names and files; with the verb help, the verb
};

// Why a command line is not understood, in one line for the reader.
struct UsageError {
    std::string message;
};

// `words` is argv without the program's name.
[[nodiscard]] std::variant<Arguments, UsageError> parse_arguments(const std::vector<std::string>& words);

}  // namespace steward::cli
