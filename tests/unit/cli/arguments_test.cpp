#include "cli/arguments.hpp"

#include <gtest/gtest.h>

namespace steward::cli {

namespace {

using Words = std::vector<std::string>;

Arguments understood(const Words& words)
{
    const auto parsed = parse_arguments(words);
    if (const auto* error = std::get_if<UsageError>(&parsed)) {
        ADD_FAILURE() << error->message;
        return {};
    }
    return std::get<Arguments>(parsed);
}

std::string refusal(const Words& words)
{
    const auto parsed = parse_arguments(words);
    const auto* error = std::get_if<UsageError>(&parsed);
    return error == nullptr ? "understood" : error->message;
}

TEST(Arguments, a_verb_and_its_operands_need_no_options)
{
    const Arguments arguments = understood({"stop", "web", "./worker.toml", "db-*"});
    EXPECT_EQ(arguments.verb->id, VerbId::stop);
    EXPECT_EQ(arguments.operands, (Words{"web", "./worker.toml", "db-*"}));
    EXPECT_FALSE(arguments.scope);
    EXPECT_TRUE(arguments.wait);
}

TEST(Arguments, common_options_stand_before_or_after_the_verb)
{
    for (const Words& words :
         {Words{"--user", "--color", "never", "-q", "status", "web"}, Words{"status", "web", "-q", "--color=never", "--user"},
          Words{"--color", "never", "status", "--user", "web", "--quiet"}}) {
        const Arguments arguments = understood(words);
        EXPECT_EQ(arguments.verb->id, VerbId::status);
        EXPECT_EQ(arguments.scope, Scope::user);
        EXPECT_EQ(arguments.color, ColorWhen::never);
        EXPECT_TRUE(arguments.quiet);
        EXPECT_EQ(arguments.operands, Words{"web"});
    }
}

TEST(Arguments, a_verbs_own_option_may_stand_before_it_too)
{
    const Arguments arguments = understood({"-n", "5", "status", "web"});
    EXPECT_EQ(arguments.lines, 5U);
    EXPECT_EQ(arguments.operands, Words{"web"});
}

TEST(Arguments, letters_may_be_joined_and_the_last_of_two_values_counts)
{
    const Arguments arguments = understood({"status", "-vn5", "--lines=7", "web"});
    EXPECT_TRUE(arguments.verbose);
    EXPECT_EQ(arguments.lines, 7U);
}

TEST(Arguments, an_alias_names_the_same_verb)
{
    EXPECT_EQ(understood({"condrestart", "web"}).verb->id, VerbId::try_restart);
}

TEST(Arguments, start_takes_a_deadline_and_need_not_wait)
{
    const Arguments arguments = understood({"start", "--no-wait", "--timeout", "90s", "web"});
    EXPECT_FALSE(arguments.wait);
    EXPECT_EQ(arguments.timeout, std::chrono::seconds(90));
}

TEST(Arguments, a_command_after_the_dashes_is_taken_word_for_word)
{
    const Arguments arguments = understood({"start", "--name", "adhoc", "-q", "--", "sleep", "--user", "-n", "--"});
    EXPECT_EQ(arguments.name, "adhoc");
    EXPECT_EQ(arguments.command, (Words{"sleep", "--user", "-n", "--"}));
    EXPECT_TRUE(arguments.quiet);
    EXPECT_FALSE(arguments.scope);
    EXPECT_TRUE(arguments.operands.empty());
}

TEST(Arguments, operands_after_the_dashes_may_begin_with_one)
{
    EXPECT_EQ(understood({"check", "--", "-odd.toml"}).operands, Words{"-odd.toml"});
}

TEST(Arguments, a_glob_in_brackets_stays_one_operand)
{
    EXPECT_EQ(understood({"status", "-v", "[ab]", "a,b"}).operands, (Words{"[ab]", "a,b"}));
}

TEST(Arguments, a_signal_is_a_name_or_a_number)
{
    EXPECT_EQ(understood({"signal", "HUP", "web"}).signal, 1);
    EXPECT_EQ(understood({"signal", "SIGTERM", "web"}).signal, 15);
    EXPECT_EQ(understood({"signal", "9", "web"}).operands, Words{"web"});
}

TEST(Arguments, help_and_version_need_nothing_else)
{
    EXPECT_TRUE(understood({"--help"}).help);
    EXPECT_TRUE(understood({"-h"}).help);
    EXPECT_TRUE(understood({"start", "--help"}).help);
    EXPECT_EQ(understood({"--help", "start"}).verb->id, VerbId::start);
    EXPECT_TRUE(understood({"--version"}).version);
    EXPECT_EQ(understood({"help", "stop"}).operands, Words{"stop"});
}

TEST(Arguments, a_wrong_verb_names_the_nearest_right_one)
{
    EXPECT_EQ(refusal({"stauts"}), "unknown verb 'stauts' (did you mean 'status'?)");
    EXPECT_EQ(refusal({"--user", "reastart", "web"}), "unknown verb 'reastart' (did you mean 'restart'?)");
    EXPECT_EQ(refusal({"help", "strat"}), "unknown verb 'strat' (did you mean 'start'?)");
    EXPECT_EQ(refusal({"frobnicate"}), "unknown verb 'frobnicate' (try: steward --help)");
    EXPECT_EQ(refusal({"", "web"}), "unknown verb '' (try: steward --help)");
}

TEST(Arguments, a_wrong_option_names_the_nearest_right_one)
{
    EXPECT_EQ(refusal({"start", "--no-wiat", "web"}), "unknown option '--no-wiat' (did you mean '--no-wait'?)");
    EXPECT_EQ(refusal({"start", "--timout=5s", "web"}), "unknown option '--timout' (did you mean '--timeout'?)");
    EXPECT_EQ(refusal({"--jsn", "status"}), "unknown option '--jsn' (did you mean '--json'?)");
    EXPECT_EQ(refusal({"--usr"}), "unknown option '--usr' (did you mean '--user'?)");
    EXPECT_EQ(refusal({"stop", "--frobnicate", "web"}), "unknown option '--frobnicate' (try: steward stop --help)");
    EXPECT_EQ(refusal({"signal", "-9", "web"}), "unknown option '-9' (did you mean '9'?)");
}

TEST(Arguments, an_option_of_another_verb_is_not_this_ones)
{
    EXPECT_EQ(refusal({"stop", "--no-wait", "web"}), "stop has no option '--no-wait'");
    EXPECT_EQ(refusal({"stop", "--all"}), "stop has no option '--all'");
    EXPECT_EQ(refusal({"list", "-n", "5"}), "list has no option '-n'");
}

TEST(Arguments, values_are_judged)
{
    EXPECT_EQ(refusal({"status", "-n"}), "option '--lines' needs a value: --lines LINES");
    EXPECT_EQ(refusal({"status", "-n", "many"}), "option '--lines' takes a number of lines, not 'many'");
    EXPECT_EQ(refusal({"status", "-n", "-1"}), "option '--lines' takes a number of lines, not '-1'");
    EXPECT_EQ(refusal({"status", "--color", "pink"}), "option '--color' takes auto, always or never, not 'pink'");
    EXPECT_EQ(refusal({"start", "web", "--timeout", "5"}), "option '--timeout' takes a number and a unit (us, ms, s, min, h, d), not '5'");
    EXPECT_EQ(refusal({"status", "--json=yes"}), "option '--json' takes no value");
    EXPECT_EQ(refusal({"status", "--user", "--system"}), "--user and --system exclude each other");
    EXPECT_EQ(refusal({"signal", "TREM", "web"}), "unknown signal 'TREM' (did you mean 'TERM'?)");
    EXPECT_EQ(refusal({"signal", "SIGHPU", "web"}), "unknown signal 'SIGHPU' (did you mean 'HUP'?)");
}

TEST(Arguments, what_needs_a_service_says_so)
{
    for (const char* verb : {"run", "start", "stop", "restart", "try-restart", "reload", "force-reload", "show"}) {
        EXPECT_EQ(refusal({verb}), std::string(verb) + " needs a service: a name or a file (try: steward " + verb + " --help)");
    }
    EXPECT_EQ(refusal({"signal"}), "signal needs a signal and a service (try: steward signal HUP NAME)");
    EXPECT_EQ(refusal({"signal", "HUP"}), "signal needs a service: a name or a file (try: steward signal --help)");
    EXPECT_EQ(refusal({}), "no verb is given (try: steward --help)");
    EXPECT_EQ(refusal({"--user"}), "no verb is given (try: steward --help)");
    for (const char* verb : {"status", "list", "check"}) EXPECT_EQ(refusal({verb}), "understood");
    EXPECT_EQ(refusal({"run", "--all"}), "understood");
}

TEST(Arguments, contradictions_are_refused)
{
    EXPECT_EQ(refusal({"run", "--all", "web"}), "--all leaves nothing to name");
    EXPECT_EQ(refusal({"run", "--all", "--name", "x", "--", "sleep"}), "--all leaves nothing to name");
    EXPECT_EQ(refusal({"run", "--name", "x"}), "--name needs a command: --name x -- COMMAND [ARG]...");
    EXPECT_EQ(refusal({"run", "--name", "x", "sleep", "5"}), "--name needs a command: --name x -- COMMAND [ARG]...");
    EXPECT_EQ(refusal({"run", "web", "--name", "x", "--", "sleep"}), "--name runs the command after --; 'web' stands before it");
    EXPECT_EQ(refusal({"run", "--", "sleep", "5"}), "the command after -- needs a name (try: --name NAME)");
    EXPECT_EQ(refusal({"help", "start", "stop"}), "help takes one verb");
}

TEST(Arguments, init_systems_are_named_with_commas_between)
{
    EXPECT_EQ(understood({"generate", "web", "--init", "s6,sysv,s6"}).init, (std::vector{InitSystem::s6, InitSystem::sysv}));
    EXPECT_EQ(refusal({"generate", "web", "--init", "sytemd"}), "unknown init system 'sytemd' (did you mean 'systemd'?)");
    EXPECT_EQ(refusal({"generate", "web", "--init", "systemd,"}), "unknown init system ''");
    EXPECT_EQ(refusal({"generate", "web"}), "generate needs an init system (try: --init systemd)");
    EXPECT_EQ(refusal({"check", "web", "--strict"}), "--strict needs an init system (try: --init systemd)");
    EXPECT_EQ(refusal({"generate", "web", "--init", "s6", "--destdir="}).substr(0, 18), "option '--destdir'");
}

TEST(Arguments, every_verb_may_be_told_to_act_here)
{
    for (const char* verb : {"start", "stop", "status", "run", "list"}) EXPECT_TRUE(understood({verb, "web", "--here"}).here);
}

}  // namespace

}  // namespace steward::cli
