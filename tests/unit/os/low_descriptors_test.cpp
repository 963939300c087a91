#include "os/low_descriptors.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helpers/denied.hpp"
#include "helpers/in_child.hpp"
#include "os/pipe.hpp"

namespace steward::os {
namespace {

// They are kept for the life of a process: so each test has one of its own.
TEST(LowDescriptors, there_are_none_before_they_are_kept)
{
    EXPECT_EQ(test::in_child([] { return !LowDescriptors::kept() && LowDescriptors::end() == 0 && !LowDescriptors().lend({}) ? 0 : 1; }),
              0);
}

TEST(LowDescriptors, lends_copies_below_its_end_and_lets_go_of_them)
{
    if (test::is_denied("close_range")) GTEST_SKIP() << "needs close_range(2)";
    EXPECT_EQ(test::in_child([] {
                  keep_low_descriptors();
                  if (!LowDescriptors::kept()) return 1;
                  auto pipe = make_pipe();
                  int lent = -1;
                  {
                      LowDescriptors low;
                      const auto first = low.lend(pipe->write);
                      const auto second = low.lend(pipe->write);
                      if (!first || !second || *first == *second || *first < 3 || *second >= LowDescriptors::end()) return 2;
                      lent = *first;
                      if ((fcntl(lent, F_GETFD) & FD_CLOEXEC) == 0) return 3;
                      pipe->write.reset();
                      if (write(lent, "x", 1) != 1) return 4;
                  }
                  char bytes[2] = {};
                  if (read(pipe->read.get(), bytes, 2) != 1 || read(pipe->read.get(), bytes, 1) != 0) return 5;  // and then its end
                  struct stat still = {};
                  return fstat(lent, &still) == 0 && S_ISCHR(still.st_mode) ? 0 : 6;
              }),
              0);
}

TEST(LowDescriptors, lends_as_many_as_a_launch_may_need_and_no_more)
{
    if (test::is_denied("close_range")) GTEST_SKIP() << "needs close_range(2)";
    EXPECT_EQ(test::in_child([] {
                  keep_low_descriptors();
                  LowDescriptors low;
                  for (int count = 0; count < 7; ++count) {
                      if (!low.lend(BorrowedFd(0))) return 1;
                  }
                  return low.lend(BorrowedFd(0)) ? 2 : 0;
              }),
              0);
}

TEST(LowDescriptors, keeps_none_where_there_are_too_few)
{
    EXPECT_EQ(test::in_child([] {
                  const int next = dup(0);
                  close(next);
                  const rlimit few{.rlim_cur = static_cast<rlim_t>(next) + 4, .rlim_max = static_cast<rlim_t>(next) + 4};
                  setrlimit(RLIMIT_NOFILE, &few);
                  keep_low_descriptors();
                  if (LowDescriptors::kept()) return 1;
                  const int after = dup(0);
                  return after == next ? 0 : 2;
              }),
              0);
}

}  // namespace
}  // namespace steward::os
