// Writes numbered lines, which check_lines reads back: number_lines MIB-A-SECOND, until SIGTERM. Their lengths differ, and its writes end
// anywhere inside them. Then it writes the line that says how many there were, and ends.
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "numbered_line.hpp"

namespace {

volatile std::sig_atomic_t asked = 0;

void write_all(const char* from, std::size_t size)
{
    while (size > 0) {
        const ssize_t written = write(STDOUT_FILENO, from, size);
        if (written < 0 && errno != EINTR) std::_Exit(1);
        if (written <= 0) continue;
        from += written;
        size -= static_cast<std::size_t>(written);
    }
}

void wait_until(const timespec& begun, std::uint64_t nanoseconds)
{
    timespec when = begun;
    when.tv_sec += static_cast<time_t>(nanoseconds / 1'000'000'000);
    when.tv_nsec += static_cast<long>(nanoseconds % 1'000'000'000);
    if (when.tv_nsec >= 1'000'000'000) {
        ++when.tv_sec;
        when.tv_nsec -= 1'000'000'000;
    }
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, nullptr);
}

}  // namespace

int main(int, char** argv)
{
    const std::uint64_t bytes_a_second = std::strtoull(argv[1], nullptr, 10) << 20U;
    struct sigaction on_term {};
    on_term.sa_handler = [](int) { asked = 1; };
    sigaction(SIGTERM, &on_term, nullptr);
    timespec begun{};
    clock_gettime(CLOCK_MONOTONIC, &begun);
    std::string text;
    std::uint64_t written = 0;
    std::uint64_t number = 0;
    while (asked == 0) {
        while (text.size() < 20'000) append_numbered_line(text, number++);
        const std::size_t part = 1 + number * 7919 % text.size();
        write_all(text.data(), part);
        text.erase(0, part);
        written += part;
        wait_until(begun, written * 1'000'000'000 / bytes_a_second);
    }
    append_last_line(text, number);
    write_all(text.data(), text.size());
}
