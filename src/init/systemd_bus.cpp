#include "init/systemd_bus.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <map>
#include <thread>
#include <utility>

#include "init/libsystemd.hpp"
#include "os/environment.hpp"
#include "os/error.hpp"
#include "os/process.hpp"

namespace steward::init {

namespace {

constexpr const char* service = "org.freedesktop.systemd1";
constexpr const char* manager_path = "/org/freedesktop/systemd1";
constexpr const char* manager_interface = "org.freedesktop.systemd1.Manager";
constexpr const char* unit_interface = "org.freedesktop.systemd1.Unit";
constexpr const char* service_interface = "org.freedesktop.systemd1.Service";

using Clock = std::chrono::steady_clock;

// What sd_bus_call() says when it fails.
class CallError {
  public:
    explicit CallError(const Libsystemd& library) : library_(library) {}
    ~CallError() { library_.error_free(&error_); }
    CallError(const CallError&) = delete;
    CallError& operator=(const CallError&) = delete;
    [[nodiscard]] sd_bus_error* out() { return &error_; }

    [[nodiscard]] Error told(std::string operation, std::string object, int result) const
    {
        const std::string name = error_.name == nullptr ? "" : error_.name;
        Error error = os::errno_error(std::move(operation), std::move(object), result < 0 ? -result : EIO);
        if (error_.message != nullptr) error.cause = error_.message;
        if (name == "org.freedesktop.DBus.Error.AccessDenied" || name == "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired") {
            error.code = ErrorCode::not_permitted;
            error.cause = "not permitted";
        }
        return error;
    }

  private:
    const Libsystemd& library_;
    sd_bus_error error_{};
};

class Message {
  public:
    explicit Message(const Libsystemd& library) : library_(library) {}
    ~Message() { library_.message_unref(message_); }
    Message(const Message&) = delete;
    Message& operator=(const Message&) = delete;
    [[nodiscard]] sd_bus_message** out() { return &message_; }
    [[nodiscard]] sd_bus_message* get() const { return message_; }

  private:
    const Libsystemd& library_;
    sd_bus_message* message_ = nullptr;
};

std::string private_address(Scope scope)
{
    if (scope == Scope::system) return os::effective_uid() == 0 ? "unix:path=/run/systemd/private" : "";
    const auto runtime = os::environment_variable("XDG_RUNTIME_DIR");
    return "unix:path=" + (runtime ? *runtime : "/run/user/" + std::to_string(os::effective_uid())) + "/systemd/private";
}

}  // namespace

class SystemdBus::Impl {
  public:
    Impl(const Libsystemd& given, Scope wanted) : library(given), scope(wanted) {}
    ~Impl() { library.bus_close_unref(bus); }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    // First the manager's own socket, as systemctl does; then the bus.
    int open()
    {
        const std::string address = private_address(scope);
        if (!address.empty() && open_private(address) >= 0) return 0;
        return scope == Scope::system ? library.bus_open_system(&bus) : library.bus_open_user(&bus);
    }

    int open_private(const std::string& address)
    {
        int result = library.bus_new(&bus);
        if (result >= 0) result = library.bus_set_address(bus, address.c_str());
        if (result >= 0) result = library.bus_start(bus);
        if (result < 0) bus = library.bus_close_unref(bus);
        return result;
    }

    // The reply to a method of the manager whose arguments are strings.
    Result<std::string> call_for_path(const char* method, const char* operation, const std::string& unit, const char* mode)
    {
        Message request(library);
        int result = library.message_new_method_call(bus, request.out(), service, manager_path, manager_interface, method);
        if (result >= 0) result = library.message_append(request.get(), "s", unit.c_str());
        if (result >= 0 && mode != nullptr) result = library.message_append(request.get(), "s", mode);
        return finish_for_path(request, result, operation, unit);
    }

    Result<std::string> finish_for_path(const Message& request, int result, const char* operation, const std::string& unit)
    {
        CallError error(library);
        Message reply(library);
        const char* path = nullptr;
        if (result >= 0) result = library.bus_call(bus, request.get(), 0, error.out(), reply.out());
        if (result >= 0) result = library.message_read(reply.get(), "o", &path);
        if (result < 0 || path == nullptr) return fail(error.told(operation, unit, result));
        return std::string(path);
    }

