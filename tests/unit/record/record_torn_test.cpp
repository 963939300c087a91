// A record after a crash in the middle of a write, under a writer that never rests, and from another steward.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "helpers/in_child.hpp"
#include "helpers/scratch.hpp"
#include "record/record.hpp"
#include "record/state_block.hpp"
#include "sample_state.hpp"

namespace steward::record {
namespace {

constexpr off_t first_block = 512;
constexpr off_t second_block = first_block + static_cast<off_t>(state_block_limit);

class TornRecord : public testing::Test {
  protected:
    void write_state(std::uint64_t restarts) const
    {
        State state = sample_state();
        state.restarts = restarts;
        ASSERT_TRUE(service.write_state(state));
    }
    void spoil(off_t at, std::string_view with = "\xff\xff\xff\xff") const
    {
        const auto record = service.record_for_child();
        ASSERT_EQ(pwrite(record->get(), with.data(), with.size(), at), static_cast<ssize_t>(with.size()));
    }
    void expect_undeterminable(const char* why) const
    {
        const auto state = service.read_state();
        ASSERT_FALSE(state);
        EXPECT_EQ(state.error().code, ErrorCode::undeterminable);
        EXPECT_EQ(state.error().message(), "cannot read '" + service.path() + "/record': " + why);
        EXPECT_EQ(service.read().error().message(), state.error().message());
    }

    test::ScratchDirectory scratch;
    ServiceDirectory service = ServiceDirectory::create(scratch / "run", "web").value();
};

TEST_F(TornRecord, write_that_stopped_in_the_middle_leaves_the_state_before)
{
    write_state(1);
    write_state(2);  // in the second block
    spoil(second_block + 200);
    EXPECT_EQ(service.read_state().value()->restarts, 1U);
    write_state(3);  // over the torn one
    EXPECT_EQ(service.read_state().value()->restarts, 3U);
    spoil(second_block + 200);
    EXPECT_EQ(service.read_state().value()->restarts, 1U);
}

TEST_F(TornRecord, first_write_that_stopped_in_the_middle_leaves_nothing)
{
    write_state(1);
    spoil(first_block + 200);
    EXPECT_FALSE(service.read_state().value());
}

TEST_F(TornRecord, two_damaged_blocks_cannot_be_told)
{
    write_state(1);
    write_state(2);
    spoil(first_block + 200);
    spoil(second_block + 200);
    expect_undeterminable("it is damaged");
    const auto record = service.record_for_child();
    const MainBlock block = MainBlock::of(4121, 99);
    ASSERT_EQ(pwrite(record->get(), &block, sizeof block, MainBlock::offset), static_cast<ssize_t>(sizeof block));
    EXPECT_EQ(service.read_main().value()->pid, 4121);  // the process is found all the same
    write_state(3);
    EXPECT_EQ(service.read_state().value()->restarts, 3U);
}

TEST_F(TornRecord, another_versions_state_cannot_be_told)
{
    write_state(1);
    write_state(2);
    spoil(second_block + 8, "\x63");
    expect_undeterminable("it was written by another version of steward");
}

TEST_F(TornRecord, another_versions_older_state_does_not_matter)
{
    write_state(1);
    spoil(first_block + 8, "\x63");
    write_state(2);
    EXPECT_EQ(service.read_state().value()->restarts, 2U);
    write_state(3);
    EXPECT_EQ(service.read_state().value()->restarts, 3U);
}

TEST_F(TornRecord, damaged_main_process_cannot_be_told)
{
    const MainBlock block = MainBlock::of(4121, 99);
    const std::string bytes(reinterpret_cast<const char*>(&block), sizeof block);
    spoil(0, bytes);
    spoil(8);
    const auto main = service.read_main();
    ASSERT_FALSE(main);
    EXPECT_EQ(main.error().code, ErrorCode::undeterminable);
    EXPECT_EQ(main.error().message(), "cannot read '" + service.path() + "/record': it is damaged");
    EXPECT_EQ(service.read().error().message(), main.error().message());
}

TEST_F(TornRecord, another_programs_file_cannot_be_told)
{
    spoil(0, std::string(60000, 'x'));
    expect_undeterminable("it was written by another version of steward");
    const auto main = service.read_main();
    ASSERT_FALSE(main);
    EXPECT_EQ(main.error().code, ErrorCode::undeterminable);
}

TEST_F(TornRecord, text_file_in_the_records_place_is_no_main_process)
{
    scratch.write("run/web/record", "4121\n");
    EXPECT_FALSE(service.read_main().value());
    EXPECT_FALSE(service.read_state().value());
}

TEST_F(TornRecord, directory_in_the_records_place_cannot_be_told)
{
    std::filesystem::create_directory(service.path() + "/record");
    EXPECT_EQ(service.read_state().error().code, ErrorCode::undeterminable);
    EXPECT_EQ(service.read_main().error().code, ErrorCode::undeterminable);
    EXPECT_FALSE(service.write_state(sample_state()));
}

TEST_F(TornRecord, link_in_the_records_place_is_not_followed)
{
    scratch.write("target", "");
    ASSERT_EQ(symlink((scratch / "target").c_str(), (service.path() + "/record").c_str()), 0);
    EXPECT_EQ(service.read_state().error().code, ErrorCode::undeterminable);
    EXPECT_FALSE(service.write_state(sample_state()));
    EXPECT_EQ(test::content_of(scratch / "target"), "");
}

TEST_F(TornRecord, unreadable_record_cannot_be_told)
{
    write_state(1);
    ASSERT_EQ(chmod((service.path() + "/record").c_str(), 0600), 0);
    const int outcome = test::in_child([this] {
        if (setuid(65534) != 0) return 99;
        const auto state = service.read_state();
        return !state && state.error().code == ErrorCode::undeterminable ? 0 : 1;
    });
    EXPECT_EQ(outcome, 0);
}

// Blocks of several pages, so that a read can fall between two of them.
State big_state(std::uint64_t restarts)
{
    State state = sample_state();
    state.restarts = restarts;
    const auto letter = static_cast<char>('a' + restarts % 26);
    for (std::string* path : {&state.cgroup, &state.pid_file, &state.log_file, &state.service_file}) path->assign(4095, letter);
    return state;
}

TEST_F(TornRecord, reader_never_sees_half_a_state_while_a_writer_writes)
{
    ASSERT_TRUE(service.write_state(big_state(0)));
    const pid_t writer = fork();
    if (writer == 0) {
        for (std::uint64_t restarts = 0;; ++restarts) {
            if (!service.write_state(big_state(restarts))) _exit(1);
        }
    }
    int wrong = 0;
    for (int round = 0; round < 2000; ++round) {
        const auto state = service.read_state();
        if (!state || !*state || !(**state == big_state((*state)->restarts))) ++wrong;
    }
    kill(writer, SIGKILL);
    int status = 0;
    waitpid(writer, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status));
    EXPECT_EQ(wrong, 0);
    const auto state = service.read_state();
    ASSERT_TRUE(state && *state);
    EXPECT_TRUE(**state == big_state((*state)->restarts));
}

}  // namespace
}  // namespace steward::record
