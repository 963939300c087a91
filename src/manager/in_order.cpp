#include "manager/in_order.hpp"

#include <cstring>
#include <deque>
#include <map>

#include "os/event_loop.hpp"
#include "os/message_socket.hpp"
#include "os/spawn.hpp"

namespace steward::manager {

namespace {

// More at once are no faster, and each is a process.
constexpr std::size_t most_at_once = 64;

struct Flags {
    std::uint8_t already_running;
    std::uint8_t adopted;
    std::uint8_t was_running;
};

std::vector<std::byte> encode(const Piece& piece)
{
    const Flags flags{.already_running = static_cast<std::uint8_t>(piece.already_running ? 1 : 0),
                      .adopted = static_cast<std::uint8_t>(piece.adopted ? 1 : 0),
                      .was_running = static_cast<std::uint8_t>(piece.was_running ? 1 : 0)};
    const auto reply = supervise::encode(piece.reply);
    std::vector<std::byte> bytes(sizeof flags + reply.size());
    std::memcpy(bytes.data(), &flags, sizeof flags);
    std::memcpy(bytes.data() + sizeof flags, reply.data(), reply.size());
    return bytes;
}

std::optional<Piece> decode(const std::vector<std::byte>& bytes)
{
    Flags flags{};
    if (bytes.size() < sizeof flags) return std::nullopt;
    std::memcpy(&flags, bytes.data(), sizeof flags);
    auto reply = supervise::decode_reply(std::span(bytes).subspan(sizeof flags));
    if (!reply) return std::nullopt;
    return Piece{.reply = std::move(*reply),
                 .already_running = flags.already_running != 0,
                 .adopted = flags.adopted != 0,
                 .was_running = flags.was_running != 0};
}

Piece failed(Error error)
{
    return {.reply = {.error = std::move(error), .main_pid = 0, .killed = false}};
}

struct Task {
    const Work* work;
    std::size_t place;
    os::BorrowedFd answer;
};

int act_apart(void* argument) noexcept
{
    const auto& task = *static_cast<const Task*>(argument);
    const bool told = os::send_message(task.answer, encode(task.work->act(task.place))).has_value();
    return told ? 0 : 1;
}

class Crew {
  public:
    Crew(const Work& work, os::EventLoop* loop) : work_(work), loop_(loop), waits_(work.waits_for.size()), followers_(work.waits_for.size())
    {
        for (std::size_t place = 0; place < waits_.size(); ++place) {
            waits_[place] = work.waits_for[place].size();
            for (const std::size_t first : work.waits_for[place]) followers_[first].push_back(place);
            if (waits_[place] == 0) free_.push_back(place);
        }
    }

    void carry_out()
    {
        for (;;) {
            while (!free_.empty() && workers_.size() < most_at_once) {
                const std::size_t place = free_.front();
                free_.pop_front();
                begin(place);
            }
            if (workers_.empty()) return;
            if (!loop_->run_once(std::chrono::milliseconds(-1))) collect(workers_.begin()->first);
        }
    }

  private:
    struct Worker {
        std::int32_t pid;
        os::UniqueFd answer;
        os::EventLoop::Id watch;
    };

    void begin(std::size_t place)
    {
        if (auto error = work_.refusal(place)) return done(place, failed(std::move(*error)));
        // Where no process can be made for it, it is done here: one after the other is slower, and as good.
        const bool alone = waits_.size() == 1 && !work_.always_apart;
        if (alone || !begin_apart(place)) done(place, work_.act(place));
    }

    bool begin_apart(std::size_t place)
    {
        if (loop_ == nullptr) return false;
        auto channel = os::make_message_pair();
        if (!channel) return false;
        Task task{.work = &work_, .place = place, .answer = channel->write};
        auto watch = loop_->on_readable(channel->read, [this, place] { collect(place); });
        if (!watch) return false;
        auto spawned = os::spawn(&act_apart, &task);
        if (!spawned) {
            loop_->cancel(*watch);
            return false;
        }
        workers_.emplace(place, Worker{.pid = spawned->child.pid, .answer = std::move(channel->read), .watch = *watch});
        return true;
    }

    void collect(std::size_t place)
    {
        const auto worker = workers_.find(place);
        const auto received = os::receive_message(worker->second.answer, supervise::message_limit + sizeof(Flags), std::nullopt);
        auto piece = received && *received ? decode(**received) : std::nullopt;
        if (!piece) {
            piece = failed(
                Error{.code = ErrorCode::failed, .operation = "wait for", .object = "the process that does it", .cause = "it has died"});
        }
        loop_->cancel(worker->second.watch);
        static_cast<void>(os::reap_blocking(worker->second.pid));
        workers_.erase(worker);
        done(place, *piece);
    }

    void done(std::size_t place, const Piece& piece)
    {
        work_.done(place, piece);
        for (const std::size_t next : followers_[place]) {
            if (--waits_[next] == 0) free_.push_back(next);
        }
    }

    const Work& work_;
    os::EventLoop* loop_;  // null: one after the other
    std::vector<std::size_t> waits_;
    std::vector<std::vector<std::size_t>> followers_;
    std::deque<std::size_t> free_;
    std::map<std::size_t, Worker> workers_;
};

}  // namespace

void carry_out(const Work& work)
{
    auto loop = os::EventLoop::create();
    Crew(work, loop ? &*loop : nullptr).carry_out();
}

}  // namespace steward::manager
