#include "config/schema.hpp"

#include <array>
#include <limits>

#include "config/fields.hpp"
#include "config/grammar.hpp"

namespace steward::config {

namespace {

using field::Word;

constexpr std::array types{Word{"simple", ServiceType::simple}, Word{"forking", ServiceType::forking},
                           Word{"oneshot", ServiceType::oneshot}};
constexpr std::array stop_modes{Word{"group", StopMode::group}, Word{"mixed", StopMode::mixed}, Word{"main", StopMode::main}};
constexpr std::array policies{Word{"never", RestartPolicyKind::never}, Word{"on-success", RestartPolicyKind::on_success},
                              Word{"on-failure", RestartPolicyKind::on_failure}, Word{"on-abnormal", RestartPolicyKind::on_abnormal},
                              Word{"always", RestartPolicyKind::always}};
constexpr std::array outputs{Word{"auto", LogOutput::automatic}, Word{"file", LogOutput::file},       Word{"journal", LogOutput::journal},
                             Word{"syslog", LogOutput::syslog},  Word{"inherit", LogOutput::inherit}, Word{"null", LogOutput::null}};

constexpr std::array supervisors{Word{"auto", Supervisor::automatic}, Word{"init", Supervisor::init}, Word{"steward", Supervisor::steward}};

constexpr std::array timestamps{Word{"none", LogTimestamps::none}, Word{"iso8601", LogTimestamps::iso8601},
                                Word{"tai64n", LogTimestamps::tai64n}};

constexpr std::array compressions{Word{"none", LogCompression::none}, Word{"gzip", LogCompression::gzip},
                                  Word{"zstd", LogCompression::zstd}};

template <auto Section, auto Member, class Kind>
constexpr Key key(std::string_view table, std::string_view name)
{
    return {table, name,
            [](const Key&, const Node& value, Reading& reading, ServiceSpec& spec) {
                if (auto read = Kind::read(value, reading)) (spec.*Section).*Member = std::move(*read);
            },
            [](const Key&, const ServiceSpec& spec) -> std::optional<Node> { return Kind::write((spec.*Section).*Member); }};
}

constexpr Key unsupported(std::string_view table, std::string_view name)
{
    return {table, name};
}

template <auto Member, class Kind>
constexpr Key service(std::string_view name)
{
    return key<&ServiceSpec::service, Member, Kind>("service", name);
}
template <auto Member>
constexpr Key directories(std::string_view name)
{
    return key<&ServiceSpec::directories, Member, field::Several<field::ExpandedText<object_to_directory_name>>>("directories", name);
}
template <auto Member, class Kind>
constexpr Key stop(std::string_view name)
{
    return key<&ServiceSpec::stop, Member, Kind>("stop", name);
}
template <auto Member, class Kind>
constexpr Key ready(std::string_view name)
{
    return key<&ServiceSpec::ready, Member, Kind>("ready", name);
}
template <auto Member, class Kind = field::Commands>
constexpr Key hooks(std::string_view name)
{
    return key<&ServiceSpec::hooks, Member, Kind>("hooks", name);
}
template <auto Member, class Kind>
constexpr Key health(std::string_view name)
{
    return key<&ServiceSpec::health, Member, Kind>("health", name);
}
template <auto Member, class Kind>
constexpr Key restart(std::string_view name)
{
    return key<&ServiceSpec::restart, Member, Kind>("restart", name);
}
template <auto Member, class Kind>
constexpr Key resources(std::string_view name)
{
    return key<&ServiceSpec::resources, Member, field::Optional<Kind, int>>("resources", name);
}

// Of the socket whose table is being read, and of the only one that is written.
template <auto Member, class Kind>
constexpr Key socket(std::string_view name)
{
    return {"socket", name,
            [](const Key&, const Node& value, Reading& reading, ServiceSpec& spec) {
                if (auto read = Kind::read(value, reading)) spec.sockets.back().*Member = std::move(*read);
            },
            [](const Key&, const ServiceSpec& spec) -> std::optional<Node> {
                return spec.sockets.empty() ? std::nullopt : Kind::write(spec.sockets.front().*Member);
            }};
}

template <auto Member>
constexpr Key dependencies(std::string_view name)
{
    return key<&ServiceSpec::dependencies, Member, field::Several<field::ExpandedText<object_to_dependency>>>("dependencies", name);
}

// Files and overrides add to the environment variable by variable.
void read_environment(const Key&, const Node& value, Reading& reading, ServiceSpec& spec)
{
    auto variables = field::Environment::read(value, reading);
    if (!variables) return;
    for (auto& [name, text] : *variables) spec.service.environment.insert_or_assign(name, std::move(text));
}

std::optional<Node> write_environment(const Key&, const ServiceSpec& spec)
{
    return field::Environment::write(spec.service.environment);
}

void read_inheritance(const Key&, const Node& value, Reading& reading, ServiceSpec& spec)
{
    if (value.kind == Node::Kind::flag) {
        spec.service.inherit_environment = value.flag ? InheritEnvironment::yes : InheritEnvironment::no;
        spec.service.inherited_variables.clear();
    } else if (value.kind == Node::Kind::list) {
        auto names = field::Several<field::Text<object_to_variable>>::read(value, reading);
        spec.service.inherit_environment = InheritEnvironment::listed;
        if (names) spec.service.inherited_variables = std::move(*names);
    } else {
        reading.expected(value, "true, false or an array of names");
    }
}

std::optional<Node> write_inheritance(const Key&, const ServiceSpec& spec)
{
    switch (spec.service.inherit_environment) {
        case InheritEnvironment::automatic: break;
        case InheritEnvironment::yes: return Node::of(true);
        case InheritEnvironment::no: return Node::of(false);
        case InheritEnvironment::listed: return Node::of(spec.service.inherited_variables);
    }
    return std::nullopt;
}

template <LimitUnit Unit>
void read_limit(const Key& key, const Node& value, Reading& reading, ServiceSpec& spec)
{
    std::string text = value.text;
    if (value.kind == Node::Kind::integer) {
        text = std::to_string(value.integer);
    } else if (value.kind != Node::Kind::text) {
        return reading.expected(value, "an integer, \"infinity\" or \"SOFT:HARD\"");
    }
    std::string objection;
    const auto limit = parse_limit(text, Unit, objection);
    if (!limit) return reading.objection(value, text, objection);
    spec.limits.insert_or_assign(std::string(key.name), *limit);
}

std::optional<Node> write_limit(const Key& key, const ServiceSpec& spec)
{
    const auto found = spec.limits.find(std::string(key.name));
    if (found == spec.limits.end()) return std::nullopt;
    const auto& [soft, hard] = found->second;
    const bool plain = soft == hard && soft <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    return plain ? Node::of(static_cast<std::int64_t>(soft)) : Node::of(format_limit(found->second));
}

constexpr Key limit(std::string_view name, LimitUnit unit)
{
    return {"limits", name, unit == LimitUnit::bytes ? read_limit<LimitUnit::bytes> : read_limit<LimitUnit::count>, write_limit};
}

using Service = ServiceSpec::Service;
using Directories = ServiceSpec::Directories;
using Stop = ServiceSpec::Stop;
using Ready = ServiceSpec::Ready;
using Hooks = ServiceSpec::Hooks;
using Health = ServiceSpec::Health;
using Reload = ServiceSpec::Reload;
using Restart = ServiceSpec::Restart;
using Log = ServiceSpec::Log;
using Resources = ServiceSpec::Resources;
using Security = ServiceSpec::Security;
using Dependencies = ServiceSpec::Dependencies;
using Install = ServiceSpec::Install;
using Systemd = ServiceSpec::Systemd;
using Path = field::ExpandedText<object_to_path>;
using FilePath = field::ExpandedText<object_to_file_path>;
using Account = field::Text<object_to_account>;
using Line = field::ExpandedText<object_to_line>;

constexpr std::int64_t most_rotated = 100'000;
// Any setting, word for word.
template <auto Section>
constexpr Key passed_on(std::string_view table)
{
    return {table, "*",
            [](const Key&, const Node& value, Reading& reading, ServiceSpec& spec) {
                const std::string name(reading.key());
                if (const auto objection = object_to_setting(name)) return reading.objection(value, name, *objection);
                if (auto lines = field::UnitLines::read(value, reading)) (spec.systemd.*Section).insert_or_assign(name, std::move(*lines));
            },
            [](const Key&, const ServiceSpec& spec) -> std::optional<Node> {
                if ((spec.systemd.*Section).empty()) return std::nullopt;
                Node table_node = Node::table();
                for (const auto& [name, lines] : spec.systemd.*Section)
                    table_node.members.push_back({name, {}, field::UnitLines::write(lines)});
                return table_node;
            }};
}

constexpr std::int64_t most_tasks = 1 << 22;  // what Linux can number
constexpr std::int64_t most_waiting = std::numeric_limits<int>::max();
constexpr std::int64_t most_restarts = std::numeric_limits<std::uint32_t>::max();

constexpr auto keys = std::to_array<Key>({
    service<&Service::description, Line>("description"),
    service<&Service::documentation, field::Several<field::Text<object_to_line>>>("documentation"),
    service<&Service::type, field::Choice<types>>("type"),
    service<&Service::command, field::Command>("command"),
    service<&Service::options_variable, field::Text<object_to_shell_variable>>("options-variable"),
    service<&Service::working_directory, Path>("working-directory"),
    service<&Service::root_directory, Path>("root-directory"),
    service<&Service::user, Account>("user"),
    service<&Service::group, Account>("group"),
    service<&Service::supplementary_groups, field::Several<Account>>("supplementary-groups"),
    service<&Service::umask, field::Octal<0777, 022>>("umask"),
    {"service", "environment", read_environment, write_environment},
    service<&Service::environment_files, field::EnvironmentFiles>("environment-files"),
    {"service", "inherit-environment", read_inheritance, write_inheritance},
    service<&Service::pid_file, FilePath>("pid-file"),
    service<&Service::supervise, field::Flag>("supervise"),

    directories<&Directories::runtime>("runtime"),
    directories<&Directories::state>("state"),
    directories<&Directories::cache>("cache"),
    directories<&Directories::logs>("logs"),
    directories<&Directories::configuration>("configuration"),
    key<&ServiceSpec::directories, &Directories::mode, field::Octal<07777, 0755>>("directories", "mode"),

    hooks<&Hooks::pre_start>("pre-start"),
    hooks<&Hooks::post_start>("post-start"),
    hooks<&Hooks::pre_stop>("pre-stop"),
    hooks<&Hooks::post_stop>("post-stop"),
    hooks<&Hooks::on_failure>("on-failure"),
    hooks<&Hooks::on_give_up>("on-give-up"),
    hooks<&Hooks::timeout, field::PositiveSpan>("timeout"),

    ready<&Ready::notify, field::Wish>("notify"),
    ready<&Ready::fd, field::ProgramDescriptor>("fd"),
    ready<&Ready::log, field::Text<object_to_expression>>("log"),
    ready<&Ready::tcp, field::ExpandedText<object_to_endpoint>>("tcp"),
    ready<&Ready::unix_socket, field::ExpandedText<object_to_socket_path>>("unix"),
    ready<&Ready::http, field::ExpandedText<object_to_http_url>>("http"),
    ready<&Ready::file, FilePath>("file"),
    ready<&Ready::command, field::Command>("command"),
    ready<&Ready::delay, field::Optional<field::Span, Duration>>("delay"),
    ready<&Ready::timeout, field::Optional<field::PositiveSpan, Duration>>("timeout"),

    stop<&Stop::command, field::Command>("command"),
    stop<&Stop::signal, field::Signal>("signal"),
    stop<&Stop::timeout, field::Span>("timeout"),
    stop<&Stop::mode, field::Choice<stop_modes>>("mode"),

    key<&ServiceSpec::reload, &Reload::signal, field::CatchableSignal>("reload", "signal"),
    key<&ServiceSpec::reload, &Reload::command, field::Command>("reload", "command"),
    unsupported("reload", "overlap"),

    restart<&Restart::policy, field::Choice<policies>>("policy"),
    restart<&Restart::delay, field::Span>("delay"),
    restart<&Restart::factor, field::Real<1>>("factor"),
    restart<&Restart::max_delay, field::Span>("max-delay"),
    restart<&Restart::jitter, field::Real<0, 1>>("jitter"),
    restart<&Restart::window, field::Span>("window"),
    restart<&Restart::limit, field::Integer<unsigned, 0, most_restarts>>("limit"),
    restart<&Restart::success_exit_codes, field::ExitCodes>("success-exit-codes"),

    key<&ServiceSpec::log, &Log::output, field::Choice<outputs>>("log", "output"),
    key<&ServiceSpec::log, &Log::file, FilePath>("log", "file"),
    key<&ServiceSpec::log, &Log::stderr_file, FilePath>("log", "stderr-file"),
    key<&ServiceSpec::log, &Log::timestamps, field::Choice<timestamps>>("log", "timestamps"),
    key<&ServiceSpec::log, &Log::max_size, field::Size>("log", "max-size"),
    key<&ServiceSpec::log, &Log::keep, field::Integer<unsigned, 0, most_rotated>>("log", "keep"),
    key<&ServiceSpec::log, &Log::max_total, field::Size>("log", "max-total"),
    key<&ServiceSpec::log, &Log::compress, field::Choice<compressions>>("log", "compress"),
    key<&ServiceSpec::log, &Log::rate_limit, field::Rate>("log", "rate-limit"),

    health<&Health::command, field::Command>("command"),
    health<&Health::tcp, field::ExpandedText<object_to_endpoint>>("tcp"),
    health<&Health::http, field::ExpandedText<object_to_http_url>>("http"),
    health<&Health::watchdog, field::Wish>("watchdog"),
    health<&Health::interval, field::PositiveSpan>("interval"),
    health<&Health::timeout, field::PositiveSpan>("timeout"),
    health<&Health::failures, field::Integer<unsigned, 1, most_restarts>>("failures"),
    health<&Health::grace, field::Span>("grace"),

    limit("as", LimitUnit::bytes),
    limit("core", LimitUnit::bytes),
    limit("cpu", LimitUnit::count),
    limit("data", LimitUnit::bytes),
    limit("fsize", LimitUnit::bytes),
    limit("locks", LimitUnit::count),
    limit("memlock", LimitUnit::bytes),
    limit("msgqueue", LimitUnit::bytes),
    limit("nice", LimitUnit::count),
    limit("nofile", LimitUnit::count),
    limit("nproc", LimitUnit::count),
    limit("rss", LimitUnit::bytes),
    limit("rtprio", LimitUnit::count),
    limit("rttime", LimitUnit::count),
    limit("sigpending", LimitUnit::count),
    limit("stack", LimitUnit::bytes),

    key<&ServiceSpec::resources, &Resources::memory, field::Optional<field::PositiveSize, std::uint64_t>>("resources", "memory"),
    key<&ServiceSpec::resources, &Resources::cpu, field::Optional<field::Percent, unsigned>>("resources", "cpu"),
    key<&ServiceSpec::resources, &Resources::tasks, field::Optional<field::Integer<std::uint64_t, 1, most_tasks>, std::uint64_t>>(
        "resources", "tasks"),
    resources<&Resources::nice, field::Integer<int, -20, 19>>("nice"),
    resources<&Resources::oom_score_adjust, field::Integer<int, -1000, 1000>>("oom-score-adjust"),
    key<&ServiceSpec::resources, &Resources::cpu_affinity, field::Cpus>("resources", "cpu-affinity"),

    key<&ServiceSpec::security, &Security::no_new_privileges, field::Flag>("security", "no-new-privileges"),
    key<&ServiceSpec::security, &Security::capabilities, field::Optional<field::Several<field::Capability>, std::vector<std::string>>>(
        "security", "capabilities"),
    key<&ServiceSpec::security, &Security::ambient_capabilities, field::Several<field::Capability>>("security", "ambient-capabilities"),

    socket<&Socket::name, field::ExpandedText<object_to_socket_name>>("name"),
    socket<&Socket::listen, field::ExpandedText<object_to_listen_address>>("listen"),
    socket<&Socket::backlog, field::Integer<unsigned, 1, most_waiting>>("backlog"),
    socket<&Socket::mode, field::Octal<0777, 0666>>("mode"),

    dependencies<&Dependencies::required>("requires"),
    dependencies<&Dependencies::wanted>("wants"),
    dependencies<&Dependencies::after>("after"),
    dependencies<&Dependencies::before>("before"),

    key<&ServiceSpec::install, &Install::enable, field::Flag>("install", "enable"),
    key<&ServiceSpec::install, &Install::supervisor, field::Choice<supervisors>>("install", "supervisor"),

    passed_on<&Systemd::unit>("systemd.Unit"),
    passed_on<&Systemd::service>("systemd.Service"),
    passed_on<&Systemd::install>("systemd.Install"),
});

}  // namespace

std::span<const Key> schema()
{
    return keys;
}

const Key* find_key(std::string_view table, std::string_view name)
{
    for (const Key& key : keys) {
        if (key.table == table && (key.name == name || key.name == "*")) return &key;
    }
    return nullptr;
}

}  // namespace steward::config
