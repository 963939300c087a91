#include "config/resolve.hpp"

#include <algorithm>
#include <array>

#include "config/document.hpp"
#include "config/schema.hpp"
#include "config/unknown.hpp"

namespace steward::config {

namespace {

constexpr std::array<std::string_view, 2> ways_to_reload{"signal", "command"};
constexpr std::array<std::string_view, 4> hooks_that_wait{"hooks.pre-stop", "hooks.post-stop", "hooks.on-failure", "hooks.on-give-up"};
constexpr std::array<std::string_view, 4> ways_to_be_healthy{"command", "tcp", "http", "watchdog"};
constexpr std::array<std::string_view, 9> ways_to_be_ready{"notify", "fd", "log", "tcp", "unix", "http", "file", "command", "delay"};

// What [log] says of its files, and of nothing else.
constexpr std::array<std::string_view, 7> keys_of_files{"log.file", "log.stderr-file", "log.timestamps", "log.max-size",
                                                        "log.keep", "log.max-total",   "log.compress"};

constexpr std::size_t most_sockets = 64;

std::optional<std::string> objection_to_socket_key(const Socket& socket, std::string_view key)
{
    if (socket.listen.empty()) return std::nullopt;  // that is a fault already
    if (key == "mode" && !socket.listen.starts_with("unix:")) return "has no effect but on a Unix socket";
    if (key == "backlog" && socket.listen.starts_with("udp:")) return "has no effect on datagrams, which nobody has to accept";
    return std::nullopt;
}

bool writes_files(LogOutput output)
{
    return output == LogOutput::automatic || output == LogOutput::file;
}

}  // namespace

std::string socket_path(std::size_t place, std::string_view key)
{
    return "socket." + std::to_string(place + 1) + "." + std::string(key);
}

Objection object_to_effect(const ServiceSpec& spec, std::string_view path)
{
    for (std::size_t place = 0; place < spec.sockets.size() && path.starts_with("socket."); ++place) {
        const std::string prefix = socket_path(place, "");
        if (path.starts_with(prefix)) return objection_to_socket_key(spec.sockets[place], path.substr(prefix.size()));
    }
    if (path == "hooks.timeout" && !spec.hooks.has_any()) return "has no effect without a hook";
    if (!writes_files(spec.log.output) && std::ranges::find(keys_of_files, path) != keys_of_files.end())
        return "has no effect unless output is \"file\" or \"auto\"";
    if (path == "log.rate-limit" && (spec.log.output == LogOutput::null || spec.log.output == LogOutput::inherit))
        return "has no effect where output is \"null\" or \"inherit\"";
    if (!path.starts_with("health.")) return std::nullopt;
    if (!spec.health.is_asked()) return "has no effect without command, tcp, http or watchdog";
    const bool of_answers = path == "health.timeout" || path == "health.failures" || path == "health.grace";
    if (spec.health.watchdog && of_answers) return "has no effect with watchdog, which fails when its interval is over";
    return std::nullopt;
}

void Resolver::apply(Source& source, const Node& root)
{
    for (const Member& member : root.members) {
        if (member.key == "systemd" && member.value.kind == Node::Kind::table) {
            for (const Member& section : member.value.members) apply_member(source, "systemd.", section);
        } else {
            apply_member(source, "", member);
        }
    }
}

void Resolver::apply_member(Source& source, const std::string& prefix, const Member& member)
{
    const std::string table = prefix + member.key;
    if (!is_table(table)) {
        const std::string meant = fault_unknown_at_top(source, prefix, member);
        misplaced_command_ = misplaced_command_ || meant == "service" || meant == "command";
        return;
    }
    if (table == "socket") return apply_sockets(source, member);
    if (member.value.kind == Node::Kind::table) {
        if (table == "service" && service_table_.line == 0) service_table_ = member.place;
        return apply_table(source, table, member.value);
    }
    source.fault(member.place, table_label(table) + " is a table, not " + describe(member.value.kind));
}

// A file that names sockets names all of them: those of earlier files go.
void Resolver::apply_sockets(Source& source, const Member& member)
{
    const bool tables = member.value.kind == Node::Kind::list &&
                        std::ranges::all_of(member.value.items, [](const Node& item) { return item.kind == Node::Kind::table; });
    if (!tables) return source.fault(member.place, "sockets are written [[socket]], a table each");
    if (member.value.items.size() > most_sockets)
        return source.fault(member.place, "a service can have " + std::to_string(most_sockets) + " sockets at most");
    spec_.sockets.clear();
    socket_tables_.clear();
    std::erase_if(origins_, [](const auto& entry) { return entry.first.starts_with("socket."); });
    for (const Node& socket : member.value.items) {
        spec_.sockets.emplace_back();
        socket_tables_.push_back({&source, socket.place.line == 0 ? member.place : socket.place});
        apply_table(source, "socket", socket);
    }
}

void Resolver::apply_table(Source& source, const std::string& table, const Node& content)
{
    const bool supported = std::ranges::any_of(schema(), [&](const Key& key) { return key.table == table && key.supported(); });
    if (!supported && content.members.empty()) {
        return source.fault(content.place, table_label(table) + " is not supported by this version");
    }
    if (table == "reload" && chooses_one(source, content, table, ways_to_reload)) spec_.reload = {};
    if (table == "ready" && chooses_one(source, content, table, ways_to_be_ready)) {
        const auto timeout = spec_.ready.timeout;
        spec_.ready = {};
        spec_.ready.timeout = timeout;
    }
    if (table == "health" && chooses_one(source, content, table, ways_to_be_healthy)) {
        spec_.health.command.clear();
        spec_.health.tcp.clear();
        spec_.health.http.clear();
        spec_.health.watchdog = false;
    }
    if (table == "log") leave_files(content);
    Reading reading(source, instance_);
    for (const Member& member : content.members) {
        const Key* key = find_key(table, member.key);
        if (key == nullptr) {
            const std::string meant = fault_unknown_key(source, table, member);
            misplaced_command_ = misplaced_command_ || (table == "service" && meant == "command");
            continue;
        }
        if (!key->supported()) {
            source.fault(member.place, table_label(table) + " " + member.key + " is not supported by this version");
            continue;
        }
        const std::string path = table == "socket" ? socket_path(spec_.sockets.size() - 1, member.key) : table + "." + member.key;
        origins_[path] = {&source, member.place};
        if (member.value.kind == Node::Kind::table) {
            for (const Member& inner : member.value.members) origins_[path + "." + print_key(inner.key)] = {&source, inner.place};
        }
        reading.enter(table, member.key);
        key->read(*key, member.value, reading, spec_);
    }
}

// Whether this file chooses among keys that exclude each other; then its choice replaces an earlier file's.
bool Resolver::chooses_one(Source& source, const Node& content, const std::string& table, std::span<const std::string_view> ways)
{
    std::vector<const Member*> chosen;
    for (const Member& member : content.members) {
        if (std::ranges::find(ways, member.key) != ways.end()) chosen.push_back(&member);
    }
    std::ranges::sort(chosen, {}, [](const Member* member) { return std::pair(member->place.line, member->place.column); });
    for (std::size_t i = 1; i < chosen.size(); ++i) {
        source.fault(chosen[i]->place, "[" + table + "] has either " + chosen.front()->key + " or " + chosen[i]->key + ", not both");
    }
    for (const std::string_view way : chosen.empty() ? std::span<const std::string_view>() : ways) {
        origins_.erase(table + "." + std::string(way));
    }
    return !chosen.empty();
}

// An override that sends the output elsewhere takes what earlier files say of the log files along.
void Resolver::leave_files(const Node& content)
{
    const auto output = std::ranges::find(content.members, "output", &Member::key);
    if (output == content.members.end() || output->value.text == "file" || output->value.text == "auto") return;
    const RateLimit kept = spec_.log.rate_limit;
    spec_.log = {};
    spec_.log.rate_limit = kept;
    for (const std::string_view path : keys_of_files) origins_.erase(std::string(path));
}

void Resolver::fault(const std::string& path, const std::string& message)
{
    const Origin& origin = origins_.at(path);
    const std::size_t dot = path.find('.');
    const std::string table = path.substr(0, dot);
    const std::size_t key = table == "socket" ? path.rfind('.') : dot;
    origin.source->fault(origin.place, table_label(table) + " " + path.substr(key + 1) + " " + message);
}

void Resolver::conclude(Source& service_file)
{
    require_command(service_file);
    check_type();
    check_notify();
    check_effect();
    check_unsupervised();
    check_restart();
    check_log();
    check_capabilities();
    check_sockets();
}

void Resolver::require_command(Source& service_file)
{
    // Where a slip hides the command, that it is missing would be a second fault for the same slip.
    if (is_written("service.command") || misplaced_command_) return;
    service_file.fault(service_table_, "[service] command is missing: the program to run and its arguments");
}

// A forking program says by its PID file which process stays; a oneshot says by its end that it is done.
void Resolver::check_type()
{
    if (spec_.service.type == ServiceType::forking && !is_written("service.pid-file") && is_written("service.type")) {
        fault("service.type", "= \"forking\" needs [service] pid-file, where the program writes which of its processes stays");
    }
    if (spec_.service.type != ServiceType::oneshot) return;
    for (const auto& [path, origin] : origins_) {
        if (path.starts_with("ready.") && path != "ready.timeout")
            fault(path, "has no meaning for a oneshot, which is ready when it has ended");
        if (path.starts_with("health.")) fault(path, "has no meaning for a oneshot, which does not stay");
        if (path.starts_with("reload.")) fault(path, "has no meaning for a oneshot, which does not stay");
        if (path == "hooks.post-start" || path == "hooks.pre-stop")
            fault(path, "has no meaning for a oneshot, which is never up (try: post-stop)");
    }
    const RestartPolicyKind policy = spec_.restart.policy;
    if (policy == RestartPolicyKind::always || policy == RestartPolicyKind::on_success) {
        fault("restart.policy", "would run a oneshot that has succeeded again and again");
    }
}

void Resolver::check_notify()
{
    if (!spec_.listens() || spec_.service.root_directory.empty()) return;
    fault(spec_.ready.notify ? "ready.notify" : "health.watchdog", "needs a socket that cannot be reached from below root-directory");
}

void Resolver::check_effect()
{
    for (const auto& [path, origin] : origins_) {
        if (const auto objection = object_to_effect(spec_, path)) fault(path, *objection);
    }
}

// Nobody stays to restart anything. What the file does not say needs no supervisor; what it says must hold.
void Resolver::check_unsupervised()
{
    if (spec_.service.supervise) return;
    const bool never = is_written("restart.policy") && spec_.restart.policy == RestartPolicyKind::never;
    for (const auto& [path, origin] : origins_) {
        if (path.starts_with("restart.") && !(never && path == "restart.policy"))
            fault(path, "needs a supervisor, and [service] supervise is false");
        const bool held = path.starts_with("socket.");
        const bool hears = path == "ready.fd" || path == "ready.log" || path == "ready.notify" || path.starts_with("health.");
        if (held || hears || std::ranges::find(hooks_that_wait, path) != hooks_that_wait.end())
            fault(path, "needs a supervisor, and [service] supervise is false");
    }
    spec_.restart.policy = RestartPolicyKind::never;
    if (spec_.log.output == LogOutput::journal || spec_.log.output == LogOutput::syslog)
        fault("log.output", "= \"journal\" and \"syslog\" need a supervisor, and [service] supervise is false");
    // What these ask for when they ask for nothing needs nobody either.
    const ServiceSpec::Log none{.timestamps = LogTimestamps::none, .max_size = 0};
    const auto& log = spec_.log;
    const std::pair<const char*, bool> asked[] = {{"log.timestamps", log.timestamps != none.timestamps},
                                                  {"log.max-size", log.max_size != none.max_size},
                                                  {"log.keep", log.keep != none.keep},
                                                  {"log.max-total", log.max_total != none.max_total},
                                                  {"log.compress", log.compress != none.compress},
                                                  {"log.rate-limit", log.rate_limit != none.rate_limit}};
    for (const auto& [path, is_asked] : asked) {
        if (is_written(path) && is_asked) fault(path, "needs a supervisor, and [service] supervise is false");
    }
    spec_.log.timestamps = none.timestamps;
    spec_.log.max_size = none.max_size;
}

void Resolver::check_restart()
{
    if (spec_.restart.max_delay >= spec_.restart.delay) return;
    if (is_written("restart.max-delay")) return fault("restart.max-delay", "is shorter than delay");
    spec_.restart.max_delay = spec_.restart.delay;
}

void Resolver::check_log()
{
    if (spec_.log.max_total != 0 && spec_.log.max_total < spec_.log.max_size) {
        if (is_written("log.max-size")) return fault("log.max-total", "is less than max-size");
        spec_.log.max_size = spec_.log.max_total / 4;  // so that there are rotated files too
    }
    if (!writes_files(spec_.log.output) && is_written("ready.log")) fault("ready.log", "needs [log] output = \"file\" or \"auto\"");
}

void Resolver::check_capabilities()
{
    if (!spec_.security.capabilities) return;
    for (const std::string& name : spec_.security.ambient_capabilities) {
        if (std::ranges::find(*spec_.security.capabilities, name) != spec_.security.capabilities->end()) continue;
        return fault("security.ambient-capabilities", "holds " + name + ", which is not among capabilities");
    }
}

void Resolver::check_sockets()
{
    for (std::size_t place = 0; place < spec_.sockets.size(); ++place) check_socket(place);
    // The program has its sockets from descriptor 3 on.
    const int fd = spec_.ready.fd;
    constexpr int first = 3;
    if (fd != 0 && fd - first < static_cast<int>(spec_.sockets.size()))
        fault("ready.fd", "is where the program finds a socket (try: " + std::to_string(first + spec_.sockets.size()) + ")");
}

void Resolver::check_socket(std::size_t place)
{
    const Socket& socket = spec_.sockets[place];
    const std::string path = socket_path(place, "listen");
    if (!is_written(path)) {
        const auto& [source, where] = socket_tables_[place];
        return source->fault(where, "[[socket]] listen is missing: where the socket listens");
    }
    if (socket.listen.empty()) return;
    const auto before = std::ranges::find(spec_.sockets, socket.listen, &Socket::listen);
    if (before != spec_.sockets.begin() + static_cast<std::ptrdiff_t>(place)) return fault(path, "is where another socket listens already");
    // steward itself listens there, and the kernel takes connections, whatever the program does.
    const auto port = socket.listen.starts_with("tcp://") ? socket.listen.substr(sizeof "tcp://" - 1) : "";
    const auto file = socket.listen.starts_with("unix://") ? socket.listen.substr(sizeof "unix://" - 1) : "";
    if (!port.empty() && port == spec_.ready.tcp) fault("ready.tcp", "takes connections before the program does, for it is a [[socket]]");
    if (!file.empty() && file == spec_.ready.unix_socket)
        fault("ready.unix", "takes connections before the program does, for it is a [[socket]]");
}

}  // namespace steward::config
