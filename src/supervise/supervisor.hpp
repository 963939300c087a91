// The steward process that thinks: one event loop over its services, its signals, its control sockets and its keeper.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <steward/result.hpp>

#include "log/event_log.hpp"
#include "os/event_loop.hpp"
#include "supervise/assignment.hpp"
#include "supervise/command_run.hpp"
#include "supervise/labelled_terminal.hpp"
#include "supervise/message.hpp"
#include "supervise/service_runner.hpp"
#include "supervise/successor.hpp"
#include "supervise/turns.hpp"

namespace steward::supervise {

class Supervisor {
  public:
    struct Options {
        bool foreground = false;      // no keeper above: this process is the subreaper
        os::ProcessIdentity keeper;   // else who it is
        os::BorrowedFd exit_notices;  // from the keeper; and to it, the words of this supervisor
        os::UniqueFd start_report;    // whom to tell of the first start; empty: nobody
        log::EventLog* events = nullptr;
        std::vector<std::vector<Precedence>> order;  // for each assignment whom it waits for; empty: nobody waits
        Labels labels;                               // of the output of several services
        std::string notify_socket;                   // of who started steward and wants to know when the services are ready; empty: nobody
        std::vector<os::ProcessIdentity> strangers;  // below the keeper, and not its services'
        const Successor* successor = nullptr;        // of keeper and supervisor, on demand; null or without a program: none
        // What a service in the foreground is to go by that carries on from its record; empty: nobody can tell.
        std::function<Result<Assignment>(const std::string& name)> renewed = {};
    };
    enum class Outcome { all_over, keeper_lost, making_way };

    // The assignments are lent for the supervisor's life.
    static Result<std::unique_ptr<Supervisor>> create(const std::vector<Assignment*>& assignments, Options options);
    ~Supervisor();
    Supervisor(const Supervisor&) = delete;
    Supervisor& operator=(const Supervisor&) = delete;

    // Until the last service is over, the keeper has died, or both make way for the installed program.
    Result<Outcome> run();
    [[nodiscard]] const std::vector<std::unique_ptr<ServiceRunner>>& runners() const { return runners_; }

  private:
    // One request and its answer. Held by its watches, and by the answer as long as that is owed.
    struct Client {
        os::UniqueFd socket;
        os::EventLoop::Id watch = 0;
        os::EventLoop::Id patience = 0;  // until it has asked
        bool asked = false;
    };

    Supervisor(os::EventLoop loop, Options options);
    Result<void> watch_everything();
    void on_signal(int signal);
    void stop_all();
    void reap();
    void child_ended(std::int32_t pid, const ExitStatus& status);
    void read_exit_notices();
    Result<void> accept_clients();
    void accept_no_clients();
    void accept_client(std::size_t place);
    void serve(std::size_t place, const std::shared_ptr<Client>& client);
    void answer(Client& client, const Reply& reply);
    void lend_sockets(ServiceRunner& runner, Client& client);
    void drop(Client& client);
    void one_over(std::size_t place);
    void release(std::size_t place);
    void tell_keeper(const SupervisorWord& word) const;
    void reexec(const ServiceRunner& runner, const ServiceRunner::Answer& answer);
    [[nodiscard]] Result<void> check_successor(const ServiceRunner& runner) const;
    [[nodiscard]] Result<void> apply(std::size_t place);
    void take_over();
    void begin(std::size_t place);
    void begin(const std::vector<Turns::Turn>& turns);
    void look_whose_turn_it_is(std::size_t place);
    void stop(const std::vector<Turns::Turn>& turns);
    ServiceRunner::Answer first_start_report();
    void pass_on_state(std::size_t place);
    void notify(const std::string& message);

    void open_terminal(const std::vector<Assignment*>& assignments);

    os::EventLoop loop_;
    Options options_;
    std::unique_ptr<LabelledTerminal> terminal_;  // none: programs that inherit their output write it themselves
    std::unique_ptr<RunnerHost> host_;
    std::vector<Assignment*> assignments_;  // of the runners
    std::vector<std::unique_ptr<ServiceRunner>> runners_;
    os::EventLoop::Id notices_watch_ = 0;
    std::vector<os::EventLoop::Id> control_watches_;  // of the runners; 0: none
    os::EventLoop::Id accept_timer_ = 0;
    unsigned clients_ = 0;
    std::size_t over_ = 0;  // runners that are
    Turns starts_;
    std::optional<Turns> stops_;  // once all are to stop
    bool hurried_ = false;
    bool ready_told_ = false;
    std::unique_ptr<CommandRun> check_;                 // of the successor
    std::vector<ServiceRunner::Answer> check_answers_;  // for those who asked for one
    bool keeper_lost_ = false;
    bool making_way_ = false;
    bool as_pid_1_ = false;
};

}  // namespace steward::supervise
