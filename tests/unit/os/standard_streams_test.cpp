#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helpers/in_child.hpp"
#include "os/fd.hpp"

namespace steward::os {
namespace {

bool is_null(int fd)
{
    struct stat null = {};
    struct stat ours = {};
    return ::stat("/dev/null", &null) == 0 && ::fstat(fd, &ours) == 0 && ours.st_rdev == null.st_rdev;
}

TEST(StandardStreams, that_are_closed_are_opened_on_the_null_device)
{
    for (unsigned closed = 0; closed < 8; ++closed) {
        EXPECT_EQ(test::in_child([closed] {
                      const int file = ::open("/etc/passwd", O_RDONLY);
                      for (int stream = 0; stream < 3; ++stream) ::dup2(file, stream);
                      for (int stream = 0; stream < 3; ++stream) {
                          if ((closed >> stream & 1U) != 0) ::close(stream);
                      }
                      if (!open_standard_streams()) return 1;
                      for (int stream = 0; stream < 3; ++stream) {
                          if (is_null(stream) != ((closed >> stream & 1U) != 0)) return 2;
                      }
                      return 0;
                  }),
                  0)
            << closed;
    }
}

}  // namespace
}  // namespace steward::os
