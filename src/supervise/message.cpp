#include "supervise/message.hpp"

#include <cstring>
#include <string>

namespace steward::supervise {

namespace {

constexpr std::uint32_t magic = 0x31575453;  // "STW1"
constexpr std::uint16_t version = 1;
constexpr std::uint16_t reply_kind = 0x100;

struct RequestHeader {
    std::uint32_t magic;
    std::uint16_t version;
    std::uint16_t kind;
};

struct ReplyHeader {
    RequestHeader head;
    std::int64_t main_pid;
    std::int32_t os_errno;
    std::uint16_t failed;
    std::uint16_t code;
    std::uint16_t killed;
    std::uint16_t strings;
};

template <class T>
std::vector<std::byte> bytes_of(const T& value)
{
    std::vector<std::byte> bytes(sizeof value);
    std::memcpy(bytes.data(), &value, sizeof value);
    return bytes;
}

template <class T>
std::optional<T> take(std::span<const std::byte>& from)
{
    if (from.size() < sizeof(T)) return std::nullopt;
    T value;
    std::memcpy(&value, from.data(), sizeof value);
    from = from.subspan(sizeof value);
    return value;
}

std::optional<std::string> take_string(std::span<const std::byte>& from)
{
    const auto size = take<std::uint32_t>(from);
    if (!size || *size > from.size()) return std::nullopt;
    std::string text(reinterpret_cast<const char*>(from.data()), *size);
    from = from.subspan(*size);
    return text;
}

bool append(std::vector<std::byte>& to, const std::string& text)
{
    const auto size = static_cast<std::uint32_t>(text.size());
    if (to.size() + sizeof size + text.size() > message_limit) return false;
    const auto prefix = bytes_of(size);
    to.insert(to.end(), prefix.begin(), prefix.end());
    const auto* data = reinterpret_cast<const std::byte*>(text.data());
    to.insert(to.end(), data, data + text.size());
    return true;
}

}  // namespace

std::vector<std::byte> encode(Request request)
{
    return bytes_of(RequestHeader{magic, version, static_cast<std::uint16_t>(request)});
}

std::vector<std::byte> encode(const Reply& reply)
{
    ReplyHeader header{};
    header.head = {magic, version, reply_kind};
    header.main_pid = reply.main_pid;
    header.killed = reply.killed ? 1 : 0;
    std::vector<std::byte> bytes(sizeof header);
    if (reply.error) {
        const Error& error = *reply.error;
        header.failed = 1;
        header.code = static_cast<std::uint16_t>(error.code);
        header.os_errno = error.os_errno;
        for (const std::string* text : {&error.operation, &error.object, &error.cause, &error.next_step}) {
            header.strings = static_cast<std::uint16_t>(header.strings + (append(bytes, text->substr(0, 4096)) ? 1 : 0));
        }
        for (const std::string& line : error.detail) {
            if (!append(bytes, line)) break;
            ++header.strings;
        }
    }
    std::memcpy(bytes.data(), &header, sizeof header);
    return bytes;
}

std::optional<Request> decode_request(std::span<const std::byte> message)
{
    const auto header = take<RequestHeader>(message);
    if (!header || !message.empty() || header->magic != magic || header->version != version) return std::nullopt;
    if (header->kind < static_cast<std::uint16_t>(Request::start) || header->kind > static_cast<std::uint16_t>(Request::lend_sockets))
        return std::nullopt;
    return static_cast<Request>(header->kind);
}

std::optional<Reply> decode_reply(std::span<const std::byte> message)
{
    const auto header = take<ReplyHeader>(message);
    if (!header || header->head.magic != magic || header->head.version != version || header->head.kind != reply_kind) return std::nullopt;
    std::vector<std::string> strings;
    for (unsigned i = 0; i < header->strings; ++i) {
        auto text = take_string(message);
        if (!text) return std::nullopt;
        strings.push_back(std::move(*text));
    }
    if (!message.empty()) return std::nullopt;
    Reply reply{.error = std::nullopt, .main_pid = header->main_pid, .killed = header->killed != 0};
    if (header->failed == 0) return reply;
    if (strings.size() < 4 || header->code > static_cast<std::uint16_t>(ErrorCode::cancelled)) return std::nullopt;
    reply.error = Error{.code = static_cast<ErrorCode>(header->code),
                        .operation = std::move(strings[0]),
                        .object = std::move(strings[1]),
                        .cause = std::move(strings[2]),
                        .next_step = std::move(strings[3]),
                        .os_errno = header->os_errno,
                        .detail = {std::make_move_iterator(strings.begin() + 4), std::make_move_iterator(strings.end())}};
    return reply;
}

}  // namespace steward::supervise
