#include "cli/arguments.hpp"

#include <algorithm>
#include <charconv>

#include <steward/words.hpp>

#include "cli/option_parser.hpp"

namespace steward::cli {

namespace {

using Words = std::vector<std::string>;

bool is_dashed(std::string_view word)
{
    return word.size() > 1 && word.front() == '-';
}

std::string did_you_mean(std::string_view right)
{
    return right.empty() ? std::string{} : " (did you mean '" + std::string(right) + "'?)";
}

// The verb must be known before its options can be built, so this looks for the first word that is neither an option nor the value
// of one. Nothing else about options is decided here.
std::size_t verb_index(const Words& words)
{
    std::size_t index = 0;
    while (index < words.size() && is_dashed(words[index])) {
        const Option* found = find_option(words[index]);
        index += found != nullptr && !found->argument.empty() ? 2U : 1U;
    }
    return std::min(index, words.size());
}

UsageError unknown_verb(const std::string& word)
{
    Words names;
    for (const Verb& verb : verbs()) {
        names.emplace_back(verb.name);
        if (!verb.alias.empty()) names.emplace_back(verb.alias);
    }
    const std::string right = nearest(word, names);
    return UsageError{"unknown verb '" + word + "'" + (right.empty() ? " (try: steward --help)" : did_you_mean(right))};
}

UsageError unknown_option(const Verb* verb, const std::string& given)
{
    const std::string word = given.substr(0, given.find('='));
    const std::string of_verb = verb == nullptr ? std::string{} : std::string(verb->name);
    if (find_option(word) != nullptr && verb != nullptr) return UsageError{of_verb + " has no option '" + word + "'"};
    if (verb != nullptr && verb->id == VerbId::signal && parse_signal(word.substr(1))) {
        return UsageError{"unknown option '" + word + "'" + did_you_mean(word.substr(1))};
    }
    const std::string right = nearest(word, option_words(verb));
    const std::string help = "steward " + (of_verb.empty() ? std::string{} : of_verb + " ") + "--help";
    return UsageError{"unknown option '" + word + "'" + (right.empty() ? " (try: " + help + ")" : did_you_mean(right))};
}

UsageError bad_value(OptionId id, std::string_view wanted, const std::string& value)
{
    return UsageError{"option '--" + std::string(option(id).word) + "' takes " + std::string(wanted) + ", not '" + value + "'"};
}

// "systemd,sysv".
std::optional<UsageError> take_init_systems(const std::string& text, Arguments& arguments)
{
    if (arguments.verb->id == VerbId::install && text == "none") {
        arguments.without_init = true;
        return std::nullopt;
    }
    for (std::string_view rest = text;;) {
        const std::string_view word = rest.substr(0, rest.find(','));
        const auto system = parse_init_system(word);
        if (!system) {
            Words names;
            for (const InitSystem known : init_systems) names.emplace_back(to_string(known));
            return UsageError{"unknown init system '" + std::string(word) + "'" + did_you_mean(nearest(word, names))};
        }
        if (std::find(arguments.init.begin(), arguments.init.end(), *system) == arguments.init.end()) arguments.init.push_back(*system);
        if (word.size() == rest.size()) return std::nullopt;
        rest.remove_prefix(word.size() + 1);
    }
}

std::optional<UsageError> take_values(const GivenOptions& given, Arguments& arguments)
{
    if (given.has(OptionId::color)) {
        const std::string& when = given.value(OptionId::color);
        if (when != "auto" && when != "always" && when != "never") return bad_value(OptionId::color, "auto, always or never", when);
        arguments.color = when == "auto" ? ColorWhen::automatic : when == "always" ? ColorWhen::always : ColorWhen::never;
    }
    if (given.has(OptionId::timeout)) {
        const std::string& text = given.value(OptionId::timeout);
        arguments.timeout = parse_duration(text);
        if (!arguments.timeout) return bad_value(OptionId::timeout, "a number and a unit (us, ms, s, min, h, d)", text);
    }
    if (given.has(OptionId::lines)) {
        const std::string& text = given.value(OptionId::lines);
        unsigned lines = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), lines);
        if (error != std::errc{} || end != text.data() + text.size()) return bad_value(OptionId::lines, "a number of lines", text);
        arguments.lines = lines;
    }
    if (given.has(OptionId::init)) {
        if (auto error = take_init_systems(given.value(OptionId::init), arguments)) return error;
    }
    if (given.has(OptionId::destdir)) {
        arguments.destdir = given.value(OptionId::destdir);
        if (arguments.destdir.empty()) return bad_value(OptionId::destdir, "a directory", arguments.destdir);
    }
    if (given.has(OptionId::scripts)) {
        const std::string& format = given.value(OptionId::scripts);
        arguments.scripts = parse_package_format(format);
        if (!arguments.scripts) return bad_value(OptionId::scripts, "deb or rpm", format);
    }
    if (given.has(OptionId::root)) {
        arguments.root = given.value(OptionId::root);
        if (arguments.root.empty()) return bad_value(OptionId::root, "a directory", arguments.root);
    }
    if (given.has(OptionId::name)) {
        arguments.name = given.value(OptionId::name);
        if (arguments.name.empty()) return bad_value(OptionId::name, "a service's name", arguments.name);
    }
    arguments.grep = given.value(OptionId::grep);
    for (const OptionId id : {OptionId::since, OptionId::until}) {
        if (!given.has(id)) continue;
        if (!parse_time(given.value(id), {}))
            return bad_value(id, "a time, like '2026-11-21 12:00', '10 min ago' or 'yesterday'", given.value(id));
        (id == OptionId::since ? arguments.since : arguments.until) = given.value(id);
    }
    return std::nullopt;
}

