// What the tests of this folder share: an environment of their own, directories to look in, services in them.
#pragma once

#include <gmock/gmock.h>

#include <array>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>

#include "manager/located.hpp"
#include "os/cgroup.hpp"
#include "unit/os/test_child.hpp"
#include "unit/supervise/supervising.hpp"

namespace steward::test {

// None of the variables that say where things are, but those that are set here; as before at the end of its life.
class Surroundings {
  public:
    Surroundings()
    {
        for (const char* name : names) {
            const char* value = std::getenv(name);
            before_[name] = value != nullptr ? std::optional<std::string>(value) : std::nullopt;
            unsetenv(name);
        }
    }
    ~Surroundings()
    {
        for (const auto& [name, value] : before_) value ? setenv(name.c_str(), value->c_str(), 1) : unsetenv(name.c_str());
    }
    Surroundings(const Surroundings&) = delete;
    Surroundings& operator=(const Surroundings&) = delete;

    static void set(const char* name, const std::string& value) { setenv(name, value.c_str(), 1); }

  private:
    static constexpr std::array names = {"HOME",
                                         "XDG_CONFIG_HOME",
                                         "XDG_STATE_HOME",
                                         "XDG_RUNTIME_DIR",
                                         "STEWARD_CONFIG_DIR",
                                         "STEWARD_RUNTIME_DIR",
                                         "STEWARD_LOG_DIR",
                                         "STEWARD_STATE_DIR"};
    std::map<std::string, std::optional<std::string>> before_;
};

// A host of the test's own: STEWARD_CONFIG_DIR and its like point into a scratch directory.
class Host : public testing::Test {
  protected:
    Host()
    {
        for (const char* directory : {"etc", "run", "log"}) std::filesystem::create_directory(scratch_ / directory);
        Surroundings::set("HOME", scratch_.path());
        Surroundings::set("STEWARD_CONFIG_DIR", scratch_ / "etc");
        Surroundings::set("STEWARD_RUNTIME_DIR", scratch_ / "run");
        Surroundings::set("STEWARD_LOG_DIR", scratch_ / "log");
    }
    void SetUp() override { ASSERT_TRUE(os::become_subreaper()); }
    void TearDown() override
    {
        children_.clear();
        end_everything_below();
        if (auto record = record::ServiceDirectory::open(scratch_ / "run", "web"); record && *record) {
            const auto state = (*record)->read_state();
            const auto cgroup = state && *state ? os::Cgroup::open((*state)->cgroup) : std::nullopt;
            if (cgroup) static_cast<void>(cgroup->remove());
        }
    }

    void write_service(const std::string& text, const std::string& name = "web") const { scratch_.write("etc/" + name + ".toml", text); }
    void write_sleeper(const std::string& more = "") const
    {
        write_service("[service]\ncommand = [\"" + helper("sleep_forever") + "\"]\n" + more);
    }
    [[nodiscard]] manager::Located locate(const std::string& name = "web") const
    {
        auto located = manager::locate({.name = name, .file = {}, .command = {}}, std::nullopt, "test");
        if (!located) throw std::runtime_error(located.error().message());
        return std::move(*located);
    }
    [[nodiscard]] record::ServiceDirectory record() const
    {
        auto made = record::ServiceDirectory::create(scratch_ / "run", "web");
        if (!made) throw std::runtime_error(made.error().message());
        return std::move(*made);
    }
    [[nodiscard]] record::State a_state(ServiceState state) const
    {
        record::State made;
        made.state = state;
        made.since = std::chrono::system_clock::now();
        made.boot = os::boot_identity().value();
        made.pid_file = pid_file();
        return made;
    }
    void write_main(const os::ProcessIdentity& identity) const
    {
        const auto block = os::MainBlock::of(identity.pid, identity.start_time);
        const auto file = record().record_for_child();
        ASSERT_TRUE(file);
        ASSERT_EQ(pwrite(file->get(), &block, sizeof block, os::MainBlock::offset), static_cast<ssize_t>(sizeof block));
    }
    // Another process holds it from now on.
    template <class Take>
    TestChild& held_by_another(Take take)
    {
        const Meeting meeting;
        auto& child = children_.emplace_back(std::make_unique<TestChild>([&] {
            const auto lock = take();
            meeting.tell(lock ? 1 : 0);
            pause_for_ever();
            return 0;
        }));
        EXPECT_EQ(meeting.hear(), 1);
        return *child;
    }
    [[nodiscard]] std::string pid_file() const { return scratch_ / "run/web.pid"; }

    Surroundings surroundings_;
    ScratchDirectory scratch_;
    std::vector<std::unique_ptr<TestChild>> children_;
};

}  // namespace steward::test
