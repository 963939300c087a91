#include "cli/verbs.hpp"

#include <algorithm>

namespace steward::cli {

namespace {

constexpr Option all_options[] = {
    {OptionId::user, "", "user", "", "only the services of the calling user"},
    {OptionId::system, "", "system", "", "only the services of the system"},
    {OptionId::here, "", "here", "", "act here, never through an init system"},
    {OptionId::json, "", "json", "", "print one JSON document (docs/json.md)"},
    {OptionId::quiet, "q", "quiet", "", "print no results, only errors"},
    {OptionId::verbose, "v", "verbose", "", "tell more, and cut nothing short"},
    {OptionId::color, "", "color", "WHEN", "auto, always or never (auto; NO_COLOR is never)"},
    {OptionId::help, "h", "help", "", "tell how to use steward, or the verb"},
    {OptionId::version, "", "version", "", "print the version"},
    {OptionId::all, "", "all", "", "every service there is a service file for"},
    {OptionId::name, "", "name", "NAME", "run the COMMAND after -- as service NAME, no file"},
    {OptionId::no_wait, "", "no-wait", "", "return at once, not when the service is up"},
    {OptionId::timeout, "", "timeout", "DURATION", "give up on the start after DURATION: 500ms, 10s, 2min"},
    {OptionId::tree, "", "tree", "", "show what each requires and wants below it"},
    {OptionId::lines, "n", "lines", "LINES", "show this many of the last log lines (status: 10)"},
    {OptionId::init, "", "init", "SYSTEMS", "systemd, sysv, openrc, runit, s6, dinit"},
    {OptionId::destdir, "", "destdir", "DIR", "write the files below DIR, not to the terminal"},
    {OptionId::without_steward, "", "without-steward", "", "make files for hosts that have no steward"},
    {OptionId::scripts, "", "scripts", "FORMAT", "make the scripts of a package instead: deb or rpm"},
    {OptionId::strict, "", "strict", "", "refuse a key that would be lost"},
    {OptionId::follow, "f", "follow", "", "go on with the lines that come, after the last 10"},
    {OptionId::since, "S", "since", "TIME", "lines from then on: 1h, yesterday, 2026-11-21 12:00"},
    {OptionId::until, "U", "until", "TIME", "lines up to then"},
    {OptionId::grep, "g", "grep", "REGEX", "lines that match (RE2; (?i) ignores case)"},
    {OptionId::rotate, "", "rotate", "", "put the logs aside as if they were full; show nothing"},
    {OptionId::reopen, "", "reopen", "", "begin new logs where others renamed them; show nothing"},
    {OptionId::root, "", "root", "DIR", "change files and links in the image below DIR, no more"},
    {OptionId::now, "", "now", "", "start it too; restart what an update changed"},
    {OptionId::force, "", "force", "", "replace or remove files that were edited, too"},
    {OptionId::purge, "", "purge", "", "remove its logs and state, too"},
    {OptionId::dry_run, "", "dry-run", "", "show what would change, and change nothing"},
};

static_assert(std::size(all_options) == option_count);

constexpr OptionId common[] = {OptionId::user,    OptionId::system, OptionId::here, OptionId::json,   OptionId::quiet,
                               OptionId::verbose, OptionId::color,  OptionId::help, OptionId::version};
constexpr OptionId for_run[] = {OptionId::all, OptionId::name};
constexpr OptionId for_start[] = {OptionId::no_wait, OptionId::timeout, OptionId::name};
constexpr OptionId for_restart[] = {OptionId::no_wait, OptionId::timeout};
constexpr OptionId for_reexec[] = {OptionId::all};
constexpr OptionId for_status[] = {OptionId::lines};
constexpr OptionId for_list[] = {OptionId::tree};
constexpr OptionId for_check[] = {OptionId::init, OptionId::strict};
constexpr OptionId for_generate[] = {OptionId::init, OptionId::destdir, OptionId::without_steward, OptionId::strict, OptionId::scripts};
constexpr OptionId for_logs[] = {OptionId::lines, OptionId::follow, OptionId::since, OptionId::until,
                                 OptionId::grep,  OptionId::rotate, OptionId::reopen};
constexpr OptionId for_install[] = {OptionId::init, OptionId::now, OptionId::root, OptionId::force, OptionId::strict, OptionId::dry_run};
constexpr OptionId for_uninstall[] = {OptionId::root, OptionId::force, OptionId::purge, OptionId::dry_run};
constexpr OptionId for_apply[] = {OptionId::dry_run};
constexpr OptionId for_boot[] = {OptionId::root, OptionId::dry_run};

constexpr Verb all_verbs[] = {
    {VerbId::run, "run", "", "NAME|FILE...\n--all\n--name NAME -- COMMAND [ARG]...", "supervise in the foreground",
     "Several services share one supervisor; on a terminal each line of theirs stands\n"
     "behind its service's name. Ends when all of them have ended, or on\n"
     "SIGTERM, SIGINT or SIGQUIT; works as PID 1 of a container. The exit code is that\n"
     "of the only service, 128 + N when signal N ended it.",
     for_run},
    {VerbId::start, "start", "", "NAME|FILE...\n--name NAME -- COMMAND [ARG]...", "start in the background",
     "Returns when the service is up, or with the reason why it is not; then nothing\n"
     "of it is left running. What it requires or wants is started first.",
     for_start},
    {VerbId::stop,
     "stop",
     "",
     "NAME|FILE...",
     "end every process of a service",
     "Returns when none is left, or names those that are. What runs and requires the\n"
     "service is stopped before it.",
     {}},
    {VerbId::restart, "restart", "", "NAME|FILE...", "stop and start; start what was stopped",
     "The new service file is checked before the service is stopped. What runs and\n"
     "requires the service is stopped before it and started again after it.",
     for_restart},
    {VerbId::try_restart, "try-restart", "condrestart", "NAME|FILE...", "restart only what is running", "", for_restart},
    {VerbId::reload,
     "reload",
     "",
     "NAME|FILE...",
     "have a service read its configuration again",
     "As the table [reload] of its service file says; without one the exit code is 3.",
     {}},
    {VerbId::force_reload, "force-reload", "", "NAME|FILE...", "reload where that is possible, else restart", "", for_restart},
    {VerbId::reexec, "reexec", "", "NAME|FILE...\n--all", "replace running supervisors by the installed program",
     "No service notices. The installed program proves first that it can carry on;\n"
     "otherwise nothing is changed. What runs in the foreground is left as it is.",
     for_reexec},
    {VerbId::status, "status", "", "[NAME|FILE]...", "show how services are; changes nothing",
     "Without an operand: all services in a table, those in trouble in full below it,\n"
     "and exit code 0. Else the exit code is 0 running, 1 dead but PID file or record\n"
     "say running, 2 the same without a PID file, 3 not running, 4 unknown.",
     for_status},
    {VerbId::logs, "logs", "", "[NAME|FILE]...", "show what services wrote, and what steward did with them",
     "The lines of all their log files, rotated and compressed ones included, and\n"
     "steward's own events, in the order of their times. Without an operand: of all\n"
     "services. With -f the last 10 and those that come, until it is interrupted. With\n"
     "--json one object a line.",
     for_logs},
    {VerbId::signal,
     "signal",
     "",
     "SIGNAL NAME|FILE...",
     "send one signal to the main process",
     "SIGNAL is a name or a number: HUP, SIGHUP, 1. It goes out only after the process\n"
     "has proved to be the service's.",
     {}},
    {VerbId::list, "list", "", "[NAME|FILE]...", "list the services in a table", "", for_list},
    {VerbId::show, "show", "", "NAME|FILE...", "print the resolved service file, with each key's origin", "", {}},
    {VerbId::check, "check", "", "[NAME|FILE]...", "validate service files without starting anything",
     "Without an operand: all of them. All faults of a file are told at once.\n"
     "With --init also what becomes of each key under those init systems.",
     for_check},
    {VerbId::generate, "generate", "", "NAME|FILE...", "print units and scripts for init systems",
     "A key that the init system has no words for makes the unit run the service under\n"
     "steward, and is named on standard error. With --destdir the files stand where\n"
     "a package owns them. --scripts makes what dpkg or rpm runs around them.",
     for_generate},
    {VerbId::install, "install", "", "NAME|FILE...", "have the init system start a service at boot",
     "Copies a FILE to where service files are, writes the unit or script for the\n"
     "booted init system (or --init: also none) and enables it: all of that or nothing.\n"
     "What is as it should be is left alone; a file that was edited is kept, its\n"
     "difference is shown, and the exit code is 1, unless --force is given.",
     for_install},
    {VerbId::uninstall, "uninstall", "", "NAME|FILE...", "stop a service and remove what install wrote",
     "Files that were edited are kept and named.", for_uninstall},
    {VerbId::enable, "enable", "", "NAME|FILE...", "start a service at boot; starts nothing now", "", for_boot},
    {VerbId::disable, "disable", "", "NAME|FILE...", "do not start a service at boot; stops nothing now", "", for_boot},
    {VerbId::apply, "apply", "", "[NAME|FILE]...", "make what runs equal to its service file",
     "Tells for each changed key what it takes: nothing (live), a word to steward's own\n"
     "processes (signal), a restart; and does no more than that. The unit or script of\n"
     "an installed service is made anew. Without a name: every service.",
     for_apply},
    {VerbId::help, "help", "", "[VERB]", "tell how to use steward, or one verb", "", {}},
};

// "  -n, --lines LINES".
std::string option_synopsis(const Option& described)
{
    std::string text = described.letter.empty() ? "      " : "  -" + std::string(described.letter) + ", ";
    text += "--" + std::string(described.word);
    if (!described.argument.empty()) text += " " + std::string(described.argument);
    return text;
}

std::string in_columns(std::string left, std::size_t width, std::string_view right)
{
    left.resize(std::max(width, left.size()), ' ');
    return left + "  " + std::string(right) + "\n";
}

std::string options_help(std::string_view title, std::span<const OptionId> ids)
{
    constexpr std::size_t column = 24;
    std::string text = "\n" + std::string(title) + "\n";
    for (const OptionId id : ids) text += in_columns(option_synopsis(option(id)), column, option(id).text);
    return text;
}

}  // namespace

std::span<const Verb> verbs()
{
    return all_verbs;
}

std::span<const Option> options()
{
    return all_options;
}

std::span<const OptionId> common_options()
{
    return common;
}

const Option& option(OptionId id)
{
    return *std::find_if(std::begin(all_options), std::end(all_options), [&](const Option& candidate) { return candidate.id == id; });
}

const Verb* find_verb(std::string_view word)
{
    const auto* found = std::find_if(std::begin(all_verbs), std::end(all_verbs),
                                     [&](const Verb& verb) { return !word.empty() && (verb.name == word || verb.alias == word); });
    return found == std::end(all_verbs) ? nullptr : found;
}

const Option* find_option(std::string_view dashed)
{
    const bool is_word = dashed.starts_with("--");
    dashed.remove_prefix(std::min<std::size_t>(dashed.size(), is_word ? 2 : 1));
    const auto* found = std::find_if(std::begin(all_options), std::end(all_options), [&](const Option& candidate) {
        return !dashed.empty() && dashed == (is_word ? candidate.word : candidate.letter);
    });
    return found == std::end(all_options) ? nullptr : found;
}

bool takes(const Verb* verb, OptionId id)
{
    const auto has = [&](std::span<const OptionId> ids) { return std::find(ids.begin(), ids.end(), id) != ids.end(); };
    return has(common) || (verb != nullptr && has(verb->options));
}

std::vector<std::string> option_words(const Verb* verb)
{
    std::vector<std::string> words;
    for (const Option& candidate : all_options) {
        if (!takes(verb, candidate.id)) continue;
        words.push_back("--" + std::string(candidate.word));
        if (!candidate.letter.empty()) words.push_back("-" + std::string(candidate.letter));
    }
    return words;
}

std::string program_help()
{
    constexpr std::size_t column = 14;
    std::string text =
        "usage: steward VERB [OPTION]... [NAME|FILE]...\n"
        "\n"
        "Runs any program as a well-behaved daemon, from one service file.\n"
        "NAME is a service or a glob over services; FILE has a '/' or ends in \".toml\".\n"
        "\n"
        "Verbs:\n";
    for (const Verb& verb : all_verbs) text += in_columns("  " + std::string(verb.name), column, verb.text);
    text += options_help("Options of every verb, before or after it:", common);
    text +=
        "\n"
        "`steward help VERB` tells a verb's own options; steward(8) tells everything,\n"
        "steward.toml(5) what a service file may say.\n";
    return text;
}

std::string verb_help(const Verb& verb)
{
    std::string text;
    std::string_view usages = verb.operands;
    for (const char* lead = "usage: "; !usages.empty(); lead = "       ") {
        const std::size_t end = std::min(usages.find('\n'), usages.size());
        text += lead + ("steward " + std::string(verb.name)) + " [OPTION]... " + std::string(usages.substr(0, end)) + "\n";
        usages.remove_prefix(std::min(end + 1, usages.size()));
    }
    text += "\n" + std::string(verb.name);
    if (!verb.alias.empty()) text += " (or " + std::string(verb.alias) + ")";
    text += ": " + std::string(verb.text) + ".\n";
    if (!verb.details.empty()) text += "\n" + std::string(verb.details) + "\n";
    if (!verb.options.empty()) text += options_help("Options:", verb.options);
    return text + options_help("Options of every verb:", common);
}

}  // namespace steward::cli
