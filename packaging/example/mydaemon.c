/* A daemon that does nothing but run: TERM ends it, HUP is counted. It stays in the foreground and writes to standard output; the rest is
   the service manager's. */
#include <signal.h>
#include <stdio.h>

int main(void)
{
    sigset_t signals;
    int reloads = 0;
    int signal_number = 0;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    puts("mydaemon: up");
    fflush(stdout);
    while (sigwait(&signals, &signal_number) == 0 && signal_number != SIGTERM) {
        printf("mydaemon: reloaded, %d\n", ++reloads);
        fflush(stdout);
    }
    puts("mydaemon: down");
    return 0;
}
