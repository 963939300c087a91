#include "manager/charge.hpp"

#include <filesystem>

#include "managing.hpp"

namespace steward::manager {
namespace {

using test::play;
using test::Program;
using Verdict = Judgement::Verdict;
using namespace std::chrono_literals;

class ChargeTest : public test::Host {
  protected:
    void SetUp() override
    {
        Host::SetUp();
        write_sleeper();
    }
    [[nodiscard]] static Result<std::optional<Charge>> take(Located& located, std::chrono::milliseconds timeout = test::deadline)
    {
        return take_charge(located, "start", Foreground::no, timeout);
    }
    // What must be there.
    Charge taken()
    {
        auto located = locate();
        auto charge = take(located);
        EXPECT_TRUE(charge && *charge) << (charge ? "somebody holds the lease" : charge.error().message());
        if (!charge || !*charge) return {};
        return std::move(**charge);
    }
};

TEST_F(ChargeTest, of_a_new_service_makes_its_record_and_takes_the_lease)
{
    const auto charge = taken();
    EXPECT_EQ(charge.judgement.verdict, Verdict::stopped);
    ASSERT_TRUE(charge.preparation);
    EXPECT_EQ(charge.preparation->spec.name, "web");
    const test::TestChild other([&] { return record().lease_held().value_or(false) ? 0 : 1; });
    EXPECT_EQ(const_cast<test::TestChild&>(other).reap(), 0);
}

TEST_F(ChargeTest, of_a_service_with_a_broken_file_makes_nothing)
{
    write_service("[service]\ncommand = 7\n");
    auto located = locate();
    EXPECT_EQ(take(located).error().code, ErrorCode::invalid_service_file);
    EXPECT_FALSE(std::filesystem::exists(scratch_ / "run/web"));
}

TEST_F(ChargeTest, is_not_taken_while_somebody_holds_the_lease)
{
    held_by_another([&] {
        auto lease = record().take_lease();
        return lease && *lease ? std::move(*lease) : std::nullopt;
    });
    auto located = locate();
    const auto charge = take(located);
    ASSERT_TRUE(charge);
    EXPECT_FALSE(*charge);
}

TEST_F(ChargeTest, waits_for_another_verb_no_longer_than_it_is_told)
{
    held_by_another([&] { return record().lock_verb(std::nullopt); });
    auto located = locate();
    const auto charge = take(located, 50ms);
    ASSERT_FALSE(charge);
    EXPECT_EQ(charge.error().code, ErrorCode::timed_out);
}

TEST_F(ChargeTest, waits_for_a_launch_that_nobody_supervises_and_finds_what_came_of_it)
{
    ASSERT_TRUE(record().write_state(a_state(ServiceState::starting)));
    auto& launch = held_by_another([&] { return record().lock_launch(); });
    const Program program(play({"sleep_forever"}));
    const test::TestChild killer([&] {
        // The taker waits by now, or will: either way it finds the main process.
        write_main(program.process().identity());
        kill(launch.pid(), SIGKILL);
        return 0;
    });
    const auto charge = taken();
    EXPECT_EQ(charge.judgement.verdict, Verdict::alone);
    EXPECT_EQ(charge.judgement.main->pid(), program.pid());
}

TEST_F(ChargeTest, of_what_runs_alone_goes_by_how_it_was_started)
{
    const Program program(play({"sleep_forever"}));
    write_main(program.process().identity());
    ASSERT_TRUE(record().write_service_file("[service]\ncommand = [\"/bin/cat\"]\n"));
    auto state = a_state(ServiceState::running);
    ASSERT_TRUE(record().write_state(state));
    write_service("this is broken");
    auto charge = taken();
    EXPECT_EQ(charge.judgement.verdict, Verdict::alone);
    ASSERT_TRUE(charge.preparation);
    EXPECT_EQ(charge.preparation->spec.service.command.front(), "/bin/cat");

    const auto located = locate();
    std::vector<os::UniqueFd> none;
    auto assignment = assign(located, charge, {.descriptors = none, .files = supervise::SocketFiles::ours});
    ASSERT_TRUE(assignment);
    EXPECT_TRUE(assignment->adopt);
    EXPECT_EQ(record().read_state().value()->state, ServiceState::running) << "the record is carried on from, and so left as it was";
}

TEST_F(ChargeTest, of_what_runs_alone_and_wants_no_supervisor_prepares_nothing)
{
    const Program program(play({"sleep_forever"}));
    write_main(program.process().identity());
    auto state = a_state(ServiceState::running);
    state.supervise = false;
    ASSERT_TRUE(record().write_state(state));
    EXPECT_FALSE(taken().preparation);
}

TEST_F(ChargeTest, removes_the_stale_pid_file_of_a_dead_service)
{
    ASSERT_TRUE(record().write_state(a_state(ServiceState::running)));
    scratch_.write("run/web.pid", "4194303\n");
    EXPECT_EQ(taken().judgement.verdict, Verdict::dead);
    EXPECT_FALSE(std::filesystem::exists(pid_file()));
}

TEST_F(ChargeTest, is_refused_where_the_pid_file_is_not_to_be_believed)
{
    scratch_.write("run/web.pid", "abc\n");
    auto located = locate();
    EXPECT_EQ(take(located).error().code, ErrorCode::untrusted_pid_file);
    EXPECT_EQ(test::content_of(pid_file()), "abc\n");
}

TEST_F(ChargeTest, ends_what_a_dead_service_left_in_its_cgroup_but_not_in_that_of_another_boot)
{
    const auto cgroup = os::Cgroup::create("unit-charge-" + std::to_string(getpid()));
    if (!cgroup) GTEST_SKIP() << "no cgroups to be made here";
    auto plan = play({"sleep_forever"});
    plan.cgroup = cgroup->directory();
    Program leftover(plan);
    auto state = a_state(ServiceState::running);
    state.cgroup = cgroup->path();
    state.boot.boot_id = "0bd6bd8a-5c4e-4a3c-a8a4-2f6a7f0c9a11";
    ASSERT_TRUE(record().write_state(state));
    static_cast<void>(taken());
    EXPECT_TRUE(leftover.alive());

    state.boot = os::boot_identity().value();
    ASSERT_TRUE(record().write_state(state));
    static_cast<void>(taken());
    EXPECT_FALSE(leftover.alive());
    EXPECT_EQ(leftover.wait().code, SIGKILL);
    static_cast<void>(cgroup->remove());
}

TEST_F(ChargeTest, becomes_an_assignment_whose_record_says_starting_and_names_no_old_process)
{
    Program old(play({"exit_with", "0"}));
    write_main(old.process().identity());
    static_cast<void>(old.wait());
    auto state = a_state(ServiceState::stopped);
    state.boot.boot_id = "0bd6bd8a-5c4e-4a3c-a8a4-2f6a7f0c9a11";
    ASSERT_TRUE(record().write_state(state));

    auto charge = taken();
    const auto located = locate();
    std::vector<os::UniqueFd> none;
    auto assignment = assign(located, charge, {.descriptors = none, .files = supervise::SocketFiles::ours});
    ASSERT_TRUE(assignment) << assignment.error().message();
    EXPECT_FALSE(assignment->adopt);
    const auto now = record().read_state().value();
    EXPECT_EQ(now->state, ServiceState::starting);
    EXPECT_EQ(now->boot, os::boot_identity().value());
    EXPECT_EQ(now->service_file, scratch_ / "etc/web.toml");
    EXPECT_FALSE(record().read_main().value());
    EXPECT_TRUE(record().read_service_file().value());

    note_failed_start(*assignment, Error{.cause = "no more processes"});
    EXPECT_EQ(record().read_state().value()->state, ServiceState::failed);
    EXPECT_EQ(record().read_state().value()->reason, "no more processes");
}

}  // namespace
}  // namespace steward::manager
