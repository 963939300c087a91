#include "injector.hpp"

#include <elf.h>
#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <map>
#include <sstream>

#include "helpers/scratch.hpp"

namespace steward::test {

namespace {

constexpr int most_seconds = 20;
constexpr int grace_seconds = 5;  // for processes that are about to end

// Interrupts waitpid(2), which knows no time-out.
class Patience {
  public:
    Patience()
    {
        struct sigaction action {};
        action.sa_handler = [](int) {};
        sigaction(SIGALRM, &action, &before_);
    }
    ~Patience()
    {
        until(0);
        sigaction(SIGALRM, &before_, nullptr);
    }
    Patience(const Patience&) = delete;
    Patience& operator=(const Patience&) = delete;

    void until(int seconds) const
    {
        const itimerval timer{.it_interval = {}, .it_value = {.tv_sec = seconds, .tv_usec = 0}};
        setitimer(ITIMER_REAL, &timer, nullptr);
    }

  private:
    struct sigaction before_ {};
};

// The system call that a stopped process is about to make becomes none at all.
void skip_call(pid_t pid)
{
#if defined(__x86_64__)
    ptrace(PTRACE_POKEUSER, pid, offsetof(user_regs_struct, orig_rax), -1L);
#elif defined(__aarch64__)
    int none = -1;
    iovec vector{.iov_base = &none, .iov_len = sizeof none};
    ptrace(PTRACE_SETREGSET, pid, NT_ARM_SYSTEM_CALL, &vector);
#else
#error "say how a system call is skipped on this architecture"
#endif
}

void set_result(pid_t pid, long result)
{
    user_regs_struct registers{};
    iovec vector{.iov_base = &registers, .iov_len = sizeof registers};
    ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &vector);
#if defined(__x86_64__)
    registers.rax = static_cast<unsigned long long>(result);
#elif defined(__aarch64__)
    registers.regs[0] = static_cast<unsigned long long>(result);
#endif
    ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &vector);
}

struct Tracee {
    std::optional<unsigned> generation;  // unset: stopped at its birth before its parent's event told whose child it is
    unsigned calls = 0;
    bool counts = false;  // between the markers; from birth to exec
    bool inside = false;  // between a call's entry and its exit
    int failing = 0;
};

class Tracer {
  public:
    Tracer(const std::vector<std::string>& argv, const std::optional<Fault>& fault) : argv_(argv), fault_(fault) {}

    Observation run()
    {
        const Patience patience;
        const pid_t root = begin();
        bool root_lives = true;
        patience.until(most_seconds);
        while (!tracees_.empty()) {
            int status = 0;
            const pid_t pid = waitpid(-1, &status, __WALL);
            if (pid < 0) break;
            if (WIFEXITED(status) || WIFSIGNALED(status)) {
                tracees_.erase(pid);
                if (pid == root) {
                    root_lives = false;
                    patience.until(grace_seconds);
                }
            } else {
                stopped(pid, status);
            }
            // One that has reached exec ends when the program ends it, which a killed one does not.
            const bool program_killed = fault_ && fault_->generation == 0 && fault_->error == 0;
            if (!root_lives && program_killed && tracees_.size() == 1 && seen_.executed && tracees_.contains(*seen_.executed)) break;
        }
        seen_.hung = root_lives;
        for (const auto& [pid, tracee] : tracees_) {
            (seen_.executed == pid ? seen_.executed_lives : seen_.others_live) = true;
            kill(pid, SIGKILL);
            waitpid(pid, nullptr, __WALL);
        }
        std::istringstream output(content_of(output_));
        for (std::string line; std::getline(output, line);) seen_.lines.push_back(line);
        return seen_;
    }

