#include "log/line_sink.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>

#include "os/datagram.hpp"
#include "os/error.hpp"
#include "os/message_socket.hpp"

namespace steward::log {

namespace {

constexpr int facility_daemon = 3;
// rsyslog's default for a whole message.
constexpr std::size_t longest_syslog = 8096;
constexpr std::size_t shortest_syslog = 256;
// What a datagram cannot hold of it goes as a file.
constexpr std::size_t longest_entry = std::size_t{255} * 1024;

void add_field(std::string& into, std::string_view name, std::string_view value)
{
    into.append(name).append("=").append(value).append("\n");
}

// The form that may hold any byte.
void add_bytes(std::string& into, std::string_view name, std::string_view value)
{
    into.append(name).append("\n");
    for (std::uint64_t size = value.size(), byte = 0; byte < sizeof size; ++byte, size >>= 8U) into += static_cast<char>(size & 0xff);
    into.append(value).append("\n");
}

void add_escaped(std::string& into, std::string_view text)
{
    static constexpr char digits[] = "0123456789abcdef";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if ((byte >= 0x20 && byte != 0x7f) || c == '\t')
            into += c;
        else
            into.append("\\x").append({digits[byte >> 4], digits[byte & 15]});
    }
}

std::span<const std::byte> bytes_of(const std::string& text)
{
    return std::as_bytes(std::span(text));
}

// Who listened there has gone.
bool is_deserted(int error)
{
    return error == ECONNREFUSED || error == ECONNRESET || error == ENOTCONN || error == EPIPE;
}

}  // namespace

void write_journal_entry(std::string& into, const Sender& sender, const SentLine& line)
{
    into.clear();
    add_field(into, "PRIORITY", std::to_string(line.priority));
    add_field(into, "SYSLOG_FACILITY", std::to_string(facility_daemon));
    add_field(into, "SYSLOG_IDENTIFIER", sender.service);
    if (line.pid != 0) add_field(into, "SYSLOG_PID", std::to_string(line.pid));
    add_field(into, "STEWARD_SERVICE", sender.service);
    add_field(into, "STEWARD_STREAM", sender.stream);
    add_bytes(into, "MESSAGE", line.text);
}

void write_syslog_message(std::string& into, const Sender& sender, const SentLine& line, std::time_t now)
{
    std::tm local{};
    localtime_r(&now, &local);
    std::array<char, 32> time{};
    const auto size = std::strftime(time.data(), time.size(), "%b %e %H:%M:%S ", &local);
    into = "<" + std::to_string(facility_daemon * 8 + line.priority) + ">";
    into.append(time.data(), size).append(sender.service);
    if (line.pid != 0) into.append("[").append(std::to_string(line.pid)).append("]");
    into.append(": ");
    std::string_view text = line.text;
    if (text.ends_with('\r')) text.remove_suffix(1);
    add_escaped(into, text);
}

void take_priority(std::string_view& line, int& priority)
{
    if (line.size() < 3 || line[0] != '<' || line[1] < '0' || line[1] > '7' || line[2] != '>') return;
    priority = line[1] - '0';
    line.remove_prefix(3);
}

LineSink::LineSink(Kind kind, std::string path, Sender sender)
    : kind_(kind),
      path_(std::move(path)),
      sender_(std::move(sender)),
      longest_(kind == Kind::journal ? longest_entry : longest_syslog - 40 - std::min<std::size_t>(sender_.service.size(), 1024))
{
}

Result<void> LineSink::send(const SentLine& line)
{
    if (kind_ == Kind::journal)
        write_journal_entry(message_, sender_, line);
    else
        write_syslog_message(message_, sender_, line, std::time(nullptr));
    for (bool anew = !socket_;; anew = true) {
        if (!socket_) {
            auto connected = os::connect_datagrams(path_);
            if (!connected) return fail(about_sink(connected.error()));
            socket_ = std::move(*connected);
        }
        const auto sent = send_message();
        if (sent) return sent;
        if (sent.error().os_errno == EMSGSIZE && longest_ > shortest_syslog) longest_ = std::max(longest_ / 2, shortest_syslog);
        if (!is_deserted(sent.error().os_errno)) return fail(about_sink(sent.error()));
        socket_.reset();
        if (anew) return fail(about_sink(sent.error()));
    }
}

Result<void> LineSink::send_message()
{
    auto sent = os::send_message_now(socket_, bytes_of(message_));
    if (sent || kind_ != Kind::journal || sent.error().os_errno != EMSGSIZE) return sent;
    return os::send_as_file(socket_, "journal-entry", bytes_of(message_));
}

Error LineSink::about_sink(Error error) const
{
    error.operation = "send to";
    error.object = (kind_ == Kind::journal ? "the journal at " : "syslog at ") + os::quoted(path_);
    return error;
}

}  // namespace steward::log