std::optional<UsageError> take_options(const GivenOptions& given, Arguments& arguments)
{
    if (given.has(OptionId::user) && given.has(OptionId::system)) return UsageError{"--user and --system exclude each other"};
    if (given.has(OptionId::user)) arguments.scope = Scope::user;
    if (given.has(OptionId::system)) arguments.scope = Scope::system;
    arguments.help = given.has(OptionId::help);
    arguments.version = given.has(OptionId::version);
    arguments.here = given.has(OptionId::here);
    arguments.json = given.has(OptionId::json);
    arguments.quiet = given.has(OptionId::quiet);
    arguments.verbose = given.has(OptionId::verbose);
    arguments.all = given.has(OptionId::all);
    arguments.tree = given.has(OptionId::tree);
    arguments.without_steward = given.has(OptionId::without_steward);
    arguments.strict = given.has(OptionId::strict);
    arguments.now = given.has(OptionId::now);
    arguments.force = given.has(OptionId::force);
    arguments.purge = given.has(OptionId::purge);
    arguments.dry_run = given.has(OptionId::dry_run);
    arguments.wait = !given.has(OptionId::no_wait);
    arguments.follow = given.has(OptionId::follow);
    arguments.rotate = given.has(OptionId::rotate);
    arguments.reopen = given.has(OptionId::reopen);
    // They show nothing.
    for (const OptionId id : {OptionId::reopen, OptionId::lines, OptionId::follow, OptionId::since, OptionId::until, OptionId::grep}) {
        const bool both = arguments.rotate || (arguments.reopen && id != OptionId::reopen);
        if (both && given.has(id))
            return UsageError{std::string(arguments.rotate ? "--rotate" : "--reopen") + " and --" + std::string(option(id).word) +
                              " exclude each other"};
    }
    if (arguments.follow && given.has(OptionId::until)) return UsageError{"--follow and --until exclude each other"};
    return take_values(given, arguments);
}

std::optional<UsageError> take_signal(Arguments& arguments)
{
    if (arguments.operands.empty()) return UsageError{"signal needs a signal and a service (try: steward signal HUP NAME)"};
    const std::string word = arguments.operands.front();
    arguments.operands.erase(arguments.operands.begin());
    arguments.signal = parse_signal(word);
    if (arguments.signal) return std::nullopt;
    Words names;
    for (int number = 1; number < 32; ++number) names.push_back(signal_name(number));
    return UsageError{"unknown signal '" + word + "'" +
                      did_you_mean(nearest(word.starts_with("SIG") ? std::string_view(word).substr(3) : std::string_view(word), names))};
}