    // Reads one property with `type`; what cannot be read leaves the value as it is.
    template <class Value>
    void read(const std::string& path, const char* interface, const char* name, const char* type, Value& value)
    {
        Message reply(library);
        if (library.bus_get_property(bus, service, path.c_str(), interface, name, nullptr, reply.out(), type) < 0) return;
        static_cast<void>(library.message_read(reply.get(), type, &value));
    }
    void read_text(const std::string& path, const char* interface, const char* name, std::string& value)
    {
        Message reply(library);
        const char* text = nullptr;
        if (library.bus_get_property(bus, service, path.c_str(), interface, name, nullptr, reply.out(), "s") < 0) return;
        if (library.message_read(reply.get(), "s", &text) > 0 && text != nullptr) value = text;
    }
    // Jobs that are over are told to everybody, by their paths; one can be over before its path is known here. Only from systemd: on the bus
    // anybody can send a signal of this name.
    int watch_jobs()
    {
        if (watching) return 0;
        watching = true;
        const int watched =
            library.bus_match_signal(bus, nullptr, service, manager_path, manager_interface, "JobRemoved", &Impl::note_job, this);
        if (watched < 0) return watched;
        // On its own socket systemd tells without being asked to, and says so.
        Message request(library);
        Message reply(library);
        if (library.message_new_method_call(bus, request.out(), service, manager_path, manager_interface, "Subscribe") >= 0) {
            static_cast<void>(library.bus_call(bus, request.get(), 0, nullptr, reply.out()));
        }
        return 0;
    }
    static int note_job(sd_bus_message* message, void* impl, sd_bus_error*)
    {
        auto* self = static_cast<Impl*>(impl);
        std::uint32_t id = 0;
        const char* path = nullptr;
        const char* unit = nullptr;
        const char* result = nullptr;
        if (self->library.message_read(message, "uoss", &id, &path, &unit, &result) > 0) self->jobs[path] = result;
        return 0;
    }

    Result<std::string> await_job(const std::string& path, const std::string& unit, Deadline deadline)
    {
        for (;;) {
            if (const auto found = jobs.find(path); found != jobs.end()) return found->second;
            const int processed = library.bus_process(bus, nullptr);
            if (processed < 0) return fail(os::errno_error("wait for systemd's job on", unit, -processed));
            if (processed > 0) continue;
            std::uint64_t patience = UINT64_MAX;
            if (deadline) {
                const auto left = std::chrono::ceil<std::chrono::microseconds>(*deadline - Clock::now()).count();
                if (left <= 0) {
                    return fail(Error{.code = ErrorCode::timed_out,
                                      .operation = "wait for systemd's job on",
                                      .object = unit,
                                      .cause = "it is not over yet"});
                }
                patience = static_cast<std::uint64_t>(left);
            }
            const int waited = library.bus_wait(bus, patience);
            if (waited < 0 && waited != -EINTR) return fail(os::errno_error("wait for systemd's job on", unit, -waited));
        }
    }

    Result<void> make_scope(const SystemdScope& wanted)
    {
        Message request(library);
        int result = library.message_new_method_call(bus, request.out(), service, manager_path, manager_interface, "StartTransientUnit");
        if (result >= 0) {
            result = library.message_append(request.get(), "ssa(sv)a(sa(sv))", wanted.name.c_str(), "fail", 4,  //
                                            "Description", "s", wanted.description.c_str(),                     //
                                            "PIDs", "au", 1, static_cast<std::uint32_t>(wanted.pid),            //
                                            "Delegate", "b", 1,                                                 //
                                            "CollectMode", "s", "inactive-or-failed", 0);
        }
        auto path = finish_for_path(request, result, "make", wanted.name);
        if (!path) return fail(path.error());
        auto made = await_job(*path, wanted.name, std::nullopt);
        if (!made) return fail(made.error());
        if (*made == "done") return {};
        return fail(Error{.operation = "make", .object = wanted.name, .cause = "systemd's job ended as " + *made});
    }

    // In its parts, if it has them, no process may be beside them.
    bool attach(const SystemdScope& wanted) { return attach_at("", wanted) || attach_at("/steward/.steward", wanted); }

    bool attach_at(const char* part, const SystemdScope& wanted)
    {
        Message request(library);
        Message reply(library);
        int result = library.message_new_method_call(bus, request.out(), service, manager_path, manager_interface, "AttachProcessesToUnit");
        if (result >= 0) {
            result = library.message_append(request.get(), "ssau", wanted.name.c_str(), part, 1, static_cast<std::uint32_t>(wanted.pid));
        }
        return result >= 0 && library.bus_call(bus, request.get(), 0, nullptr, reply.out()) >= 0;
    }

