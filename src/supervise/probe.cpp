#include "supervise/probe.hpp"

#include <array>
#include <charconv>
#include <string_view>
#include <utility>

#include "os/endpoint.hpp"
#include "os/shortage.hpp"
#include "os/stream_socket.hpp"
#include "supervise/command_run.hpp"

namespace steward::supervise {

namespace {

// "HTTP/1.1 200 OK"; 0: it is no such line.
int http_status(std::string_view answer)
{
    constexpr std::string_view start = "HTTP/1.";
    const bool fits = answer.size() > start.size() + 5 && answer.starts_with(start) && answer[start.size() + 1] == ' ';
    int status = 0;
    if (fits) std::from_chars(answer.data() + start.size() + 2, answer.data() + start.size() + 5, status);
    return status;
}

class TcpProbe : public Probe {
  public:
    TcpProbe(os::EventLoop& loop, const std::optional<os::Endpoint>& endpoint, Duration timeout, Done done)
        : Probe(loop, std::move(done)), endpoint_(endpoint.value_or(os::Endpoint{}))
    {
        limit(timeout);
        try_next("it is no address");
    }
    ~TcpProbe() override { loop_.cancel(watch_); }
    TcpProbe(const TcpProbe&) = delete;
    TcpProbe& operator=(const TcpProbe&) = delete;

  protected:
    virtual void connected() { finish(std::nullopt); }
    void watch(Result<os::EventLoop::Id> (os::EventLoop::*how)(os::BorrowedFd, std::function<void()>), std::function<void()> then)
    {
        loop_.cancel(std::exchange(watch_, 0));
        const auto id = (loop_.*how)(socket_, std::move(then));
        if (!id) return finish_soon(id.error().cause);
        watch_ = *id;
    }
    [[nodiscard]] os::BorrowedFd socket() const { return socket_; }

  private:
    void try_next(const std::string& failure)
    {
        std::string last = failure;
        while (next_ < endpoint_.addresses.size()) {
            auto socket = os::begin_tcp_connection(endpoint_.addresses[next_++], endpoint_.port);
            auto writable =
                socket ? loop_.on_writable(*socket, [this] { decided(); }) : Result<os::EventLoop::Id>(tl::unexpected(socket.error()));
            if (writable) {
                socket_ = std::move(*socket);
                watch_ = *writable;
                return;
            }
            last = writable.error().cause;
            note(writable.error());
        }
        finish_soon(last);
    }

    void decided()
    {
        loop_.cancel(std::exchange(watch_, 0));
        const auto outcome = os::connection_outcome(socket_);
        if (outcome) return connected();
        socket_.reset();
        try_next(outcome.error().cause);
    }

    os::Endpoint endpoint_;
    std::size_t next_ = 0;
    os::UniqueFd socket_;
    os::EventLoop::Id watch_ = 0;
};

// Asks for the page and reads the first line of what comes back: the rest is of no interest.
class HttpProbe final : public TcpProbe {
  public:
    HttpProbe(os::EventLoop& loop, const os::HttpUrl& url, Duration timeout, Done done)
        : TcpProbe(loop, url.endpoint, timeout, std::move(done)),
          request_("GET " + url.path + " HTTP/1.1\r\nHost: " + url.host + "\r\nUser-Agent: steward\r\nConnection: close\r\n\r\n")
    {
    }

  private:
    void connected() override
    {
        const auto sent = os::send_now(socket(), std::as_bytes(std::span(request_)));
        if (!sent) return finish(sent.error().cause);
        request_.erase(0, *sent);
        if (!request_.empty()) return watch(&os::EventLoop::on_writable, [this] { connected(); });
        watch(&os::EventLoop::on_readable, [this] { hear(); });
    }

    void hear()
    {
        std::array<std::byte, 512> bytes{};
        const auto size = os::read_some(socket(), bytes);
        if (!size) return finish(size.error().cause);
        answer_.append(reinterpret_cast<const char*>(bytes.data()), *size);
        const bool whole = answer_.find('\n') != std::string::npos || answer_.size() > longest_status_line || *size == 0;
        if (!whole) return;
        const int status = http_status(answer_);
        if (status == 0) return finish("the answer is not HTTP");
        finish(status >= 200 && status < 400 ? std::nullopt : std::optional("the answer is status " + std::to_string(status)));
    }

    static constexpr std::size_t longest_status_line = 4096;
    std::string request_;
    std::string answer_;
};

class UnixProbe final : public Probe {
  public:
    UnixProbe(os::EventLoop& loop, const std::string& path, Done done) : Probe(loop, std::move(done))
    {
        const auto tried = os::try_unix_connection(path);
        finish_soon(tried ? std::nullopt : std::optional(tried.error().cause));
    }
};

class CommandProbe final : public Probe {
  public:
    CommandProbe(os::EventLoop& loop, const process::LaunchPlan& plan, Duration timeout, Done done) : Probe(loop, std::move(done))
    {
        auto run = CommandRun::start(loop, plan, timeout, [this](const CommandRun::Outcome& outcome) { ended(outcome); });
        if (run) {
            run_ = std::move(*run);
        } else {
            note(run.error());
            finish_soon(run.error().message());
        }
    }

    bool command_ended(std::int32_t pid, const ExitStatus& status) override
    {
        if (run_ == nullptr || run_->pid() != pid) return false;
        run_->ended(status);
        return true;
    }

  private:
    void ended(const CommandRun::Outcome& outcome)
    {
        if (outcome.succeeded()) return finish(std::nullopt);
        finish(outcome.timed_out ? "the command did not end in time" : "the command ended with " + to_string(*outcome.exit));
    }

    std::unique_ptr<CommandRun> run_;
};

}  // namespace

std::unique_ptr<Probe> Probe::start(os::EventLoop& loop, const ProbeTarget& target, Duration timeout, Done done)
{
    switch (target.kind) {
        case ProbeTarget::Kind::tcp: return std::make_unique<TcpProbe>(loop, os::parse_endpoint(target.address), timeout, std::move(done));
        case ProbeTarget::Kind::http:
            return std::make_unique<HttpProbe>(loop, os::parse_http_url(target.address).value_or(os::HttpUrl{}), timeout, std::move(done));
        case ProbeTarget::Kind::unix_socket: return std::make_unique<UnixProbe>(loop, target.address, std::move(done));
        case ProbeTarget::Kind::command: return std::make_unique<CommandProbe>(loop, *target.command, timeout, std::move(done));
    }
    return nullptr;
}

Probe::Probe(os::EventLoop& loop, Done done) : loop_(loop), done_(std::move(done)) {}

Probe::~Probe()
{
    loop_.cancel(timer_);
}

bool Probe::command_ended(std::int32_t, const ExitStatus&)
{
    return false;
}

void Probe::finish(std::optional<std::string> failure)
{
    loop_.cancel(timer_);
    if (!done_) return;  // told already, and not destroyed by that
    // `done_` may destroy this object: nothing is touched after it.
    const Done done = std::exchange(done_, nullptr);
    done(std::move(failure));
}

void Probe::finish_soon(std::optional<std::string> failure)
{
    loop_.cancel(timer_);
    timer_ = loop_.after(Duration::zero(), [this, failure = std::move(failure)] { finish(failure); });
}

void Probe::note(const Error& error)
{
    could_not_ask_ = os::is_shortage(error.os_errno);
}

void Probe::limit(Duration timeout)
{
    timer_ = loop_.after(timeout, [this] { finish("no answer in time"); });
}

}  // namespace steward::supervise
