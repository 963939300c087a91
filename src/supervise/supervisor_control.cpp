// Supervisor: requests over the control sockets, and the one that replaces this process.
#include "os/environment.hpp"
#include "os/error.hpp"
#include "os/message_socket.hpp"
#include "os/passed_descriptors.hpp"
#include "supervise/supervisor.hpp"

namespace steward::supervise {

namespace {

// More wait in the socket's backlog. Only the service's owner and root come so far.
constexpr unsigned most_clients = 128;
constexpr std::chrono::seconds request_timeout{5};
constexpr std::chrono::seconds accept_pause{1};
constexpr std::chrono::seconds check_timeout{30};

}  // namespace

Result<void> Supervisor::accept_clients()
{
    accept_no_clients();
    if (clients_ >= most_clients) return {};
    for (std::size_t place = 0; place < runners_.size(); ++place) {
        if (!runners_[place]->control()) continue;
        auto watch = loop_.on_readable(runners_[place]->control(), [this, place] { accept_client(place); });
        if (!watch) return fail(watch.error());
        control_watches_[place] = *watch;
    }
    return {};
}

void Supervisor::accept_no_clients()
{
    loop_.cancel(std::exchange(accept_timer_, 0));
    for (auto& watch : control_watches_) loop_.cancel(std::exchange(watch, 0));
    control_watches_.resize(runners_.size());
}

void Supervisor::accept_client(std::size_t place)
{
    auto socket = os::accept_messages(runners_[place]->control());
    if (socket && !*socket) return;
    auto client = std::make_shared<Client>();
    auto watch = socket ? loop_.on_readable(**socket, [this, place, client] { serve(place, client); })
                        : Result<os::EventLoop::Id>(tl::unexpected(socket.error()));
    if (!watch) {
        // Out of descriptors, most likely, and they do not come back by looking again at once.
        accept_no_clients();
        accept_timer_ = loop_.after(accept_pause, [this] { static_cast<void>(accept_clients()); });
        return;
    }
    client->socket = std::move(**socket);
    client->watch = *watch;
    client->patience = loop_.after(request_timeout, [this, client] { drop(*client); });
    if (++clients_ >= most_clients) accept_no_clients();
}

void Supervisor::serve(std::size_t place, const std::shared_ptr<Client>& client)
{
    ServiceRunner& runner = *runners_[place];
    const auto received = os::receive_now(client->socket, message_limit, false);
    if (received && !received->closed && !received->message) return;
    if (!received || received->closed || client->asked) return drop(*client);
    client->asked = true;
    loop_.cancel(client->patience);

    const auto refuse = [&](ErrorCode code, const char* cause) {
        options_.events->warning(runner.name(), std::string("a message on the control socket was ignored: ") + cause);
        answer(*client, Reply{.error = Error{.code = code, .operation = "ask", .object = runner.name(), .cause = cause, .next_step = {}}});
    };
    const auto peer = os::peer_of(client->socket);
    if (!peer || (peer->uid != 0 && peer->uid != os::effective_uid())) return refuse(ErrorCode::not_permitted, "not permitted");
    const auto request = decode_request(*received->message);
    if (!request) return refuse(ErrorCode::unsupported, "its supervisor does not know this request");

    const ServiceRunner::Answer told = [this, client](const Reply& reply) { answer(*client, reply); };
    switch (*request) {
        case Request::start: return runner.start(told);
        case Request::stop: return runner.stop(told);
        case Request::reload: return runner.reload(told);
        case Request::reexec: return reexec(runner, told);
        case Request::rotate_logs: return runner.rotate_logs(told);
        case Request::reopen_logs: return runner.reopen_logs(told);
        case Request::lend_sockets: return lend_sockets(runner, *client);
        case Request::apply: {
            Reply reply;
            if (auto applied = apply(place); !applied) reply.error = applied.error();
            return told(reply);
        }
    }
}

// A client that has gone is answered into the void; one that does not read is not waited for.
void Supervisor::answer(Client& client, const Reply& reply)
{
    if (client.socket) static_cast<void>(os::send_message(client.socket, encode(reply)));
    drop(client);
}

void Supervisor::lend_sockets(ServiceRunner& runner, Client& client)
{
    const auto lent = runner.lend_sockets();
    static_cast<void>(os::send_descriptors(client.socket, encode(Reply{}), lent));
    drop(client);
}

void Supervisor::drop(Client& client)
{
    if (!client.socket) return;
    loop_.cancel(client.watch);
    loop_.cancel(client.patience);
    client.socket.reset();
    if (clients_-- == most_clients) static_cast<void>(accept_clients());
}

Result<void> Supervisor::check_successor(const ServiceRunner& runner) const
{
    const auto refuse = [&](ErrorCode code, const char* cause, std::string next_step = {}) {
        return fail(Error{.code = code, .operation = "reexec", .object = runner.name(), .cause = cause, .next_step = std::move(next_step)});
    };
    if (options_.foreground || as_pid_1_)
        return refuse(ErrorCode::unsupported, "it runs in the foreground, without a keeper that could go on", "start it again");
    if (options_.successor == nullptr || options_.successor->program().empty())
        return refuse(ErrorCode::failed, "where this program was installed cannot be told");
    if (runner.over() || runner.stop_requested()) return refuse(ErrorCode::not_running, "it is being stopped");
    // It would be run again.
    if (runner.runs_hook()) return refuse(ErrorCode::failed, "a hook of it is running", "steward reexec " + runner.name());
    return {};
}

// The installed program says first whether it can carry on: afterwards there is no way back.
void Supervisor::reexec(const ServiceRunner& runner, const ServiceRunner::Answer& answer)
{
    check_answers_.push_back(answer);
    if (check_ != nullptr) return;
    const auto tell = [this](const Reply& reply) {
        for (const auto& waiting : std::exchange(check_answers_, {})) waiting(reply);
    };
    const auto refuse = [this, tell, name = runner.name()](const Error& error) {
        options_.events->warning(name, error.message());
        tell(Reply{.error = error});
    };
    if (auto possible = check_successor(runner); !possible) return refuse(possible.error());
    process::LaunchPlan plan{.operation = "reexec", .service = runner.name(), .program = options_.successor->program()};
    plan.argv = options_.successor->check_words();
    for (const auto& [name, value] : os::whole_environment()) plan.environment.push_back(name + "=" + value);
    const auto done = [this, refuse, tell, &runner, name = runner.name()](const CommandRun::Outcome& outcome) {
        check_.reset();
        if (!outcome.succeeded()) {
            const std::string end = outcome.exit ? to_string(*outcome.exit) : "no answer";
            return refuse(
                Error{.code = ErrorCode::failed,
                      .operation = "reexec",
                      .object = name,
                      .cause = os::quoted(options_.successor->program()) + " cannot carry on what this version has begun (" + end + ")",
                      .next_step = "steward restart " + name});
        }
        if (auto possible = check_successor(runner); !possible) return refuse(possible.error());
        making_way_ = true;
        tell(Reply{});
        loop_.quit();
    };
    auto check = CommandRun::start(loop_, plan, check_timeout, done);
    if (!check) return refuse(check.error());
    check_ = std::move(*check);
}

// In the foreground there is nobody to put another process into this one's place. The runner alone is replaced, by one that carries on from
// the record as the next supervisor's would.
Result<void> Supervisor::apply(std::size_t place)
{
    const std::string name = runners_[place]->name();
    const auto refuse = [&](ErrorCode code, const char* cause, const char* next) {
        return fail(Error{.code = code, .operation = "apply", .object = name, .cause = cause, .next_step = next + name});
    };
    if (!options_.renewed) return refuse(ErrorCode::unsupported, "its supervisor cannot do that", "steward restart ");
    if (runners_[place]->over() || runners_[place]->stop_requested() || stops_)
        return refuse(ErrorCode::not_running, "it is being stopped", "steward status ");
    if (!runners_[place]->at_rest()) return refuse(ErrorCode::failed, "it is being started or reloaded", "steward apply ");
    auto renewed = options_.renewed(name);
    if (!renewed) return fail(renewed.error());
    Assignment& assignment = *assignments_[place];
    accept_no_clients();
    runners_[place].reset();
    // The other ends are the program's and the clients'.
    renewed->lease = std::move(assignment.lease);
    renewed->control = std::move(assignment.control);
    renewed->fifos = std::move(assignment.fifos);
    renewed->mailbox = std::move(assignment.mailbox);
    renewed->notify = std::move(assignment.notify);
    renewed->sockets = std::move(assignment.sockets);
    assignment = std::move(*renewed);
    runners_[place] = std::make_unique<ServiceRunner>(*host_, assignment, place);
    begin(place);
    return accept_clients();
}

}  // namespace steward::supervise
