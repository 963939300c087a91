// What is written into a record is what is read from it, by whoever may read it.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helpers/in_child.hpp"
#include "helpers/scratch.hpp"
#include "os/child_calls.hpp"
#include "record/record.hpp"
#include "sample_state.hpp"

namespace steward::record {
namespace {

constexpr uid_t somebody = 65534;

class Record : public testing::Test {
  protected:
    // As the child does it.
    void write_main(std::int32_t pid, std::uint64_t start_time) const
    {
        const auto record = service.record_for_child();
        ASSERT_TRUE(record);
        const MainBlock block = MainBlock::of(pid, start_time);
        ASSERT_EQ(os::child::write_bytes_at(record->get(), &block, sizeof block, MainBlock::offset), 0);
    }
    [[nodiscard]] std::optional<State> state() const { return service.read_state().value(); }
    [[nodiscard]] std::optional<os::ProcessIdentity> main() const { return service.read_main().value(); }

    test::ScratchDirectory scratch;
    std::string runtime = scratch / "run";
    ServiceDirectory service = ServiceDirectory::create(runtime, "web").value();
};

TEST_F(Record, tells_nothing_before_anything_was_written)
{
    EXPECT_FALSE(state());
    EXPECT_FALSE(main());
    ASSERT_TRUE(service.record_for_child());
    EXPECT_FALSE(state());
    EXPECT_FALSE(main());
}

TEST_F(Record, gives_back_the_state_last_written)
{
    for (std::uint64_t restarts = 0; restarts < 5; ++restarts) {
        State written = sample_state();
        written.restarts = restarts;
        ASSERT_TRUE(service.write_state(written));
        EXPECT_TRUE(state() == written) << restarts;
    }
    EXPECT_FALSE(main());
}

TEST_F(Record, a_short_state_replaces_a_long_one)
{
    State written = sample_state();
    written.log_file.assign(4000, 'x');
    ASSERT_TRUE(service.write_state(written));
    ASSERT_TRUE(service.write_state(written));
    EXPECT_TRUE(state() == written);
    ASSERT_TRUE(service.write_state({}));
    EXPECT_TRUE(state() == State{});
}

TEST_F(Record, a_path_too_long_is_refused_and_the_state_before_stays)
{
    ASSERT_TRUE(service.write_state(sample_state()));
    State written;
    written.pid_file.assign(4096, 'x');
    const auto refused = service.write_state(written);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::invalid_argument);
    EXPECT_TRUE(state() == sample_state());
}

TEST_F(Record, gives_back_the_main_process_that_wrote_itself)
{
    write_main(4121, 99);
    ASSERT_TRUE(main());
    EXPECT_TRUE(same(*main(), {.pid = 4121, .start_time = 99, .pidfs_inode = 0}));
    EXPECT_FALSE(state());
}

TEST_F(Record, completes_the_main_process_with_the_inode_of_the_state)
{
    write_main(4121, 99);
    ASSERT_TRUE(service.write_state(sample_state()));
    EXPECT_EQ(main()->pidfs_inode, sample_state().main_pidfs_inode);
}

// Killed between the exec of a new main process and the next state, steward must find that process again.
TEST_F(Record, does_not_give_a_new_main_process_the_inode_of_the_old_one)
{
    write_main(4121, 99);
    ASSERT_TRUE(service.write_state(sample_state()));
    write_main(4130, 120);
    EXPECT_TRUE(same(*main(), {.pid = 4130, .start_time = 120, .pidfs_inode = 0}));
}

TEST_F(Record, takes_another_process_for_the_main_one_when_told_so)
{
    write_main(4121, 99);
    ASSERT_TRUE(service.write_main({.pid = 4130, .start_time = 120}));
    EXPECT_TRUE(same(*main(), {.pid = 4130, .start_time = 120, .pidfs_inode = 0}));
}

TEST_F(Record, gives_both_blocks_in_one_reading)
{
    EXPECT_FALSE(service.read()->state);
    EXPECT_FALSE(service.read()->main);
    write_main(4121, 99);
    EXPECT_FALSE(service.read()->state);
    EXPECT_EQ(service.read()->main->pid, 4121);
    ASSERT_TRUE(service.write_state(sample_state()));
    const Reading reading = service.read().value();
    EXPECT_TRUE(reading.state == sample_state());
    EXPECT_TRUE(same(*reading.main, {.pid = 4121, .start_time = 99, .pidfs_inode = sample_state().main_pidfs_inode}));
}

TEST_F(Record, forgets_the_main_process_alone_when_told_so)
{
    write_main(4121, 99);
    ASSERT_TRUE(service.write_state(sample_state()));
    ASSERT_TRUE(service.clear_main());
    EXPECT_FALSE(main());
    EXPECT_TRUE(state() == sample_state());
}

TEST_F(Record, forgets_everything_but_the_locks)
{
    write_main(4121, 99);
    ASSERT_TRUE(service.write_state(sample_state()));
    ASSERT_TRUE(service.write_service_file("[service]\n"));
    scratch.write("run/web/control", "");
    ASSERT_TRUE(service.lock_verb({}));
    ASSERT_TRUE(service.take_lease());
    ASSERT_TRUE(service.forget());
    EXPECT_FALSE(state());
    EXPECT_FALSE(main());
    EXPECT_FALSE(service.read_service_file().value());
    EXPECT_FALSE(std::filesystem::exists(runtime + "/web/control"));
    EXPECT_TRUE(std::filesystem::exists(runtime + "/web/verb.lock"));
    EXPECT_TRUE(std::filesystem::exists(runtime + "/web/lease"));
    EXPECT_TRUE(service.forget());
}

TEST_F(Record, keeps_the_service_file_to_its_owner)
{
    ASSERT_TRUE(service.write_service_file("[service]\nenvironment = { TOKEN = \"secret\" }\n"));
    EXPECT_EQ(service.read_service_file().value(), "[service]\nenvironment = { TOKEN = \"secret\" }\n");
    struct stat found {};
    ASSERT_EQ(stat((runtime + "/web/service.toml").c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 07777U, 0600U);
    ASSERT_TRUE(service.write_service_file("short"));
    EXPECT_EQ(service.read_service_file().value(), "short");
}

// status by an unprivileged user, after a start under a closed umask.
TEST_F(Record, is_read_by_any_user)
{
    const mode_t before = umask(077);
    ASSERT_TRUE(service.write_state(sample_state()));
    write_main(4121, 99);
    const auto lease = service.take_lease();
    umask(before);
    ASSERT_TRUE(lease && *lease);
    ASSERT_EQ(chmod(scratch.path().c_str(), 0755), 0);
    const int outcome = test::in_child([this] {
        if (setgid(somebody) != 0 || setuid(somebody) != 0) return 99;
        const auto opened = ServiceDirectory::open(runtime, "web");
        if (!opened || !*opened) return 1;
        const auto read = (*opened)->read_state();
        if (!read || !*read || !(**read == sample_state())) return 2;
        const auto process = (*opened)->read_main();
        if (!process || !*process || (*process)->pid != 4121) return 3;
        const auto held = (*opened)->lease_held();
        if (!held || !*held) return 4;
        const auto secret = (*opened)->read_service_file();
        if (!secret || *secret) return 5;  // none was written
        const auto locked = (*opened)->lock_verb(std::chrono::milliseconds(0));
        return !locked && locked.error().code == ErrorCode::not_permitted ? 0 : 6;
    });
    EXPECT_EQ(outcome, 0);
}

TEST_F(Record, secret_service_file_is_not_permitted_to_others)
{
    ASSERT_TRUE(service.write_service_file("[service]\n"));
    ASSERT_EQ(chmod(scratch.path().c_str(), 0755), 0);
    const int outcome = test::in_child([this] {
        if (setgid(somebody) != 0 || setuid(somebody) != 0) return 99;
        const auto read = service.read_service_file();
        return !read && read.error().code == ErrorCode::not_permitted ? 0 : 1;
    });
    EXPECT_EQ(outcome, 0);
}

TEST_F(Record, every_descriptor_is_closed_on_exec)
{
    const auto record = service.record_for_child();
    const auto verb = service.lock_verb({});
    const auto lease = service.take_lease();
    const auto launch = service.lock_launch();
    for (const int fd : {service.directory().get(), record->get(), verb->get(), (*lease)->get(), launch->get()}) {
        EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    }
}

}  // namespace
}  // namespace steward::record
