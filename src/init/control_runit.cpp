// runit: sv, and the directory that runsvdir watches. A service that is linked there has a runsv, and `down` in the service's directory has
// runsv leave it alone until it is asked.
#include <charconv>
#include <chrono>
#include <string_view>
#include <thread>

#include "init/tools.hpp"
#include "os/error.hpp"
#include "os/file.hpp"
#include "os/tree.hpp"

namespace steward::init {

namespace {

// runsvdir looks for changes every five seconds.
constexpr std::chrono::seconds patience{20};
constexpr std::chrono::milliseconds pause{50};

// runsv's own directories, outside of the service's: where the links `supervise` lead.
std::string supervise(const std::string& name)
{
    return "/run/sv." + name;
}

std::string log_supervise(const std::string& name)
{
    return "/run/sv-log." + name;
}

// A FIFO that nobody reads cannot be opened to write.
bool has_runsv(const std::string& directory)
{
    return os::open_following(directory + "/ok", {.write = true}).has_value();
}

class RunitControl final : public ToolControl {
  public:
    using ToolControl::ToolControl;

    [[nodiscard]] InitSystem system() const override { return InitSystem::runit; }

    // What is not linked has no runsv: then nobody but steward could start it.
    Result<bool> knows(const std::string& name) const override
    {
        const auto found = os::info_at("/etc/service/" + name, true);
        if (!found) return fail(found.error());
        return found->has_value();
    }

    Result<BootState> boot_state(const std::string& name) const override
    {
        auto known = knows(name);
        if (!known) return fail(known.error());
        if (!*known) return BootState::unknown;
        const auto down = os::info_at(service(name) + "/down");
        if (!down) return fail(down.error());
        return *down ? BootState::disabled : BootState::enabled;
    }

    Result<bool> runs(const std::string& name) const override
    {
        auto end = ask({"sv", "status", service(name)});
        if (!end) return fail(end.error());
        return end->output.starts_with("run:");
    }

    // "run: /etc/service/web: (pid 4711) 12s"
    [[nodiscard]] std::int64_t main_pid(const std::string& name) const override
    {
        constexpr std::string_view before = "(pid ";
        const auto end = ask({"sv", "status", service(name)});
        const std::size_t at = end && end->output.starts_with("run:") ? end->output.find(before) : std::string::npos;
        if (at == std::string::npos) return 0;
        std::int64_t pid = 0;
        const char* const digits = end->output.data() + at + before.size();
        std::from_chars(digits, end->output.data() + end->output.size(), pid);
        return pid;
    }

    // `sv restart` has one time for the stop and the start.
    Result<void> restart(const std::string& name) const override
    {
        auto stopped = stop(name);
        return stopped ? start(name) : stopped;
    }

    [[nodiscard]] bool owns_links() const override { return true; }
    // runsv reads `down` once, when it begins: what is enabled before that would be started too.
    Result<void> enable(const std::string& name) const override
    {
        return set_down("enable", name, [](const os::Tree& host, const std::string& path) { return host.remove(path); });
    }
    Result<void> disable(const std::string& name) const override
    {
        return set_down("disable", name, [](const os::Tree& host, const std::string& path) { return host.write_file(path, "", 0644); });
    }
    Result<void> forget(const std::string& name) const override
    {
        auto ended = await("remove", name, [&] { return !has_runsv(supervise(name)) && !has_runsv(log_supervise(name)); });
        if (!ended) return ended;
        const auto host = os::Tree::open({});
        if (!host) return fail(host.error());
        auto removed = host->remove_all(supervise(name));
        return removed ? host->remove_all(log_supervise(name)) : removed;
    }

  private:
    static std::string service(const std::string& name) { return "/etc/service/" + name; }

    template <class Change>
    Result<void> set_down(const char* operation, const std::string& name, Change change) const
    {
        auto known = knows(name);
        if (!known) return fail(known.error());
        if (!*known) {
            return fail(Error{.code = ErrorCode::unsupported,
                              .operation = operation,
                              .object = name,
                              .cause = "runit does not know it",
                              .next_step = "a link in /etc/service"});
        }
        if (auto begun = await(operation, name, [&] { return has_runsv(service(name) + "/supervise"); }); !begun) return begun;
        const auto host = os::Tree::open({});
        if (!host) return fail(host.error());
        return change(*host, service(name) + "/down");
    }

    template <class Condition>
    static Result<void> await(const char* operation, const std::string& name, Condition condition)
    {
        const auto deadline = std::chrono::steady_clock::now() + patience;
        while (!condition()) {
            if (std::chrono::steady_clock::now() >= deadline) {
                return fail(Error{.code = ErrorCode::failed,
                                  .operation = operation,
                                  .object = name,
                                  .cause = "runsvdir has not taken up what changed in /etc/service"});
            }
            std::this_thread::sleep_for(pause);
        }
        return {};
    }

    // A stop takes as long as the service may: `steward run` keeps to [stop] timeout itself. What has not begun in sv's own time has ended
    // again. sv tells by its exit code what became of it.
    [[nodiscard]] Argv command(const char* verb, const std::string& name) const override
    {
        const bool stops = std::string_view(verb) == "stop";
        return {"sv", "-w", stops ? "86400" : "7", verb, service(name)};
    }
};

}  // namespace

std::unique_ptr<Control> make_runit_control(RunTool run)
{
    return std::make_unique<RunitControl>(std::move(run));
}

}  // namespace steward::init
