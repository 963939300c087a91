// The one table of verbs and options. Parsing, help, usage errors and suggestions come from it, and tests hold the manual page
// and the completions to it.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace steward::cli {

enum class OptionId {
    user,
    system,
    here,
    json,
    quiet,
    verbose,
    color,
    help,
    version,
    all,
    name,
    no_wait,
    timeout,
    tree,
    lines,
    init,
    destdir,
    without_steward,
    scripts,
    strict,
    follow,
    since,
    until,
    grep,
    rotate,
    reopen,
    root,
    now,
    force,
    purge,
    dry_run
};

inline constexpr std::size_t option_count = static_cast<std::size_t>(OptionId::dry_run) + 1;  // the last one's

struct Option {
    OptionId id;
    std::string_view letter;    // "n" for -n; empty: none
    std::string_view word;      // "lines" for --lines
    std::string_view argument;  // "LINES"; empty: a flag
    std::string_view text;      // what it does, in one line
};

enum class VerbId {
    run,
    start,
    stop,
    restart,
    try_restart,
    reload,
    force_reload,
    reexec,
    status,
    logs,
    signal,
    list,
    show,
    check,
    generate,
    install,
    uninstall,
    enable,
    disable,
    apply,
    help
};

struct Verb {
    VerbId id;
    std::string_view name;
    std::string_view alias;             // empty: none
    std::string_view operands;          // one usage a line: "NAME|FILE..."
    std::string_view text;              // what it does, in one line
    std::string_view details;           // a paragraph for `steward help VERB`; may be empty
    std::span<const OptionId> options;  // its own, beside the common ones
};

[[nodiscard]] std::span<const Verb> verbs();
[[nodiscard]] std::span<const Option> options();           // all of them
[[nodiscard]] std::span<const OptionId> common_options();  // those of every verb
[[nodiscard]] const Option& option(OptionId id);

// By name or alias; null when there is no such verb.
[[nodiscard]] const Verb* find_verb(std::string_view word);
// By "-n" or "--lines"; null when there is no such option.
[[nodiscard]] const Option* find_option(std::string_view dashed);
// Whether `verb` takes the option; with a null verb, whether every verb does.
[[nodiscard]] bool takes(const Verb* verb, OptionId id);

// "--lines", and "-n" beside it where there is a letter: every way to write the options that `verb` takes.
[[nodiscard]] std::vector<std::string> option_words(const Verb* verb);

[[nodiscard]] std::string program_help();
[[nodiscard]] std::string verb_help(const Verb& verb);

}  // namespace steward::cli
