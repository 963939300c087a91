#include "record/state_block.hpp"

#include <gtest/gtest.h>

#include <climits>
#include <cstring>

#include "sample_state.hpp"

namespace steward::record {
namespace {

std::vector<std::byte> bytes_of(const State& state)
{
    return encode({.state = state, .sequence = 5, .main_check = 6}).value();
}

TEST(StateBlock, keeps_every_member)
{
    const auto block = decode(bytes_of(sample_state()));
    ASSERT_TRUE(block);
    EXPECT_TRUE(block->state == sample_state());
    EXPECT_EQ(block->sequence, 5U);
    EXPECT_EQ(block->main_check, 6U);
}

TEST(StateBlock, keeps_what_is_absent_absent)
{
    const auto block = decode(bytes_of({}));
    ASSERT_TRUE(block);
    EXPECT_TRUE(block->state == State{});
    EXPECT_FALSE(block->state.next_start);
    EXPECT_FALSE(block->state.last_exit);
}

TEST(StateBlock, every_state_is_kept)
{
    for (int number = 0; number <= static_cast<int>(ServiceState::unknown); ++number) {
        State state;
        state.state = static_cast<ServiceState>(number);
        EXPECT_EQ(decode(bytes_of(state))->state.state, state.state);
    }
}

TEST(StateBlock, the_longest_of_everything_fits)
{
    State state = sample_state();
    for (std::string* path : {&state.cgroup, &state.pid_file, &state.log_file, &state.service_file}) path->assign(PATH_MAX - 1, 'x');
    for (std::string* text : {&state.reason, &state.description, &state.status_text, &state.boot.boot_id}) text->assign(5000, 'r');
    for (const std::size_t length : {0U, 1U, 7U, 3000U}) {
        state.command.assign(5000, std::string(length, 'w'));
        const auto bytes = bytes_of(state);
        EXPECT_LE(bytes.size(), state_block_limit);
        const auto block = decode(bytes);
        ASSERT_TRUE(block);
        EXPECT_EQ(block->state.service_file, state.service_file);
    }
}

TEST(StateBlock, path_that_no_kernel_takes_is_refused)
{
    for (std::string State::*path : {&State::cgroup, &State::pid_file, &State::log_file, &State::service_file}) {
        State state;
        (state.*path).assign(PATH_MAX, 'x');
        const auto bytes = encode({.state = state});
        ASSERT_FALSE(bytes);
        EXPECT_EQ(bytes.error().code, ErrorCode::invalid_argument);
        EXPECT_NE(bytes.error().message().find("longer than 4095 bytes"), std::string::npos) << bytes.error().message();
    }
}

TEST(StateBlock, long_reason_is_cut_between_characters)
{
    State state;
    state.reason = std::string(1023, 'r') + "é and more";
    EXPECT_EQ(decode(bytes_of(state))->state.reason, std::string(1023, 'r'));
}

TEST(StateBlock, any_flipped_byte_is_noticed)
{
    const auto whole = bytes_of(sample_state());
    for (std::size_t at = 0; at < whole.size(); ++at) {
        auto torn = whole;
        torn[at] ^= std::byte{0x40};
        EXPECT_FALSE(decode(torn)) << "byte " << at;
    }
}

TEST(StateBlock, any_missing_end_is_noticed)
{
    const auto whole = bytes_of(sample_state());
    for (std::size_t size = 0; size < whole.size(); ++size) {
        EXPECT_FALSE(decode(std::span(whole).first(size))) << size << " bytes";
    }
}

TEST(StateBlock, bytes_behind_it_do_not_matter)
{
    auto longer = bytes_of(sample_state());
    const std::size_t size = longer.size();
    longer.resize(size + 100, std::byte{0xff});
    EXPECT_TRUE(decode(longer));
    EXPECT_EQ(state_block_size(longer), size);
}

TEST(StateBlock, faults_are_told_apart)
{
    EXPECT_EQ(decode({}).error(), BlockFault::empty);
    EXPECT_EQ(decode(std::vector(100, std::byte{0})).error(), BlockFault::empty);
    EXPECT_EQ(decode(std::vector(100, std::byte{7})).error(), BlockFault::foreign);
    const auto whole = bytes_of(sample_state());
    EXPECT_EQ(decode(std::span(whole).first(100)).error(), BlockFault::partial);
    auto other = whole;
    other[8] = std::byte{99};  // the version
    EXPECT_EQ(decode(other).error(), BlockFault::foreign);
    EXPECT_EQ(state_block_sequence(other), 5U);
    auto torn = whole;
    torn.back() ^= std::byte{1};
    EXPECT_EQ(decode(torn).error(), BlockFault::torn);
}

TEST(StateBlock, size_beyond_a_blocks_place_is_not_believed)
{
    auto bytes = bytes_of({});
    const auto size = static_cast<std::uint32_t>(state_block_limit + 1);
    std::memcpy(bytes.data() + 12, &size, sizeof size);
    EXPECT_EQ(state_block_size(bytes), 0U);
    EXPECT_EQ(decode(bytes).error(), BlockFault::torn);
}

}  // namespace
}  // namespace steward::record