// What stands after "--" is the command of an ad-hoc service; without --name it is operands that may begin with a dash.
std::optional<UsageError> take_command(bool separated, Words after, Arguments& arguments)
{
    if (arguments.name.empty()) {
        const bool looks_ad_hoc = separated && arguments.operands.empty() && takes(arguments.verb, OptionId::name);
        if (looks_ad_hoc && !after.empty()) return UsageError{"the command after -- needs a name (try: --name NAME)"};
        arguments.operands.insert(arguments.operands.end(), after.begin(), after.end());
        return std::nullopt;
    }
    if (after.empty()) return UsageError{"--name needs a command: --name " + arguments.name + " -- COMMAND [ARG]..."};
    if (!arguments.operands.empty()) {
        return UsageError{"--name runs the command after --; '" + arguments.operands.front() + "' stands before it"};
    }
    arguments.command = std::move(after);
    return std::nullopt;
}

std::optional<UsageError> check_operands(const Arguments& arguments)
{
    const Verb& verb = *arguments.verb;
    const bool any = !arguments.operands.empty() || !arguments.command.empty();
    if (arguments.all && any) return UsageError{"--all leaves nothing to name"};
    if (verb.id == VerbId::help) {
        if (arguments.operands.size() > 1) return UsageError{"help takes one verb"};
        if (any && find_verb(arguments.operands.front()) == nullptr) return unknown_verb(arguments.operands.front());
        return std::nullopt;
    }
    if (verb.id == VerbId::generate && arguments.scripts && !arguments.init.empty())
        return UsageError{"--scripts and --init exclude each other: the scripts are for whatever init system the host has"};
    if (verb.id == VerbId::generate && !arguments.scripts && arguments.init.empty())
        return UsageError{"generate needs an init system (try: --init systemd)"};
    if (verb.id == VerbId::check && arguments.strict && arguments.init.empty())
        return UsageError{"--strict needs an init system (try: --init systemd)"};
    if (verb.id == VerbId::install && arguments.init.size() > 1) return UsageError{"install takes one init system"};
    if (!arguments.root.empty() && arguments.now) return UsageError{"--root and --now exclude each other: nothing runs in an image"};
    if (!arguments.root.empty() && arguments.scope == Scope::user) return UsageError{"--root and --user exclude each other"};
    const bool optional = verb.operands.starts_with('[') && !arguments.rotate && !arguments.reopen;
    if (any || optional || arguments.all) return std::nullopt;
    const std::string name(verb.name);
    return UsageError{name + " needs a service: a name or a file (try: steward " + name + " --help)"};
}

}  // namespace

std::variant<Arguments, UsageError> parse_arguments(const std::vector<std::string>& words)
{
    const auto separator = std::find(words.begin(), words.end(), "--");
    Words before(words.begin(), separator);
    const bool separated = separator != words.end();
    const Words after(separated ? separator + 1 : separator, words.end());

    Arguments arguments;
    if (const std::size_t index = verb_index(before); index < before.size()) {
        arguments.verb = find_verb(before[index]);
        if (arguments.verb == nullptr) return unknown_verb(before[index]);
        before.erase(before.begin() + static_cast<std::ptrdiff_t>(index));
    }

    // Without a dash there is nothing to parse, and CLI11 costs a tenth of what `status` takes.
    if (std::none_of(before.begin(), before.end(), is_dashed)) {
        arguments.operands = std::move(before);
    } else {
        auto parsed = parse_options(arguments.verb, before);
        if (auto* error = std::get_if<UsageError>(&parsed)) return *error;
        auto& given = std::get<GivenOptions>(parsed);
        const auto unknown = std::find_if(given.rest.begin(), given.rest.end(), is_dashed);
        if (unknown != given.rest.end()) return unknown_option(arguments.verb, *unknown);
        arguments.operands = std::move(given.rest);
        if (auto error = take_options(given, arguments)) return *error;
    }

    if (arguments.help || arguments.version) return arguments;
    if (arguments.verb == nullptr) return UsageError{"no verb is given (try: steward --help)"};
    if (auto error = take_command(separated, after, arguments)) return *error;
    if (arguments.verb->id == VerbId::signal) {
        if (auto error = take_signal(arguments)) return *error;
    }
    if (auto error = check_operands(arguments)) return *error;
    return arguments;
}

}  // namespace steward::cli
