// The directory of a service: made and trusted, or refused; and its locks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "helpers/in_child.hpp"
#include "helpers/scratch.hpp"
#include "os/file_lock.hpp"
#include "record/record.hpp"

namespace steward::record {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr uid_t somebody = 65534;

unsigned mode_of(const std::string& path)
{
    struct stat found {};
    return stat(path.c_str(), &found) == 0 ? found.st_mode & 07777U : 0;
}

class Directory : public testing::Test {
  protected:
    ServiceDirectory create(const std::string& name = "web") const { return ServiceDirectory::create(runtime, name).value(); }
    void expect_refused(const std::string& why) const
    {
        const auto made = ServiceDirectory::create(runtime, "web");
        ASSERT_FALSE(made);
        EXPECT_THAT(made.error().message(), HasSubstr(why));
        EXPECT_THAT(made.error().message(), HasSubstr("'" + runtime + "/web'"));
    }
    void expect_unopened(const std::string& why) const
    {
        const auto opened = ServiceDirectory::open(runtime, "web");
        ASSERT_FALSE(opened);
        EXPECT_EQ(opened.error().code, ErrorCode::undeterminable);
        EXPECT_THAT(opened.error().message(), HasSubstr(why));
    }

    test::ScratchDirectory scratch;
    std::string runtime = scratch / "run/steward";
};

TEST_F(Directory, is_made_with_its_parents_for_all_to_read)
{
    const mode_t before = umask(077);
    const ServiceDirectory made = create();
    umask(before);
    EXPECT_EQ(made.path(), runtime + "/web");
    EXPECT_EQ(mode_of(scratch / "run"), 0755U);
    EXPECT_EQ(mode_of(runtime), 0755U);
    EXPECT_EQ(mode_of(runtime + "/web"), 0755U);
    const auto opened = ServiceDirectory::open(runtime, "web");
    ASSERT_TRUE(opened && *opened);
    EXPECT_EQ((*opened)->path(), runtime + "/web");
}

TEST_F(Directory, that_is_not_there_is_not_made_by_opening)
{
    EXPECT_FALSE(ServiceDirectory::open(runtime, "web").value());
    EXPECT_FALSE(std::filesystem::exists(scratch / "run"));
}

TEST_F(Directory, is_not_left_by_a_name)
{
    for (const char* name : {"", ".", "..", "../web", "a/b", "/etc", "-x", "a b", "a\n", "web.pid", "web.toml"}) {
        const auto opened = ServiceDirectory::open(runtime, name);
        ASSERT_FALSE(opened) << name;
        EXPECT_EQ(opened.error().code, ErrorCode::invalid_argument);
        EXPECT_FALSE(ServiceDirectory::create(runtime, name)) << name;
    }
    EXPECT_FALSE(std::filesystem::exists(runtime));
    EXPECT_TRUE(ServiceDirectory::create(runtime, "worker@1.a:b_c-d"));
}

TEST_F(Directory, that_is_a_link_is_refused)
{
    std::filesystem::create_directories(runtime);
    std::filesystem::create_directory(scratch / "elsewhere");
    ASSERT_EQ(symlink((scratch / "elsewhere").c_str(), (runtime + "/web").c_str()), 0);
    expect_refused("symbolic link");
    expect_unopened("symbolic link");
    EXPECT_TRUE(std::filesystem::is_empty(scratch / "elsewhere"));
}

TEST_F(Directory, of_another_user_is_refused_and_left_as_it_is)
{
    create();
    ASSERT_EQ(chown((runtime + "/web").c_str(), somebody, somebody), 0);
    expect_refused("belongs to user 65534");
    expect_unopened("belongs to user 65534");
    EXPECT_TRUE(std::filesystem::is_empty(runtime + "/web"));
}

TEST_F(Directory, that_others_can_write_is_refused)
{
    create();
    ASSERT_EQ(chmod((runtime + "/web").c_str(), 0775), 0);
    expect_refused("can be written by other users");
    expect_unopened("can be written by other users");
    ASSERT_EQ(chmod((runtime + "/web").c_str(), 01777), 0);
    expect_refused("can be written by other users");
}

TEST_F(Directory, below_one_that_another_user_owns_is_refused_to_root)
{
    create();
    ASSERT_EQ(chown(runtime.c_str(), somebody, somebody), 0);
    expect_refused("the directory above it '" + runtime + "' belongs to user");
}

TEST_F(Directory, is_made_by_any_user_in_a_place_of_his)
{
    ASSERT_EQ(chown(scratch.path().c_str(), somebody, somebody), 0);
    const int outcome = test::in_child([this] {
        if (setgid(somebody) != 0 || setuid(somebody) != 0) return 99;
        const auto made = ServiceDirectory::create(runtime, "web");
        if (!made || !made->write_state({})) return 1;
        return ServiceDirectory::open(runtime, "web").value() ? 0 : 2;
    });
    EXPECT_EQ(outcome, 0);
    expect_unopened("belongs to user 65534");  // to root: a user's record steers no signal of root's
}

TEST_F(Directory, without_permission_says_so)
{
    create();
    ASSERT_EQ(chmod(scratch.path().c_str(), 0755), 0);
    const int outcome = test::in_child([this] {
        if (setgid(somebody) != 0 || setuid(somebody) != 0) return 99;
        const auto made = ServiceDirectory::create(runtime, "other");
        return !made && made.error().code == ErrorCode::not_permitted ? 0 : 1;
    });
    EXPECT_EQ(outcome, 0);
}

TEST_F(Directory, that_is_a_file_cannot_be_told)
{
    std::filesystem::create_directories(runtime);
    scratch.write("run/steward/web", "");
    expect_unopened("Not a directory");
}

TEST_F(Directory, recorded_names_are_those_with_a_record)
{
    EXPECT_THAT(recorded_names(runtime).value(), IsEmpty());
    ASSERT_TRUE(create("web").write_state({}));
    ASSERT_TRUE(create("api@2").record_for_child());
    create("never-started");
    scratch.write("run/steward/web.pid", "1\n");
    for (const char* invalid : {".hidden", "a b", "x.toml"}) {
        std::filesystem::create_directory(runtime + "/" + invalid);
        scratch.write("run/steward/" + std::string(invalid) + "/record", "");
    }
    EXPECT_THAT(recorded_names(runtime).value(), ElementsAre("api@2", "web"));
}

class Locks : public Directory {
  protected:
    ServiceDirectory service = create();
    ServiceDirectory same_service = ServiceDirectory::open(runtime, "web").value().value();
};

TEST_F(Locks, have_modes_that_readers_can_open)
{
    const mode_t before = umask(077);
    const auto verb = service.lock_verb({});
    const auto lease = service.take_lease();
    umask(before);
    EXPECT_EQ(mode_of(service.path() + "/verb.lock"), 0644U);
    EXPECT_EQ(mode_of(service.path() + "/lease"), 0644U);
}

TEST_F(Locks, lease_is_held_by_one_until_its_last_copy_closes)
{
    EXPECT_FALSE(service.lease_held().value());
    auto lease = service.take_lease().value();
    ASSERT_TRUE(lease);
    EXPECT_TRUE(same_service.lease_held().value());
    EXPECT_TRUE(service.lease_held().value());
    EXPECT_FALSE(same_service.take_lease().value());
    lease.reset();
    EXPECT_FALSE(service.lease_held().value());
    EXPECT_TRUE(same_service.take_lease().value());
}

TEST_F(Locks, lease_ends_with_a_holder_that_is_killed)
{
    int ready[2];
    ASSERT_EQ(pipe(ready), 0);
    const pid_t holder = fork();
    if (holder == 0) {
        const auto lease = service.take_lease();
        if (write(ready[1], "x", 1) != 1) _exit(1);
        pause();
    }
    char byte = 0;
    ASSERT_EQ(read(ready[0], &byte, 1), 1);
    EXPECT_TRUE(service.lease_held().value());
    kill(holder, SIGKILL);
    waitpid(holder, nullptr, 0);
    EXPECT_FALSE(service.lease_held().value());
    close(ready[0]);
    close(ready[1]);
}

TEST_F(Locks, lease_and_launch_do_not_hinder_each_other)
{
    const auto lease = service.take_lease().value();
    ASSERT_TRUE(lease);
    const auto launch = same_service.lock_launch();
    ASSERT_TRUE(launch);
    EXPECT_TRUE(os::is_locked(*lease, 1).value());
}

TEST_F(Locks, launch_waits_for_the_child_of_the_one_before)
{
    auto launch = service.lock_launch().value();
    int release[2];
    ASSERT_EQ(pipe(release), 0);
    const pid_t child = fork();  // has a copy of the lock, as between fork and exec
    if (child == 0) {
        close(release[1]);
        char byte = 0;
        _exit(read(release[0], &byte, 1) == 0 ? 0 : 1);
    }
    launch.reset();
    const auto probe = service.take_lease().value();
    EXPECT_TRUE(os::is_locked(*probe, 1).value());
    close(release[1]);
    EXPECT_TRUE(same_service.lock_launch());  // comes only with the child's end
    waitpid(child, nullptr, 0);
    close(release[0]);
}

TEST_F(Locks, verb_lock_is_exclusive_and_names_its_holder)
{
    auto verb = service.lock_verb(milliseconds(0)).value();
    const auto second = same_service.lock_verb(milliseconds(20));
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::timed_out);
    EXPECT_EQ(second.error().message(),
              "cannot lock '" + service.path() + "/verb.lock': held by process " + std::to_string(getpid()) + " (unit-record)");
    verb.reset();
    EXPECT_TRUE(same_service.lock_verb(milliseconds(0)));
}

TEST_F(Locks, verb_lock_whose_holder_wrote_nothing_is_held_by_another_command)
{
    auto verb = service.lock_verb(milliseconds(0)).value();
    ASSERT_EQ(ftruncate(verb.get(), 0), 0);
    const auto second = same_service.lock_verb(milliseconds(0));
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().cause, "another command is at work on the service");
}

TEST_F(Locks, that_is_a_link_is_not_followed)
{
    scratch.write("target", "precious");
    ASSERT_EQ(symlink((scratch / "target").c_str(), (service.path() + "/verb.lock").c_str()), 0);
    EXPECT_FALSE(service.lock_verb({}));
    EXPECT_EQ(test::content_of(scratch / "target"), "precious");
}

}  // namespace
}  // namespace steward::record
