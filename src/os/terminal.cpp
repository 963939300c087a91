#include <steward/terminal.hpp>

#include <sys/ioctl.h>
#include <unistd.h>

namespace steward {

bool is_terminal(int fd)
{
    return isatty(fd) == 1;
}

unsigned terminal_width(int fd)
{
    winsize size{};
    return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

bool caller_is_root()
{
    return geteuid() == 0;
}

}  // namespace steward
