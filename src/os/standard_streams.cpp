#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "os/error.hpp"
#include "os/fd.hpp"

namespace steward::os {

Result<void> open_standard_streams()
{
    for (int stream = 0; stream < 3; ++stream) {
        if (::fcntl(stream, F_GETFD) >= 0) continue;
        // The lowest free number, and so this one: those below it are open.
        if (::open("/dev/null", O_RDWR | O_NOCTTY) < 0) return fail(errno_error("open", quoted("/dev/null"), errno));
    }
    return {};
}

}  // namespace steward::os
