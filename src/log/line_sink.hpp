// Where single lines are sent: the journal or syslog, a datagram a line, by a daemon's socket that may be full, gone, or another daemon's since.
#pragma once

#include <cstddef>
#include <ctime>
#include <string>
#include <string_view>

#include <steward/result.hpp>

#include "os/fd.hpp"

namespace steward::log {

// As syslog(3) and sd-daemon(3) number them.
inline constexpr int priority_error = 3;
inline constexpr int priority_warning = 4;
inline constexpr int priority_info = 6;

struct SentLine {
    std::string_view text;  // any bytes
    int priority = priority_info;
    std::int32_t pid = 0;  // the main process; 0: not known
};

// Who sends it.
struct Sender {
    std::string service;
    std::string stream;  // "stdout", "stderr"
};

// An entry in the journal's native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL). Replaces what `into` holds.
void write_journal_entry(std::string& into, const Sender& sender, const SentLine& line);
// A message as syslog(3) makes it, facility daemon: what every daemon behind a local socket reads, which is not true of RFC 5424. A control
// character, at which some of them would end it, becomes "\xNN".
void write_syslog_message(std::string& into, const Sender& sender, const SentLine& line, std::time_t now);

// The prefix of sd-daemon(3), "<0>" to "<7>": takes it off the line and puts its number into `priority`.
void take_priority(std::string_view& line, int& priority);

class LineSink {
  public:
    enum class Kind { journal, syslog };
    LineSink(Kind kind, std::string path, Sender sender);

    // At once or not at all. EAGAIN: it has no room now. EMSGSIZE: longest() is less than it was. A daemon that has gone is looked for at the
    // same path, once.
    Result<void> send(const SentLine& line);
    // Longer lines are for the caller to cut.
    [[nodiscard]] std::size_t longest() const { return longest_; }
    // Unset while nothing is connected.
    [[nodiscard]] os::BorrowedFd socket() const { return socket_; }

  private:
    Result<void> send_message();
    [[nodiscard]] Error about_sink(Error error) const;

    Kind kind_;
    std::string path_;
    Sender sender_;
    std::size_t longest_;
    os::UniqueFd socket_;
    std::string message_;
};

}  // namespace steward::log
