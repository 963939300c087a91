#include <gtest/gtest.h>

#include "record/record.hpp"

namespace steward::record {
namespace {

// The child has nothing but this: it must be plain data made without a call.
static_assert(std::is_trivially_copyable_v<MainBlock>);
static_assert(sizeof(MainBlock) == 32);
static_assert(noexcept(MainBlock::of(1, 1)));
static_assert(MainBlock::of(4121, 77).checksum() == MainBlock::of(4121, 77).check);

TEST(MainBlock, checksum_covers_every_member)
{
    const MainBlock block = MainBlock::of(4121, 77);
    for (MainBlock changed :
         {MainBlock{.magic = block.magic ^ 1, .pid = block.pid, .start_time = block.start_time, .check = block.check},
          MainBlock{.magic = block.magic, .pid = block.pid + 1, .start_time = block.start_time, .check = block.check},
          MainBlock{.magic = block.magic, .pid = block.pid, .start_time = block.start_time + 1, .check = block.check}}) {
        EXPECT_NE(changed.checksum(), block.check);
    }
}

}  // namespace
}  // namespace steward::record
