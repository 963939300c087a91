// A service of a test's own, in directories of its own, and a supervisor for it in a child of the test.
#pragma once

#include <map>

#include "os/cgroup.hpp"
#include "os/message_socket.hpp"
#include "os/signals.hpp"
#include "os/spawn.hpp"
#include "supervise/client.hpp"
#include "supervise/keeper.hpp"
#include "supervise/supervisor.hpp"
#include "supervising.hpp"
#include "unit/os/test_child.hpp"

namespace steward::test {

class Service : public testing::Test {
  protected:
    void SetUp() override
    {
        ASSERT_TRUE(os::become_subreaper());  // what is left behind falls to the test
        boot_ = os::boot_identity().value();
        spec_.name = "web";
        spec_.restart.jitter = 0;
        auto made = record::ServiceDirectory::create(scratch_ / "run", "web");
        ASSERT_TRUE(made) << made.error().message();
        record_.emplace(std::move(*made));
    }

    void TearDown() override
    {
        runs_.clear();
        end_everything_below();
        const auto now = state();
        if (now && !now->cgroup.empty()) {
            if (const auto cgroup = os::Cgroup::open(now->cgroup)) static_cast<void>(cgroup->remove());
        }
    }

    supervise::Assignment assignment(const process::LaunchPlan& plan, const std::string& name = "web")
    {
        auto directory = record::ServiceDirectory::create(scratch_ / "run", name);
        auto lease = directory->take_lease();
        EXPECT_TRUE(lease && *lease) << "somebody holds the lease";
        auto control = os::listen_messages(directory->directory(), "control", 0600);
        EXPECT_TRUE(control);
        spec_.name = name;
        spec_.service.command = plan.argv;
        supervise::Assignment made{.spec = spec_,
                                   .plan = plan,
                                   .stop_command = {},
                                   .reload_command = {},
                                   .output = {.kind = supervise::OutputTarget::Kind::file,
                                              .log_file = scratch_ / (name + ".log"),
                                              .stderr_file = {},
                                              .system_scope = false},
                                   .fifos = {},
                                   .directory = std::move(*directory),
                                   .lease = std::move(**lease),
                                   .control = std::move(*control),
                                   .boot = boot_,
                                   .cgroup_name = cgroup_name_,
                                   .pid_file = scratch_ / (name + ".pid")};
        EXPECT_TRUE(supervise::make_fifos(made));
        return made;
    }

    // In the foreground. The child exits 0 when all is over, and 100 when that is told of a service that is not.
    TestChild& supervise(supervise::Assignment assignment)
    {
        auto& child = runs_.emplace_back(std::make_unique<TestChild>([&]() -> int {
            log::EventLog events(log::EventLog::Sink::file, scratch_ / "steward.log");
            auto supervisor = supervise::Supervisor::create({&assignment}, {.foreground = true, .events = &events});
            if (!supervisor) return 101;
            const auto outcome = (*supervisor)->run();
            return outcome && (*supervisor)->runners().front()->over() ? 0 : 100;
        }));
        return *child;
    }
    // With a keeper, whom the child becomes; the report of the first start comes to `report_`.
    TestChild& keep(supervise::Assignment assignment)
    {
        auto channel = os::make_message_pair().value();
        report_ = std::move(channel.read);
        auto& child = runs_.emplace_back(std::make_unique<TestChild>([&]() -> int {
            report_.reset();
            return supervise::keep(assignment, {.start_report = std::move(channel.write), .event_log = scratch_ / "steward.log"});
        }));
        return *child;
    }
    [[nodiscard]] std::optional<supervise::Reply> first_report() const
    {
        auto received = os::receive_message(report_, supervise::message_limit, deadline);
        if (!received || !*received) return std::nullopt;
        return supervise::decode_reply(**received);
    }

    [[nodiscard]] std::optional<record::State> state() const { return record_->read_state().value_or(std::nullopt); }
    [[nodiscard]] ServiceState state_now() const
    {
        const auto now = state();
        return now ? now->state : ServiceState::unknown;
    }
    [[nodiscard]] bool becomes(ServiceState wanted) const
    {
        return eventually([&] { return state_now() == wanted; });
    }
    [[nodiscard]] os::ProcessIdentity main() const { return record_->read_main().value_or(std::nullopt).value_or(os::ProcessIdentity{}); }
    [[nodiscard]] Result<supervise::Reply> ask(supervise::Request request) const
    {
        return supervise::ask(*record_, request, "ask", "web", deadline);
    }
    [[nodiscard]] std::string pid_file() const { return scratch_ / "web.pid"; }
    [[nodiscard]] std::string events() const { return content_of(scratch_ / "steward.log"); }
    // Each run of such a script adds a line to the file "runs".
    [[nodiscard]] process::LaunchPlan counted(const std::string& script) const
    {
        return plan_of({"/bin/sh", "-c", "echo $$ >>$0; " + script, scratch_ / "runs"});
    }
    [[nodiscard]] std::size_t runs() const
    {
        const auto text = content_of(scratch_ / "runs");
        return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
    }

    // A record as a supervisor leaves it that was killed.
    record::State left_behind(ServiceState state) const
    {
        record::State left;
        left.state = state;
        left.since = std::chrono::system_clock::now();
        left.boot = boot_;
        left.pid_file = pid_file();
        return left;
    }
    void write_main(const os::ProcessIdentity& identity) const
    {
        const auto block = os::MainBlock::of(identity.pid, identity.start_time);
        const auto file = record_->record_for_child();
        ASSERT_TRUE(file);
        ASSERT_EQ(pwrite(file->get(), &block, sizeof block, os::MainBlock::offset), static_cast<ssize_t>(sizeof block));
    }

    ScratchDirectory scratch_;
    os::BootIdentity boot_;
    ServiceSpec spec_;
    std::string cgroup_name_;  // empty: none
    std::optional<record::ServiceDirectory> record_;
    os::UniqueFd report_;
    std::vector<std::unique_ptr<TestChild>> runs_;
};

}  // namespace steward::test