    const Libsystemd& library;
    Scope scope;
    sd_bus* bus = nullptr;
    bool watching = false;
    std::map<std::string, std::string> jobs;  // results by the job's path
};

SystemdBus::SystemdBus(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SystemdBus::~SystemdBus() = default;
SystemdBus::SystemdBus(SystemdBus&&) noexcept = default;
SystemdBus& SystemdBus::operator=(SystemdBus&&) noexcept = default;

Result<SystemdBus> SystemdBus::connect(Scope scope)
{
    auto library = libsystemd();
    if (!library) return fail(library.error());
    auto impl = std::make_unique<Impl>(**library, scope);
    const int result = impl->open();
    if (result < 0) return fail(os::errno_error("talk to", scope == Scope::system ? "systemd" : "the user's systemd", -result));
    return SystemdBus(std::move(impl));
}

Result<SystemdUnit> SystemdBus::unit(const std::string& name)
{
    auto path = impl_->call_for_path("LoadUnit", "ask systemd about", name, nullptr);
    if (!path) return fail(path.error());
    SystemdUnit unit;
    impl_->read_text(*path, unit_interface, "LoadState", unit.load_state);
    if (unit.load_state.empty()) {
        return fail(Error{.operation = "ask systemd about", .object = name, .cause = "it does not answer"});
    }
    impl_->read_text(*path, unit_interface, "ActiveState", unit.active_state);
    impl_->read_text(*path, unit_interface, "SubState", unit.sub_state);
    impl_->read_text(*path, unit_interface, "UnitFileState", unit.unit_file_state);
    impl_->read(*path, unit_interface, "StateChangeTimestamp", "t", unit.state_changed);
    int truth = 0;
    impl_->read(*path, unit_interface, "CanReload", "b", truth);
    unit.can_reload = std::exchange(truth, 0) != 0;
    impl_->read(*path, unit_interface, "NeedDaemonReload", "b", truth);
    unit.needs_daemon_reload = truth != 0;
    impl_->read(*path, unit_interface, "InactiveExitTimestamp", "t", unit.began);
    impl_->read_text(*path, service_interface, "Result", unit.result);
    const auto number = [&](const char* property) {
        std::uint32_t value = 0;
        impl_->read(*path, service_interface, property, "u", value);
        return value;
    };
    unit.main_pid = number("MainPID");
    unit.control_pid = number("ControlPID");
    unit.last_pid = number("ExecMainPID");
    unit.restarts = number("NRestarts");
    impl_->read(*path, service_interface, "ExecMainCode", "i", unit.exit_code);
    impl_->read(*path, service_interface, "ExecMainStatus", "i", unit.exit_status);
    impl_->read(*path, service_interface, "ExecMainExitTimestamp", "t", unit.exited);
    return unit;
}

Result<std::string> SystemdBus::job(const char* method, const std::string& unit, Deadline deadline)
{
    if (const int watched = impl_->watch_jobs(); watched < 0) return fail(os::errno_error("wait for systemd's job on", unit, -watched));
    auto path = impl_->call_for_path(method, "ask systemd to change", unit, "replace");
    if (!path) return fail(path.error());
    return impl_->await_job(*path, unit, deadline);
}

Result<void> SystemdBus::queue(const char* method, const std::string& unit)
{
    auto path = impl_->call_for_path(method, "ask systemd to change", unit, "replace");
    if (!path) return fail(path.error());
    return {};
}

Result<void> SystemdBus::signal_main(const std::string& unit, int signal)
{
    const Libsystemd& library = impl_->library;
    Message request(library);
    Message reply(library);
    CallError error(library);
    int result = library.message_new_method_call(impl_->bus, request.out(), service, manager_path, manager_interface, "KillUnit");
    if (result >= 0) result = library.message_append(request.get(), "ssi", unit.c_str(), "main", signal);
    if (result >= 0) result = library.bus_call(impl_->bus, request.get(), 0, error.out(), reply.out());
    if (result < 0) return fail(error.told("signal", unit, result));
    return {};
}

Result<void> SystemdBus::enter_scope(const SystemdScope& scope)
{
    if (const int watched = impl_->watch_jobs(); watched < 0) return fail(os::errno_error("make", scope.name, -watched));
    // Between the two the scope of an earlier start may go, or come; one that is empty and may not be joined goes in a moment.
    constexpr int attempts = 8;
    std::chrono::milliseconds pause{1};
    Result<void> made;
    for (int attempt = 0; attempt < attempts; ++attempt) {
        made = impl_->make_scope(scope);
        if (made || impl_->attach(scope)) return {};
        std::this_thread::sleep_for(std::exchange(pause, 2 * pause));
    }
    return made;
}

}  // namespace steward::init