  private:
    pid_t begin()
    {
        output_ = scratch_ / "output";
        const pid_t pid = fork();
        if (pid == 0) {
            std::vector<char*> argv;
            for (const auto& argument : argv_) argv.push_back(const_cast<char*>(argument.c_str()));
            argv.push_back(nullptr);
            const int output = open(output_.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
            dup2(output, STDOUT_FILENO);
            close(output);
            ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
            std::raise(SIGSTOP);
            execv(argv[0], argv.data());
            _exit(127);
        }
        int status = 0;
        waitpid(pid, &status, __WALL);
        constexpr long options =
            PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
        ptrace(PTRACE_SETOPTIONS, pid, nullptr, options);
        tracees_[pid].generation = 0;
        go_on(pid, 0);
        return pid;
    }

    static void go_on(pid_t pid, int signal) { ptrace(PTRACE_SYSCALL, pid, nullptr, static_cast<long>(signal)); }

    void stopped(pid_t pid, int status)
    {
        Tracee& tracee = tracees_[pid];
        const int signal = WSTOPSIG(status);
        const int event = status >> 16;
        if (!tracee.generation) return;  // go_on() follows the parent's event
        if (signal == (SIGTRAP | 0x80)) return at_call(pid, tracee);
        if (event == PTRACE_EVENT_EXEC && *tracee.generation > 0) {
            tracee.counts = false;
            seen_.executed = pid;
        } else if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK || event == PTRACE_EVENT_CLONE) {
            born(pid, *tracee.generation + 1);
        }
        const bool passed_on = event == 0 && signal != SIGSTOP && signal != SIGTRAP;
        go_on(pid, passed_on ? signal : 0);
    }

    void born(pid_t parent, unsigned generation)
    {
        unsigned long message = 0;
        ptrace(PTRACE_GETEVENTMSG, parent, nullptr, &message);
        const auto child = static_cast<pid_t>(message);
        const bool waits = tracees_.contains(child);
        tracees_[child] = {.generation = generation, .calls = 0, .counts = true, .inside = false, .failing = 0};
        int status = 0;
        if (!waits) waitpid(child, &status, __WALL);
        go_on(child, 0);
    }

    void at_call(pid_t pid, Tracee& tracee)
    {
        tracee.inside = !tracee.inside;
        if (!tracee.inside) {
            if (tracee.failing != 0) {
                set_result(pid, -tracee.failing);
            } else if (will_be_restarted(pid)) {
                forget_last(tracee);
            }
            tracee.failing = 0;
            return go_on(pid, 0);
        }
        __ptrace_syscall_info info{};
        ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info);
        const bool marker = info.entry.nr == SYS_sched_get_priority_max && info.entry.args[0] == marker_policy;
        if (marker) tracee.counts = !tracee.counts;
        if (!marker && tracee.counts && count(pid, tracee, info.entry.nr, info.entry.args[0])) return;
        go_on(pid, 0);
    }

    // ptrace shows the SIGCHLD that nobody waits for too, and with it the call that it interrupts twice.
    static bool will_be_restarted(pid_t pid)
    {
        constexpr std::int64_t first_restart = 512, last_restart = 516;  // ERESTARTSYS and its like, which no program sees
        __ptrace_syscall_info info{};
        ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info);
        return -info.exit.rval >= first_restart && -info.exit.rval <= last_restart;
    }

    void forget_last(Tracee& tracee)
    {
        if (!tracee.counts) return;
        --tracee.calls;
        std::erase_if(seen_.calls,
                      [&](const SystemCall& call) { return call.generation == tracee.generation && call.index == tracee.calls; });
    }

    // True when the process has been killed.
    bool count(pid_t pid, Tracee& tracee, std::uint64_t number, std::uint64_t argument)
    {
        const unsigned generation = *tracee.generation;
        const unsigned index = tracee.calls++;
        seen_.calls.push_back({.generation = generation, .index = index, .number = number, .first_argument = argument});
        if (!fault_ || fault_->generation != generation || fault_->index != index) return false;
        if (fault_->error == 0) return kill(pid, SIGKILL) == 0;
        skip_call(pid);
        tracee.failing = fault_->error;
        return false;
    }

    const std::vector<std::string>& argv_;
    const std::optional<Fault>& fault_;
    ScratchDirectory scratch_;
    std::string output_;
    std::map<pid_t, Tracee> tracees_;
    Observation seen_;
};

}  // namespace

Observation observe(const std::vector<std::string>& argv, const std::optional<Fault>& fault)
{
    return Tracer(argv, fault).run();
}

}  // namespace steward::test
