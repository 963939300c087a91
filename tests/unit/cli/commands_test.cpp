#include "cli/commands.hpp"

#include "cli/exit_codes.hpp"
#include "command_line_test.hpp"
#include "golden.hpp"

namespace steward::cli {

namespace {

using Calls = std::vector<std::string>;

TEST_F(CommandLineTest, start_tells_the_pid)
{
    host().start_outcome = {.main_pid = 4121};
    const Told told = run({"start", "web"});
    EXPECT_EQ(told.code, 0);
    EXPECT_EQ(told.out, "web: started, PID 4121\n");
    EXPECT_EQ(told.err, "");
    EXPECT_TRUE(host().start_options.wait);
    EXPECT_FALSE(host().start_options.timeout);
}

TEST_F(CommandLineTest, start_of_what_runs_is_done)
{
    host().start_outcome = {.already_running = true, .main_pid = 4121};
    EXPECT_EQ(run({"start", "web"}).out, "web: already running, PID 4121\n");
    host().start_outcome = {.adopted = true, .main_pid = 4121};
    EXPECT_EQ(run({"start", "web"}).out, "web: was running, supervised again, PID 4121\n");
}

TEST_F(CommandLineTest, start_hands_on_its_options)
{
    EXPECT_EQ(run({"start", "web", "--no-wait", "--timeout", "2min", "--system"}).out, "web: starting\n");
    EXPECT_FALSE(host().start_options.wait);
    EXPECT_EQ(host().start_options.timeout, std::chrono::minutes(2));
    EXPECT_EQ(host().scope, Scope::system);
}

TEST_F(CommandLineTest, start_of_a_command_needs_no_file)
{
    EXPECT_EQ(run({"start", "--name", "nap", "--", "sleep", "60"}).out, "nap: started\n");
    EXPECT_EQ(host().ad_hoc_command, (Argv{"sleep", "60"}));
    EXPECT_EQ(host().calls, Calls{"start nap"});
}

TEST_F(CommandLineTest, stop_tells_what_it_took)
{
    host().stop_outcome = {.was_running = true};
    EXPECT_EQ(run({"stop", "web"}).out, "web: stopped\n");
    host().stop_outcome = {.was_running = true, .killed = true};
    EXPECT_EQ(run({"stop", "web"}).out, "web: stopped, by SIGKILL: it did not end in time\n");
    host().stop_outcome = {};
    const Told told = run({"stop", "web"});
    EXPECT_EQ(told.out, "web: was not running\n");
    EXPECT_EQ(told.code, 0);
}

TEST_F(CommandLineTest, the_other_verbs_tell_what_they_did)
{
    host().start_outcome = {.main_pid = 5};
    EXPECT_EQ(run({"restart", "web"}).out, "web: restarted, PID 5\n");
    EXPECT_EQ(run({"condrestart", "web"}).out, "web: was not running\n");
    host().stop_outcome.was_running = true;
    EXPECT_EQ(run({"try-restart", "web"}).out, "web: restarted, PID 5\n");
    EXPECT_EQ(run({"reload", "web"}).out, "web: reloaded\n");
    EXPECT_EQ(run({"force-reload", "web"}).out, "web: reloaded\n");
    EXPECT_EQ(run({"signal", "SIGUSR1", "web"}).out, "web: sent USR1\n");
    EXPECT_EQ(run({"check", "web"}).out, "web: ok\n");
    EXPECT_EQ(host().calls,
              (Calls{"restart web", "try-restart web", "try-restart web", "reload web", "force-reload web", "signal 10 web", "check web"}));
}

TEST_F(CommandLineTest, reexec_of_all_leaves_what_runs_in_the_foreground)
{
    EXPECT_EQ(run({"reexec", "web"}).out, "web: supervised by the installed program now\n");
    host().supervised = false;
    EXPECT_EQ(run({"reexec", "web"}).out, "web: nothing to replace\n");
    host().errors["web"] = error(ErrorCode::unsupported, "reexec");
    EXPECT_EQ(run({"reexec", "web"}).code, 3);
    host().services["web"] = {};
    const Told all = run({"reexec", "--all"});
    EXPECT_EQ(all.code, 0);
    EXPECT_EQ(all.out, "web: left as it is: it runs in the foreground\n");
}

TEST_F(CommandLineTest, what_a_keeper_executes_is_no_verb)
{
    EXPECT_EQ(run({"--carry-on", "check"}).code, 42);
    EXPECT_EQ(host().calls, (Calls{"--carry-on", "check"}));
}

TEST_F(CommandLineTest, every_operand_is_tried_and_the_first_failure_is_the_exit_code)
{
    host().errors["b"] = error(ErrorCode::not_running, "reload");
    host().errors["c"] = error(ErrorCode::unsupported, "reload");
    const Told told = run({"reload", "a", "b", "c", "d"});
    EXPECT_EQ(told.code, 7);
    EXPECT_EQ(told.out, "a: reloaded\nd: reloaded\n");
    EXPECT_EQ(told.err, "steward: cannot reload web: the moon is full\nsteward: cannot reload web: the moon is full\n");
}

TEST_F(CommandLineTest, a_service_named_twice_is_handled_once)
{
    host().services["web"] = running_service("web");
    EXPECT_EQ(run({"stop", "web", "w*", "web"}).out, "web: was not running\n");
    EXPECT_EQ(host().calls, Calls{"stop web"});
}

TEST_F(CommandLineTest, quiet_leaves_only_errors)
{
    host().errors["b"] = error(ErrorCode::failed);
    const Told told = run({"-q", "--json", "stop", "a", "b"});
    EXPECT_EQ(told.out, "");
    EXPECT_EQ(told.err, "steward: cannot stop web: the moon is full\n");
    EXPECT_EQ(told.code, 1);
}

TEST_F(CommandLineTest, a_failed_start_shows_the_last_lines_made_harmless)
{
    Error failure = error(ErrorCode::exited_early, "start", "it ended with exit code 1 after 12 ms");
    failure.detail = {"bind: address in use", "\x1b]0;owned\x07"};
    host().errors["web"] = failure;
    const Told told = run({"start", "web"});
    EXPECT_EQ(told.code, 1);
    EXPECT_EQ(told.err,
              "steward: cannot start web: it ended with exit code 1 after 12 ms\n"
              "    | bind: address in use\n"
              "    | \\x1b]0;owned\\x07\n");
}

TEST_F(CommandLineTest, an_invalid_service_file_is_told_fault_by_fault)
{
    Error failure = error(ErrorCode::invalid_service_file, "start", "its service file has 3 faults");
    failure.diagnostics = {
        {"/etc/steward/web.toml", 4, 1, "unknown key 'comand' in [service]", "comand = [\"/bin/x\"]", "command"},
        {"/etc/steward/web.toml", 12, 9, "no such unit 'ö'", "\tkey = \"ö\"", ""},
        {"/etc/steward/web.toml", 0, 0, "[service] has no command", "", ""},
    };
    host().errors["web"] = failure;
    const Told told = run({"start", "web"});
    EXPECT_EQ(told.code, 6);
    expect_golden("invalid-service-file.txt", told.err);
}

TEST_F(CommandLineTest, what_is_denied_names_sudo_to_all_but_root)
{
    host().errors["web"] = error(ErrorCode::not_permitted, "stop", "not permitted");
    const std::string told = run({"stop", "web"}).err;
    EXPECT_TRUE(told == "steward: cannot stop web: not permitted (try: sudo steward stop web)\n" ||
                told == "steward: cannot stop web: not permitted\n")
        << told;
    EXPECT_EQ(run({"stop", "--user", "web"}).err, "steward: cannot stop web: not permitted\n");
}

TEST_F(CommandLineTest, an_unknown_service_names_the_nearest_known_one)
{
    host().services["web"] = running_service("web");
    const Told told = run({"status", "wbe"});
    EXPECT_EQ(told.code, 4);
    EXPECT_EQ(told.err, "steward: cannot find wbe: there is no such service (did you mean 'web'?)\n");
    host().errors["webb"] = error(ErrorCode::unknown_service, "signal", "no such service");
    host().errors["webb"].next_step = "steward list";
    EXPECT_EQ(run({"signal", "HUP", "webb"}).err, "steward: cannot signal web: no such service (did you mean 'web'?)\n");
    EXPECT_EQ(run({"status", "zzz"}).err, "steward: cannot find zzz: there is no such service\n");
    EXPECT_EQ(run({"status", "wbe*"}).err, "steward: cannot find wbe*: there is no such service\n");
}

TEST_F(CommandLineTest, errors_have_lsb_exit_codes)
{
    const std::pair<ErrorCode, int> codes[] = {
        {ErrorCode::failed, 1},
        {ErrorCode::already_running, 1},
        {ErrorCode::untrusted_pid_file, 1},
        {ErrorCode::timed_out, 1},
        {ErrorCode::survivors, 1},
        {ErrorCode::exited_early, 1},
        {ErrorCode::cancelled, 1},
        {ErrorCode::undeterminable, 1},
        {ErrorCode::invalid_argument, 2},
        {ErrorCode::unsupported, 3},
        {ErrorCode::not_permitted, 4},
        {ErrorCode::unknown_service, 5},
        {ErrorCode::program_missing, 5},
        {ErrorCode::invalid_service_file, 6},
        {ErrorCode::not_running, 7},
    };
    for (const auto& [code, expected] : codes) {
        host().errors["web"] = error(code);
        for (const char* verb : {"start", "stop", "restart", "try-restart", "reload", "force-reload", "show", "check", "run", "list"}) {
            EXPECT_EQ(run({verb, "web"}).code, expected) << verb << ": " << to_string(code);
            EXPECT_EQ(run({verb, "--json", "web"}).code, expected) << verb << " --json: " << to_string(code);
        }
        EXPECT_EQ(run({"signal", "HUP", "web"}).code, expected);
        EXPECT_EQ(run({"status", "web"}).code, 4) << to_string(code);
    }
}

TEST_F(CommandLineTest, usage_errors_exit_2_and_go_to_stderr)
{
    const Told told = run({"stauts"});
    EXPECT_EQ(told.code, 2);
    EXPECT_EQ(told.out, "");
    EXPECT_EQ(told.err, "steward: unknown verb 'stauts' (did you mean 'status'?)\n");
    EXPECT_EQ(run({"stop", "no name"}).code, 2);
}

TEST_F(CommandLineTest, status_exits_with_the_lsb_code_of_the_first_that_is_not_well)
{
    for (const int code : {0, 1, 2, 3, 4}) {
        host().services["web"] = running_service("web");
        host().services["web"].lsb_code = code;
        EXPECT_EQ(run({"status", "web"}).code, code);
        EXPECT_EQ(run({"status", "-q", "web"}).code, code);
        EXPECT_EQ(run({"status", "--json", "web"}).code, code);
    }
    host().services["a"] = running_service("a");
    host().services["b"] = running_service("b");
    host().services["b"].lsb_code = 3;
    EXPECT_EQ(run({"status", "a", "b", "nope"}).code, 3);
    EXPECT_EQ(run({"status", "a", "nope", "b"}).code, 4);
}

TEST_F(CommandLineTest, status_asks_for_no_more_than_it_shows)
{
    host().services["web"] = running_service("web");
    EXPECT_EQ(run({"status", "web"}).code, 0);
    EXPECT_EQ(host().status_options.last_lines, 10U);
    EXPECT_EQ(run({"status", "-n", "3", "web"}).code, 0);
    EXPECT_EQ(host().status_options.last_lines, 3U);
    EXPECT_EQ(run({"status", "-q", "web"}).out, "");
    EXPECT_EQ(host().status_options.last_lines, 0U);
    EXPECT_FALSE(host().status_options.usage);
}

TEST_F(CommandLineTest, bare_status_shows_all_and_the_troubled_in_full)
{
    host().services["db"] = running_service("db");
    host().services["web"] = running_service("web");
    host().services["web"].state = ServiceState::failed;
    host().services["web"].lsb_code = 3;
    host().services["web"].main_pid = 0;
    host().services["web"].reason = "it ended five times in a row";
    host().services["web"].last_lines = {"bind: address in use"};
    const Told told = run({"status"});
    EXPECT_EQ(told.code, 0);
    EXPECT_EQ(told.out,
              "NAME  STATE     PID  SINCE  RESTARTS  MEMORY  DESCRIPTION\n"
              "db    running  4121  -             0       -\n"
              "web   failed      -  -             0       -\n"
              "\n"
              "× web: failed\n"
              "    reason    it ended five times in a row\n"
              "    command   /usr/sbin/web\n"
              "    file      /etc/steward/web.toml\n"
              "      | bind: address in use\n");
}

TEST_F(CommandLineTest, without_services_there_is_a_way_to_begin)
{
    const Told told = run({"status"});
    EXPECT_EQ(told.code, 0);
    EXPECT_EQ(told.out, "");
    EXPECT_TRUE(told.err.starts_with("steward: there are no services yet (try: "));
}

TEST_F(CommandLineTest, bare_status_that_cannot_look_is_unknown)
{
    host().errors[""] = error(ErrorCode::not_permitted, "read", "not permitted");
    EXPECT_EQ(run({"status"}).code, 4);
    EXPECT_EQ(run({"list"}).code, 4);
    EXPECT_EQ(run({"check"}).code, 4);
}

TEST_F(CommandLineTest, run_exits_as_its_only_service_did)
{
    EXPECT_EQ(run({"run", "web"}).code, 0);
    host().run_outcome.exit = ExitStatus{.code = 42, .at = {}};
    EXPECT_EQ(run({"run", "web"}).code, 42);
    host().run_outcome.exit = ExitStatus{.signalled = true, .code = 9, .at = {}};
    EXPECT_EQ(run({"run", "web"}).code, 137);
    host().run_outcome.exit = ExitStatus{.known = false, .at = {}};
    EXPECT_EQ(run({"run", "web"}).code, 0);
}

TEST_F(CommandLineTest, run_leaves_standard_output_to_its_service)
{
    host().errors["web"] = error(ErrorCode::program_missing, "run");
    const Told told = run({"run", "--json", "web"});
    EXPECT_EQ(told.code, 5);
    EXPECT_EQ(told.out, "");
    EXPECT_EQ(told.err, "steward: cannot run web: the moon is full\n");
}

TEST_F(CommandLineTest, errors_are_part_of_a_json_document)
{
    host().services["web"] = running_service("web");
    const Told told = run({"status", "--json", "web", "nope"});
    EXPECT_EQ(told.code, 4);
    EXPECT_EQ(told.err, "");
    EXPECT_NE(told.out.find("\"schema\": \"steward.status/1\""), std::string::npos);
    EXPECT_NE(told.out.find("\"code\": \"unknown_service\""), std::string::npos);
    host().errors[""] = error(ErrorCode::not_permitted, "read", "not permitted");
    EXPECT_NE(run({"list", "--json"}).out.find("\"name\": null"), std::string::npos);
}

TEST_F(CommandLineTest, run_takes_all_or_several_and_runs_none_when_one_cannot_be)
{
    host().services["a"] = running_service("a");
    host().services["b"] = running_service("b");
    EXPECT_EQ(run({"run", "--all"}).code, 0);
    EXPECT_EQ(host().calls, (Calls{"run a", "run b"}));
    host().calls.clear();
    EXPECT_EQ(run({"run", "a", "nope*"}).code, 5);
    EXPECT_EQ(host().calls, Calls{});
}

TEST_F(CommandLineTest, show_prints_a_service_file_with_origins)
{
    host().keys = {{"service.command", "[\"/usr/sbin/web\"]", "/etc/steward/web.toml", 2},
                   {"service.user", "", "", 0},
                   {"service.environment.LANG", "\"C\"", "/etc/steward/web.toml.d/10-lang.toml", 3},
                   {"restart.delay", "\"100ms\"", "", 0},
                   {"systemd.Service.DynamicUser", "\"true\"", "/etc/steward/web.toml", 7}};
    expect_golden("show.toml", run({"show", "web", "db"}).out);
    expect_golden("show.json", run({"show", "--json", "web"}).out);
}

TEST_F(CommandLineTest, version_and_help_go_to_stdout)
{
    EXPECT_TRUE(run({"--version"}).out.starts_with("steward "));
    expect_golden("help.txt", run({"--help"}).out);
    EXPECT_EQ(run({"help"}).out, run({"-h"}).out);
    expect_golden("help-start.txt", run({"help", "start"}).out);
    EXPECT_EQ(run({"start", "--help"}).out, run({"help", "start"}).out);
    EXPECT_EQ(run({"--help", "start", "web"}).out, run({"help", "start"}).out);
    expect_golden("help-status.txt", run({"help", "status"}).out);
    expect_golden("help-logs.txt", run({"help", "logs"}).out);
}

TEST_F(CommandLineTest, what_is_started_along_is_told_with_its_reason_and_fails_the_verb_only_if_it_is_needed)
{
    const Error failure = error(ErrorCode::exited_early, "start", "it ended at once");
    host().along = {{"db", Role::required, "web", StartOutcome{.main_pid = 5}}, {"cache", Role::wanted, "web", fail(failure)}};
    const Told told = run({"start", "web"});
    EXPECT_EQ(told.code, 0);
    EXPECT_EQ(told.out, "db: started, PID 5 (required by web)\nweb: started\n");
    EXPECT_EQ(told.err, "steward: cannot start web: it ended at once\n");

    host().along = {{"api", Role::dependent, "web", fail(failure)}};
    EXPECT_EQ(run({"restart", "web"}).code, 1);
}

TEST_F(CommandLineTest, the_first_failure_in_the_order_of_the_operands_is_the_exit_code)
{
    host().errors["a"] = error(ErrorCode::program_missing, "start", "gone");
    host().errors["b"] = error(ErrorCode::not_permitted, "start", "not permitted");
    host().reversed = true;
    EXPECT_EQ(run({"start", "web", "a", "b"}).code, 5);
    EXPECT_EQ(run({"start", "web", "b", "a"}).code, 4);
}

TEST_F(CommandLineTest, a_tree_shows_what_hangs_together_and_what_is_missing)
{
    for (const char* name : {"web", "db"}) host().services[name] = running_service(name);
    host().dependencies["web"] = {.required = {"db", "gone"}, .wanted = {}, .after = {}, .before = {}};
    EXPECT_EQ(run({"list", "--tree"}).out,
              "NAME     STATE     PID  SINCE  RESTARTS  MEMORY  DESCRIPTION\n"
              "web      running  4121  -             0       -\n"
              "├─ db    running  4121  -             0       -\n"
              "└─ gone  missing     -  -             -       -\n");
    const std::string json = run({"list", "--tree", "--json", "db"}).out;
    EXPECT_NE(json.find("\"requires\": []"), std::string::npos) << json;
}

TEST_F(CommandLineTest, help_fits_a_terminal_of_80_columns)
{
    for (const char* verb : {"run", "start", "stop", "restart", "try-restart", "reload", "force-reload", "status", "logs", "signal", "list",
                             "show", "check", "help"}) {
        const std::string text = run({"help", verb}).out + run({"help"}).out;
        for (std::size_t begin = 0; begin < text.size();) {
            const std::size_t end = text.find('\n', begin);
            EXPECT_LE(end - begin, 80U) << text.substr(begin, end - begin);
            begin = end + 1;
        }
    }
}

TEST_F(CommandLineTest, a_full_disk_does_not_look_like_success)
{
    std::FILE* full = std::fopen("/dev/full", "w");
    ASSERT_NE(full, nullptr);
    std::FILE* nowhere = std::fopen("/dev/null", "w");
    host().services["web"] = running_service("web");
    EXPECT_EQ(run_command_line({"start", "web"}, full, nowhere), 1);
    EXPECT_EQ(run_command_line({"status", "web"}, full, nowhere), 4);
    std::fclose(nowhere);
    std::fclose(full);
}

Generated sample_generated()
{
    return {.name = "web",
            .files = {{.system = InitSystem::systemd, .path = "/usr/lib/systemd/system/web.service", .mode = 0644, .text = "[Unit]\n"},
                      {.system = InitSystem::sysv, .path = "/etc/init.d/web", .mode = 0755, .text = "#!/bin/sh\n"}},
            .notes = {{.system = InitSystem::systemd, .key = "restart.limit", .how = Expression::carried, .reason = "has no equal there"},
                      {.system = InitSystem::sysv, .key = "log.keep", .how = Expression::carried, .reason = "has no equal there"},
                      {.system = InitSystem::sysv, .key = "log.file", .how = Expression::lost, .reason = "is odd"}}};
}

TEST_F(CommandLineTest, generate_prints_files_and_tells_on_standard_error_which_key_forces_what)
{
    host().generated = sample_generated();
    const Told told = run({"generate", "web", "--init", "systemd,sysv", "--strict", "--without-steward"});
    EXPECT_EQ(told.code, 0);
    EXPECT_EQ(told.out, "==> /usr/lib/systemd/system/web.service <==\n[Unit]\n\n==> /etc/init.d/web <==\n#!/bin/sh\n\n");
    EXPECT_EQ(told.err,
              "web: systemd: restart.limit has no equal there: the service runs under steward\nweb: sysv: log.file is odd: lost\n");
    EXPECT_EQ(host().generate_options.systems, (std::vector{InitSystem::systemd, InitSystem::sysv}));
    EXPECT_TRUE(host().generate_options.strict);
    EXPECT_FALSE(host().generate_options.with_steward);
}

TEST_F(CommandLineTest, generate_of_one_file_prints_it_as_it_is)
{
    host().generated = sample_generated();
    host().generated.files.pop_back();
    EXPECT_EQ(run({"generate", "web", "--init=systemd", "-q"}).out, "");
    EXPECT_EQ(run({"generate", "web", "--init=systemd"}).out, "[Unit]\n");
    EXPECT_EQ(run({"generate", "web", "--init=systemd", "--destdir", "/x"}).out, "web: wrote /x/usr/lib/systemd/system/web.service\n");
    EXPECT_EQ(host().generate_options.destination, "/x");
}

TEST_F(CommandLineTest, generate_as_a_document_has_files_and_notes)
{
    host().generated = sample_generated();
    const Told told = run({"generate", "web", "--init=systemd", "--json"});
    EXPECT_EQ(told.err, "");
    expect_golden("generate.json", told.out);
}

TEST_F(CommandLineTest, generate_makes_one_set_of_scripts_for_all_services_of_a_package)
{
    EXPECT_EQ(run({"generate", "--scripts", "deb", "web", "db"}).out, "==> postinst <==\n# web+db \n\n");
    EXPECT_EQ(run({"generate", "--scripts", "rpm", "--destdir", "/x", "web"}).out, "wrote /x/post\n");
    EXPECT_EQ(run({"generate", "--scripts", "deb", "-q", "web"}).out, "");
    expect_golden("scripts.json", run({"generate", "--scripts", "deb", "--json", "web", "db"}).out);
}

TEST_F(CommandLineTest, generate_writes_no_script_when_a_service_has_an_error)
{
    host().errors["db"] =
        Error{.code = ErrorCode::unknown_service, .operation = "generate for", .object = "db", .cause = "no such service"};
    const Told told = run({"generate", "--scripts", "deb", "web", "db"});
    EXPECT_EQ(told.code, 5);
    EXPECT_EQ(told.out, "");
    EXPECT_NE(told.err.find("db"), std::string::npos);
    EXPECT_EQ(run({"generate", "--scripts", "zip", "web"}).code, 2);
    EXPECT_EQ(run({"generate", "--scripts", "deb", "--init", "systemd", "web"}).code, 2);
}

TEST_F(CommandLineTest, check_tells_what_becomes_of_keys_only_when_asked)
{
    host().generated = sample_generated();
    EXPECT_EQ(run({"check", "web"}).out, "web: ok\n");
    EXPECT_EQ(run({"check", "web", "--init", "systemd"}).out,
              "web: ok\nweb: systemd: restart.limit has no equal there: the service runs under steward\n"
              "web: sysv: log.keep has no equal there: the service runs under steward\nweb: sysv: log.file is odd: lost\n");
    EXPECT_EQ(host().calls.back(), "generate web");
}

TEST_F(CommandLineTest, a_name_that_no_unit_can_have_is_a_fault_of_the_configuration)
{
    EXPECT_EQ(run({"generate", "a b", "--init", "systemd"}).code, 6);
}

}  // namespace

}  // namespace steward::cli
