// A daemon that SIGTERM does not end. Says "ready" when that is so.
#include <unistd.h>

#include <csignal>
#include <cstdio>

int main()
{
    std::signal(SIGTERM, SIG_IGN);
    std::puts("ready");
    std::fflush(stdout);
    for (;;) pause();
}
