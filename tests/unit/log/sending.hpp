// A line pump with a FIFO and a daemon's socket of a test's own.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "fifo.hpp"
#include "log/line_pump.hpp"
#include "os/file.hpp"

namespace steward::test {

// Takes what is sent to a path, as a logging daemon does. A message that came as a file is read from there.
class Daemon {
  public:
    explicit Daemon(const std::string& path) : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0))
    {
        ::unlink(path.c_str());
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
        EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0) << std::strerror(errno);
    }

    // All that waits.
    std::vector<std::string> take()
    {
        std::vector<std::string> messages;
        while (auto message = take_one()) messages.push_back(std::move(*message));
        return messages;
    }
    std::optional<std::string> take_one()
    {
        std::string bytes(std::size_t{512} * 1024, '\0');
        alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
        iovec part{.iov_base = bytes.data(), .iov_len = bytes.size()};
        msghdr header{};
        header.msg_iov = &part;
        header.msg_iovlen = 1;
        header.msg_control = control.data();
        header.msg_controllen = control.size();
        const auto size = ::recvmsg(socket_.get(), &header, MSG_CMSG_CLOEXEC);
        if (size < 0) return std::nullopt;
        bytes.resize(static_cast<std::size_t>(size));
        const cmsghdr* descriptor = CMSG_FIRSTHDR(&header);
        if (descriptor == nullptr) return bytes;
        int number = -1;
        std::memcpy(&number, CMSG_DATA(descriptor), sizeof number);
        const os::UniqueFd file(number);
        seals = ::fcntl(number, F_GET_SEALS);
        ++files;
        bytes.resize(os::info(file).value().size);
        static_cast<void>(os::read_at(file, std::as_writable_bytes(std::span(bytes)), 0));
        return bytes;
    }

    int files = 0;
    int seals = 0;

  private:
    os::UniqueFd socket_;
};

// The fields of an entry; one that holds any bytes is told by its length.
inline std::map<std::string, std::string> fields_of(std::string_view entry)
{
    std::map<std::string, std::string> fields;
    while (!entry.empty()) {
        const auto end = entry.find('\n');
        const std::string_view line = entry.substr(0, end);
        entry.remove_prefix(end + 1);
        if (const auto equals = line.find('='); equals != std::string_view::npos) {
            fields[std::string(line.substr(0, equals))] = line.substr(equals + 1);
            continue;
        }
        std::uint64_t size = 0;
        std::memcpy(&size, entry.data(), sizeof size);
        fields[std::string(line)] = entry.substr(sizeof size, size);
        EXPECT_EQ(entry[sizeof size + size], '\n');
        entry.remove_prefix(sizeof size + size + 1);
    }
    return fields;
}

class Sending : public WithFifo {
  protected:
    // As a new process makes it: all that it knows stands in the files.
    [[nodiscard]] std::unique_ptr<log::LinePump> pump() const
    {
        log::LineSink sink(kind_, path_, {.service = "web", .stream = "stdout"});
        return std::make_unique<log::LinePump>(std::move(sink), log::priority_info, limit_, fifo_, spool());
    }
    [[nodiscard]] std::unique_ptr<Daemon> daemon() const { return std::make_unique<Daemon>(path_); }
    // What comes behind the header of each message.
    [[nodiscard]] static std::vector<std::string> texts(const std::vector<std::string>& messages)
    {
        std::vector<std::string> texts;
        for (const std::string& message : messages) texts.push_back(message.substr(message.find(": ") + 2));
        return texts;
    }

    std::string path_ = scratch_ / "socket";
    log::LineSink::Kind kind_ = log::LineSink::Kind::syslog;
    RateLimit limit_;
};

}  // namespace steward::test
