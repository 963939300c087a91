#include <chrono>

#include "command_line_test.hpp"
#include "golden.hpp"

namespace steward::cli {

namespace {

using namespace std::chrono_literals;
using Stream = LogLine::Stream;

const std::chrono::system_clock::time_point noon = std::chrono::sys_days(std::chrono::year(2026) / 11 / 21) + 12h;

// Lines of two services, with all that can be odd about them.
std::vector<LogLine> sample_log()
{
    return {{.service = "web", .stream = Stream::events, .time = noon, .text = "started, PID 4121"},
            {.service = "web", .time = noon + 1500us, .text = "GET /"},
            {.service = "api", .stream = Stream::error, .time = noon + 2ms, .text = "oops \xff"},
            {.service = "api", .time = std::nullopt, .text = "has no stamp"},
            {.service = "web", .time = noon + 1s, .text = "a long", .ends = false},
            {.service = "web", .time = noon + 1s, .text = " line", .begins = false}};
}

TEST_F(CommandLineTest, logs_prints_lines_with_their_times_and_marks_what_steward_says)
{
    host().log = sample_log();
    std::erase_if(host().log, [](const LogLine& line) { return line.service == "api"; });
    const Told told = run({"logs", "web"});
    EXPECT_EQ(told.code, 0);
    EXPECT_EQ(told.err, "");
    EXPECT_EQ(told.out,
              "2026-11-21T12:00:00.000000Z steward: started, PID 4121\n"
              "2026-11-21T12:00:00.001500Z GET /\n"
              "2026-11-21T12:00:01.000000Z a long line\n");
}

TEST_F(CommandLineTest, logs_of_several_services_name_them)
{
    host().log = sample_log();
    host().services["web-of-things"] = running_service("web-of-things");
    EXPECT_EQ(run({"logs", "web", "api"}).out,
              "web | 2026-11-21T12:00:00.000000Z steward: started, PID 4121\n"
              "web | 2026-11-21T12:00:00.001500Z GET /\n"
              "api | 2026-11-21T12:00:00.002000Z oops \xff\n"
              "api | has no stamp\n"
              "web | 2026-11-21T12:00:01.000000Z a long line\n");
    const std::string coloured = run({"logs", "web", "web-of-things", "--color", "always"}).out;
    EXPECT_TRUE(coloured.starts_with("\x1b[36mweb           |\x1b[0m 2026-11-21T12:00:00.000000Z \x1b[1msteward:\x1b[0m started"))
        << coloured;
}

TEST_F(CommandLineTest, logs_never_puts_two_services_into_one_line)
{
    host().log = {{.service = "web", .time = noon, .text = "a long", .ends = false}, {.service = "api", .time = noon, .text = "one"}};
    EXPECT_EQ(run({"logs", "web", "api"}).out,
              "web | 2026-11-21T12:00:00.000000Z a long\n"
              "api | 2026-11-21T12:00:00.000000Z one\n");
}

TEST_F(CommandLineTest, logs_without_operands_are_of_all_services)
{
    host().services["api"] = running_service("api");
    host().services["web"] = running_service("web");
    EXPECT_EQ(run({"logs"}).code, 0);
    EXPECT_EQ(host().calls, (std::vector<std::string>{"logs api", "logs web"}));
}

TEST_F(CommandLineTest, logs_hands_on_its_options)
{
    EXPECT_EQ(run({"logs", "web", "-f", "-n", "3", "-g", "GET|PUT", "--since", "2026-11-21 12:00 UTC"}).code, 0);
    EXPECT_TRUE(host().log_options.follow);
    EXPECT_EQ(host().log_options.lines, 3U);
    EXPECT_EQ(host().log_options.pattern, "GET|PUT");
    EXPECT_EQ(host().log_options.since, noon);
    EXPECT_FALSE(host().log_options.until);
    EXPECT_EQ(run({"logs", "web", "-U", "@1795262400"}).code, 0);
    EXPECT_EQ(host().log_options.until, noon);
    EXPECT_FALSE(host().log_options.lines);
}

TEST_F(CommandLineTest, logs_refuses_what_is_no_time_and_no_pattern)
{
    EXPECT_EQ(run({"logs", "web", "--since", "soon"}).err,
              "steward: option '--since' takes a time, like '2026-11-21 12:00', '10 min ago' or 'yesterday', not 'soon'\n");
    EXPECT_EQ(run({"logs", "web", "--since", ""}).code, 2);
    EXPECT_EQ(run({"logs", "web", "-f", "--until", "now"}).err, "steward: --follow and --until exclude each other\n");
    const Told told = run({"logs", "web", "--grep", "("});
    EXPECT_EQ(told.code, 2);
    EXPECT_EQ(told.err, "steward: cannot use the pattern '(': missing ): (\n");
}

TEST_F(CommandLineTest, logs_are_rotated_and_reopened_service_by_service)
{
    EXPECT_EQ(run({"logs", "--rotate", "web", "api"}).out, "web: log rotated\napi: log rotated\n");
    EXPECT_EQ(run({"logs", "--reopen", "web"}).out, "web: log reopened\n");
    EXPECT_EQ(host().calls, (std::vector<std::string>{"rotate web", "rotate api", "reopen web"}));
    EXPECT_NE(run({"logs", "--rotate", "--json", "web"}).out.find(R"("result": "rotated")"), std::string::npos);
    EXPECT_EQ(run({"logs", "--rotate"}).code, 2);
    EXPECT_EQ(run({"logs", "--rotate", "--reopen", "web"}).err, "steward: --rotate and --reopen exclude each other\n");
    EXPECT_EQ(run({"logs", "--reopen", "-n", "3", "web"}).err, "steward: --reopen and --lines exclude each other\n");
}

TEST_F(CommandLineTest, logs_shows_what_it_can_and_exits_with_the_first_failure)
{
    host().log = {{.service = "api", .time = noon, .text = "one"}};
    host().errors["web"] = error(ErrorCode::not_permitted, "read the log of", "not permitted");
    const Told told = run({"logs", "--user", "nope*", "web", "api"});
    EXPECT_EQ(told.code, 5);
    EXPECT_EQ(told.out, "api | 2026-11-21T12:00:00.000000Z one\n");
    EXPECT_EQ(told.err, "steward: cannot find nope*: there is no such service\nsteward: cannot read the log of web: not permitted\n");
    EXPECT_EQ(run({"logs", "-q", "web", "api"}).out, "");
    EXPECT_EQ(run({"logs", "-q", "web", "api"}).code, 4);
}

TEST_F(CommandLineTest, logs_as_json_are_one_object_a_line)
{
    host().log = sample_log();
    host().errors["db"] = error(ErrorCode::unsupported, "show the log of", "its output is discarded");
    const Told told = run({"logs", "--json", "web", "api", "db"});
    EXPECT_EQ(told.code, 3);
    EXPECT_EQ(told.err, "");
    expect_golden("log.json", told.out);
}

TEST_F(CommandLineTest, logs_stop_when_the_output_is_closed)
{
    std::FILE* full = std::fopen("/dev/full", "w");
    std::FILE* nowhere = std::fopen("/dev/null", "w");
    host().log = sample_log();
    EXPECT_EQ(run_command_line({"logs", "web"}, full, nowhere), 1);
    std::fclose(nowhere);
    std::fclose(full);
}

}  // namespace

}  // namespace steward::cli
