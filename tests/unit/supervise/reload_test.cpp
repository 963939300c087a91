#include "supervise/reload.hpp"

#include "supervising.hpp"

namespace steward::supervise {
namespace {

using test::play;
using test::Program;

ServiceSpec reloaded_by(int signal)
{
    ServiceSpec spec;
    spec.name = "web";
    spec.reload.signal = signal;
    return spec;
}

TEST(Reload, without_a_way_to_is_unsupported_and_names_restart)
{
    ServiceSpec spec = reloaded_by(0);
    const auto way = check_reload(spec);
    ASSERT_FALSE(way);
    EXPECT_EQ(way.error().code, ErrorCode::unsupported);
    EXPECT_EQ(way.error().next_step, "steward restart web");
    spec.reload.command = {"/bin/true"};
    EXPECT_TRUE(check_reload(spec));
    EXPECT_TRUE(check_reload(reloaded_by(SIGHUP)));
}

TEST(Reload, sends_a_signal_that_is_caught)
{
    const test::ScratchDirectory scratch;
    const Program program(play({"catch_hup", scratch / "said"}));
    ASSERT_TRUE(test::eventually([&] { return test::content_of(scratch / "said") == "ready\n"; }));
    EXPECT_TRUE(reload_by_signal(reloaded_by(SIGHUP), program.process()));
    EXPECT_TRUE(test::eventually([&] { return test::content_of(scratch / "said") == "ready\nhup\n"; }));
}

TEST(Reload, never_sends_a_signal_that_would_end_the_program)
{
    const Program program(play({"sleep_forever"}));
    const auto sent = reload_by_signal(reloaded_by(SIGHUP), program.process());
    ASSERT_FALSE(sent);
    EXPECT_EQ(sent.error().code, ErrorCode::unsupported);
    EXPECT_TRUE(program.alive());
}

TEST(Reload, of_a_program_that_has_ended_is_an_error)
{
    Program program(play({"exit_with", "0"}));
    const auto held = os::ProcessRef::open(program.process().identity());
    ASSERT_TRUE(held && *held);
    static_cast<void>(program.wait());
    EXPECT_FALSE(reload_by_signal(reloaded_by(SIGHUP), **held));
}

TEST(Reload, tells_how_its_command_failed)
{
    ServiceSpec spec = reloaded_by(0);
    spec.reload.command = {"/usr/sbin/webctl", "reload"};
    const auto ended = reload_command_error(spec, {.timed_out = false, .exit = ExitStatus{.signalled = false, .code = 3}});
    EXPECT_EQ(ended.message(), "cannot reload web: its reload command '/usr/sbin/webctl' ended with exit code 3");
    EXPECT_EQ(reload_command_error(spec, {.timed_out = true, .exit = {}}).code, ErrorCode::timed_out);
}

}  // namespace
}  // namespace steward::supervise
