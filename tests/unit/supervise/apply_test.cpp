// A service in the foreground that is to go by another file than it was started with, under the same supervisor.
#include <gmock/gmock.h>

#include "service.hpp"

namespace steward::supervise {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

class Apply : public test::Service {
  protected:
    using Renewed = std::function<Result<Assignment>(const std::string&)>;

    test::TestChild& run(const process::LaunchPlan& plan, Renewed renewed)
    {
        auto given = assignment(plan);
        auto& child = runs_.emplace_back(std::make_unique<test::TestChild>([&]() -> int {
            log::EventLog events(log::EventLog::Sink::file, scratch_ / "steward.log");
            auto supervisor = Supervisor::create({&given}, {.foreground = true, .events = &events, .renewed = std::move(renewed)});
            if (!supervisor) return 101;
            return (*supervisor)->run() && (*supervisor)->runners().front()->over() ? 0 : 100;
        }));
        return *child;
    }
    // What the record would give: nothing of it is open but the directory.
    [[nodiscard]] Renewed renewed_by(const process::LaunchPlan& plan) const
    {
        return [this, plan](const std::string& name) -> Result<Assignment> {
            Assignment made{.spec = spec_,
                            .plan = plan,
                            .stop_command = {},
                            .reload_command = {},
                            .output = {.kind = OutputTarget::Kind::file,
                                       .log_file = scratch_ / (name + ".log"),
                                       .stderr_file = {},
                                       .system_scope = false},
                            .fifos = {},
                            .directory = record::ServiceDirectory::create(scratch_ / "run", name).value(),
                            .boot = boot_,
                            .pid_file = pid_file(),
                            .file_digest = new_digest_,
                            .adopt = true};
            made.spec.restart.policy = RestartPolicyKind::never;
            return made;
        };
    }

    static constexpr std::uint64_t new_digest_ = 78;
};

TEST_F(Apply, the_service_goes_on_under_the_same_supervisor_and_by_the_new_file)
{
    spec_.restart.policy = RestartPolicyKind::always;
    spec_.restart.delay = 1ms;
    const auto plan = counted("while :; do echo line; sleep 0.01; done");
    auto& child = run(plan, renewed_by(plan));
    ASSERT_TRUE(becomes(ServiceState::running));
    const auto before = main();
    for (int time = 0; time < 5; ++time) {
        const auto reply = ask(Request::apply);
        ASSERT_TRUE(reply && !reply->error) << events();
        EXPECT_EQ(state()->file_digest, new_digest_);
        EXPECT_EQ(state()->supervisor.pid, child.pid());
        EXPECT_EQ(main().pid, before.pid);
        EXPECT_TRUE(ask(Request::start)) << "it answers on the same socket";
    }
    EXPECT_THAT(events(), HasSubstr("its service file was applied"));
    kill(before.pid, SIGKILL);
    EXPECT_EQ(child.reap(), 0);
    EXPECT_EQ(state_now(), ServiceState::failed) << "by the new policy it is not started again";
    EXPECT_EQ(state()->last_exit->code, SIGKILL) << "it stayed this supervisor's child";
    EXPECT_EQ(runs(), 1U);
}

TEST_F(Apply, what_cannot_be_given_leaves_all_as_it_was)
{
    auto& child = run(counted("exec sleep 1000"), [](const std::string&) -> Result<Assignment> {
        return fail(Error{.code = ErrorCode::invalid_service_file, .cause = "no good"});
    });
    ASSERT_TRUE(becomes(ServiceState::running));
    const auto reply = ask(Request::apply);
    ASSERT_TRUE(reply && reply->error);
    EXPECT_EQ(reply->error->cause, "no good");
    EXPECT_EQ(state()->file_digest, 0U);
    EXPECT_TRUE(ask(Request::stop));
    EXPECT_EQ(child.reap(), 0);
}

TEST_F(Apply, while_a_start_is_waited_for_nothing_is_applied)
{
    spec_.ready.delay = 1000s;
    const auto plan = counted("exec sleep 1000");
    run(plan, renewed_by(plan));
    ASSERT_TRUE(becomes(ServiceState::starting));
    const auto reply = ask(Request::apply);
    ASSERT_TRUE(reply && reply->error);
    EXPECT_EQ(reply->error->code, ErrorCode::failed);
    EXPECT_TRUE(ask(Request::stop));
}

TEST_F(Apply, a_delay_that_runs_is_waited_out_by_the_new_file)
{
    spec_.restart.policy = RestartPolicyKind::always;
    spec_.restart.delay = 1000s;
    spec_.restart.max_delay = 1000s;
    const auto plan = counted("[ $(wc -l <$0) != 1 ] && exec sleep 1000");
    run(plan, [this, plan](const std::string& name) {
        spec_.restart.delay = 1ms;
        spec_.restart.max_delay = 1ms;
        return renewed_by(plan)(name);
    });
    ASSERT_TRUE(becomes(ServiceState::backing_off));
    const auto reply = ask(Request::apply);
    ASSERT_TRUE(reply && !reply->error);
    EXPECT_TRUE(becomes(ServiceState::running));
    EXPECT_TRUE(test::eventually([&] { return runs() == 2; }));
    EXPECT_TRUE(ask(Request::stop));
}

TEST_F(Apply, below_a_keeper_another_supervisor_comes_instead)
{
    keep(assignment(counted("exec sleep 1000")));
    ASSERT_TRUE(becomes(ServiceState::running));
    const auto reply = ask(Request::apply);
    ASSERT_TRUE(reply && reply->error);
    EXPECT_EQ(reply->error->code, ErrorCode::unsupported);
    EXPECT_TRUE(ask(Request::stop));
}

}  // namespace
}  // namespace steward::supervise
