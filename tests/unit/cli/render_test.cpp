#include "cli/render.hpp"

#include <cstdlib>
#include <ctime>

#include <gtest/gtest.h>

#include "cli/json.hpp"
#include "cli/text.hpp"
#include "fake_manager.hpp"
#include "golden.hpp"

namespace steward::cli {

namespace {

using namespace std::chrono_literals;

// The clock stands still: 2026-01-02 05:07:05 UTC.
const TimePoint now(1'767'330'425s);

class RenderTest : public testing::Test {
  protected:
    RenderTest()
    {
        setenv("TZ", "UTC0", 1);
        tzset();
    }
};

ServiceStatus busy_service()
{
    ServiceStatus status = running_service("web");
    status.description = "Example daemon";
    status.since = now - 2h - 3min;
    status.ready_since = now - 2h - 3min;
    status.restarts = 2;
    status.last_exit = ExitStatus{.code = 1, .at = now - 2h - 4min};
    status.memory = 12'897'485;
    status.cpu = 1'234'567us;
    status.tasks = 4;
    status.memory_limit = 64 << 20;
    status.memory_peak = 40 << 20;
    status.memory_kills = 2;
    status.tasks_limit = 20;
    status.command = {"/usr/sbin/mydaemon", "--port", "8080", "--motto", "it's alive"};
    status.service_file_changed = true;
    status.pid_file = "/run/steward/web.pid";
    status.log_file = "/var/log/steward/web.log";
    status.last_lines = {"2026-01-02T05:06:01Z listening on :8080", "2026-01-02T05:06:02Z \x1b[32mready\x1b[0m \x07"};
    return status;
}

ServiceStatus failed_service()
{
    ServiceStatus status = running_service("db");
    status.description = "Datenbank für 日本";
    status.state = ServiceState::failed;
    status.lsb_code = 3;
    status.reason = "it ended 5 times in a row within 60 s: given up";
    status.main_pid = status.supervisor_pid = status.keeper_pid = 0;
    status.supervisor_alive = false;
    status.since = now - 26h;
    status.restarts = 5;
    status.last_exit = ExitStatus{.signalled = true, .code = 11, .core_dumped = true, .at = now - 26h};
    status.log_file = "/var/log/steward/db.log";
    status.last_lines = {"assertion failed: " + std::string(200, 'x') + "end"};
    return status;
}

std::vector<ServiceStatus> all_states()
{
    std::vector<ServiceStatus> services;
    for (const ServiceState state :
         {ServiceState::stopped, ServiceState::starting, ServiceState::running, ServiceState::reloading, ServiceState::stopping,
          ServiceState::backing_off, ServiceState::failed, ServiceState::finished, ServiceState::dead, ServiceState::unknown}) {
        ServiceStatus status = running_service("svc-" + std::string(to_string(state)));
        status.state = state;
        status.since = now - 5min * (1 + static_cast<int>(services.size()));
        status.description = "Service that is " + std::string(to_string(state)) + " at the moment of this test";
        status.restarts = services.size();
        if (state != ServiceState::running) status.main_pid = 0;
        if (state == ServiceState::running) status.memory = 1'234'567;
        if (state == ServiceState::backing_off) status.next_start = now + 12s;
        if (state == ServiceState::dead) status.reason = "PID file /run/steward/x.pid names 4121, which is another process";
        services.push_back(std::move(status));
    }
    return services;
}

const Style pipe_style;
const Style terminal_style{.terminal = true, .colour = true, .unicode = true, .width = 80};
const Style plain_terminal{.terminal = true, .colour = false, .unicode = false, .width = 50};

TEST_F(RenderTest, a_running_service_in_full)
{
    expect_golden("status-running.txt", render_status(busy_service(), now, pipe_style, false));
    expect_golden("status-running-verbose.txt", render_status(busy_service(), now, pipe_style, true));
    expect_golden("status-running-terminal.txt", render_status(busy_service(), now, terminal_style, false));
    expect_golden("status-running-narrow.txt", render_status(busy_service(), now, plain_terminal, false));
}

TEST_F(RenderTest, a_failed_service_in_full)
{
    expect_golden("status-failed.txt", render_status(failed_service(), now, pipe_style, false));
    expect_golden("status-failed-terminal.txt", render_status(failed_service(), now, terminal_style, false));
    expect_golden("status-failed-narrow.txt", render_status(failed_service(), now, plain_terminal, false));
}

TEST_F(RenderTest, every_state_in_full)
{
    std::string text;
    for (const ServiceStatus& status : all_states()) text += render_status(status, now, terminal_style, false) + "\n";
    expect_golden("status-all-states.txt", text);
}

TEST_F(RenderTest, who_watches_a_service_is_told)
{
    ServiceStatus alone = running_service("web");
    alone.supervisor_alive = false;
    ServiceStatus unsupervised = alone;
    unsupervised.supervised = false;
    ServiceStatus in_foreground = running_service("web");
    in_foreground.keeper_pid = 0;
    ServiceStatus ad_hoc = running_service("web");
    ad_hoc.service_file.clear();
    ServiceStatus orphan = running_service("web");
    orphan.service_file_gone = true;
    std::string text;
    for (const ServiceStatus& status : {alone, unsupervised, in_foreground, ad_hoc, orphan}) {
        text += render_status(status, now, pipe_style, false) + "\n";
    }
    expect_golden("status-watchers.txt", text);
    ServiceStatus broken;
    broken.reason = "its service file is invalid";
    EXPECT_TRUE(is_in_trouble(broken));
    EXPECT_FALSE(is_in_trouble(ServiceStatus{}));
    EXPECT_TRUE(is_in_trouble(alone));
    EXPECT_FALSE(is_in_trouble(unsupervised));
}

TEST_F(RenderTest, the_init_system_that_has_a_service_is_told)
{
    ServiceStatus native = running_service("web");
    native.supervisor_alive = false;
    native.supervised = false;
    native.init_system = "systemd";
    native.boot = "enabled";
    const auto shown = [&] { return render_status(native, now, pipe_style, false); };
    EXPECT_NE(shown().find("    init      systemd, enabled\n"), std::string::npos);
    EXPECT_EQ(shown().find("    steward "), std::string::npos);
    EXPECT_FALSE(is_in_trouble(native));
    native.boot.clear();
    EXPECT_NE(shown().find("    init      systemd\n"), std::string::npos);
}

TEST_F(RenderTest, no_line_of_a_status_is_wider_than_its_terminal)
{
    for (const unsigned width : {40U, 60U, 80U, 132U}) {
        const Style style{.terminal = true, .colour = false, .unicode = true, .width = width};
        for (const bool verbose : {false, true}) {
            for (const ServiceStatus& status : {busy_service(), failed_service()}) {
                const std::string text = render_status(status, now, style, verbose);
                for (std::size_t begin = 0; begin < text.size();) {
                    const std::size_t end = text.find('\n', begin);
                    EXPECT_LE(columns(text.substr(begin, end - begin)), width) << text.substr(begin, end - begin);
                    begin = end + 1;
                }
            }
        }
    }
}

TEST_F(RenderTest, a_table_of_all_states)
{
    expect_golden("list.txt", render_list(all_states(), now, pipe_style, false));
    expect_golden("list-terminal.txt", render_list(all_states(), now, Style{true, true, true, 100}, false));
}

TEST_F(RenderTest, a_table_gives_up_columns_to_fit)
{
    std::string text;
    for (const unsigned width : {90U, 75U, 60U, 45U, 20U}) {
        text += std::to_string(width) + ":\n" + render_list(all_states(), now, Style{true, false, true, width}, false) + "\n";
    }
    expect_golden("list-narrow.txt", text);
    EXPECT_EQ(render_list(all_states(), now, Style{true, false, true, 60}, true), render_list(all_states(), now, pipe_style, false));
}

TEST_F(RenderTest, a_table_keeps_its_columns_beside_wide_characters)
{
    ServiceStatus wide = running_service("web");
    wide.description = "日本語の説明がここにあります";
    const std::string text = render_list(std::vector{wide}, now, Style{true, false, true, 70}, false);
    for (const char* title : {"DESCRIPTION", "…"}) EXPECT_NE(text.find(title), std::string::npos) << text;
}

TEST_F(RenderTest, a_fault_far_to_the_right_stays_in_view)
{
    Error error{.code = ErrorCode::invalid_service_file, .operation = "check", .object = "web", .cause = "fault", .next_step = {}};
    error.diagnostics = {
        {"web.toml", 7, 151, "bad value", "command = [\"" + std::string(138, 'a') + "\x01" + std::string(60, 'b') + "\"]", ""}};
    expect_golden("diagnostic-narrow.txt", render_details(error, Style{true, false, true, 60}));
}

TEST_F(RenderTest, json_documents_follow_their_schema)
{
    ServiceStatus hostile = failed_service();
    hostile.last_lines = {"\xff\xfe \x1b[31m \"quoted\" é"};
    Error error{
        .code = ErrorCode::unknown_service, .operation = "find", .object = "nope", .cause = "there is no such service", .next_step = {}};
    Answers<ServiceStatus> answers;
    answers.push_back({"web", busy_service()});
    answers.push_back({"db", hostile});
    answers.push_back({"idle", ServiceStatus{.name = "idle", .state = ServiceState::stopped}});
    answers.push_back({"nope", fail(error)});
    expect_golden("status.json", status_json(answers, pipe_style));
    expect_golden("list.json", list_json(answers, pipe_style));
    EXPECT_NE(status_json(answers, terminal_style).find("\\u00e9"), std::string::npos);

    Error invalid{.code = ErrorCode::invalid_service_file,
                  .operation = "check",
                  .object = "web",
                  .cause = "it has 1 fault",
                  .next_step = "man steward.toml"};
    invalid.os_errno = 2;
    invalid.detail = {"line"};
    invalid.diagnostics = {{"/etc/steward/web.toml", 4, 1, "unknown key 'comand' in [service]", "comand = 1", "command"}};
    Answers<Generated> checks;
    checks.push_back({"good", Generated{.name = "good", .files = {}, .notes = {}}});
    checks.push_back({"web", fail(invalid)});
    expect_golden("check.json", check_json(checks, pipe_style));

    Answers<Deed> deeds;
    deeds.push_back({"web", Deed{"started", "started, PID 4121", 4121}});
    deeds.push_back({"db", fail(error)});
    expect_golden("result.json", deeds_json(deeds, pipe_style));
}

}  // namespace

}  // namespace steward::cli
