#include "os/shortage.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <new>

#include "helpers/in_child.hpp"

namespace steward::os {
namespace {

TEST(Shortage, is_what_passes_by_itself)
{
    for (const int error : {EAGAIN, EMFILE, ENFILE, ENOMEM, ENOSPC, EDQUOT}) EXPECT_TRUE(is_shortage(error)) << error;
    for (const int error : {0, EPERM, EACCES, ENOENT, EINVAL, E2BIG}) EXPECT_FALSE(is_shortage(error)) << error;
}

int told = 0;

TEST(Shortage, an_allocation_without_memory_waits_and_tells_once)
{
    const int code = test::in_child([] {
        wait_for_memory([]() noexcept { ++told; });
        const std::new_handler wait = std::get_new_handler();
        wait();  // as operator new does, before it tries again
        wait();
        return told;
    });
    EXPECT_EQ(code, 1);
}

}  // namespace
}  // namespace steward::os
