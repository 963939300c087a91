#include "supervise/sent_stream.hpp"

#include <gmock/gmock.h>
#include <sys/resource.h>

#include "supervising.hpp"
#include "unit/log/sending.hpp"

namespace steward::supervise {
namespace {

class Sent : public test::Looping {
  protected:
    std::unique_ptr<log::LinePump> pump()
    {
        auto spool = log::Spool::open(os::make_memory_file("spool").value());
        log::LineSink sink(log::LineSink::Kind::syslog, path_, {.service = "web", .stream = "stdout"});
        return std::make_unique<log::LinePump>(std::move(sink), log::priority_info, RateLimit{}, fifo_, std::move(spool.value()));
    }
    void write(std::string_view text) const
    {
        ASSERT_EQ(::write(fifo_.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
    }

    std::string path_ = scratch_ / "socket";
    test::Daemon daemon_{path_};
    os::UniqueFd fifo_ = os::make_nameless_fifo(geteuid(), getegid()).value();
    log::EventLog events_{log::EventLog::Sink::file, scratch_ / "steward.log"};
    unsigned got_ = 0;
    std::string last_;
};

TEST_F(Sent, a_fifo_that_cannot_be_watched_when_there_is_room_again_is_watched_later)
{
    SentStream stream(*loop_, events_, "web", pump());
    ASSERT_TRUE(stream.open());
    const auto take = [this] {
        while (auto message = daemon_.take_one()) {
            ++got_;
            last_ = std::move(*message);
        }
    };
    // More than the daemon's socket holds.
    constexpr unsigned lines = 20'000;
    std::string text;
    for (unsigned i = 0; i < lines; ++i) text += "x\n";
    write(text);
    ASSERT_TRUE(run_until([&] { return os::bytes_waiting(fifo_) == 0; }));
    // A second watch of one descriptor needs a copy of it.
    const auto other = loop_->on_bulk(fifo_, [] {});
    ASSERT_TRUE(other);
    rlimit before{};
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    const rlimit none{.rlim_cur = 0, .rlim_max = before.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
    EXPECT_TRUE(run_until([&] {
        take();
        return got_ == lines;
    }));
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
    loop_->cancel(*other);
    write("last\n");
    EXPECT_TRUE(run_until([&] {
        take();
        return last_.ends_with("last");
    }));
}

}  // namespace
}  // namespace steward::supervise
