// Runs a piece of a test in a process of its own: for what cannot be undone (dropped privileges, closed descriptors).
#pragma once

#include <sys/wait.h>
#include <unistd.h>
#include <cerrno>

namespace steward::test {

// The exit code that `body` returned in the child; 1000 + N when signal N ended it. No destructors or gtest reports run there:
// failures are told by the code.
template <class Body>
int in_child(Body body)
{
    const pid_t pid = fork();
    if (pid == 0) _exit(body());
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace steward::test
