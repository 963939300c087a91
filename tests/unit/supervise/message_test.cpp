#include "supervise/message.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <initializer_list>
#include <string>

namespace steward::supervise {
namespace {

using Bytes = std::vector<std::byte>;

constexpr std::size_t reply_strings_at = 8 + 8 + 4 + 2 + 2 + 2;  // the count of strings in the reply's header

Reply failed_reply()
{
    return Reply{.error = Error{.code = ErrorCode::exited_early,
                                .operation = "start",
                                .object = "web",
                                .cause = "it ended at once: exit code 3",
                                .next_step = "steward check web",
                                .os_errno = 13,
                                .detail = {"first line", "", "last \xff line"}},
                 .main_pid = 4121,
                 .killed = true};
}

void expect_same(const Reply& one, const Reply& other)
{
    EXPECT_EQ(one.main_pid, other.main_pid);
    EXPECT_EQ(one.killed, other.killed);
    ASSERT_EQ(one.error.has_value(), other.error.has_value());
    if (!one.error) return;
    EXPECT_EQ(one.error->code, other.error->code);
    EXPECT_EQ(one.error->message(), other.error->message());
    EXPECT_EQ(one.error->os_errno, other.error->os_errno);
    EXPECT_EQ(one.error->detail, other.error->detail);
}

template <class T>
Bytes with(Bytes bytes, std::size_t at, T value)
{
    std::memcpy(bytes.data() + at, &value, sizeof value);
    return bytes;
}

TEST(Message, requests_come_back_as_they_went)
{
    for (const auto request : {Request::start, Request::reload, Request::apply}) EXPECT_EQ(decode_request(encode(request)), request);
}

TEST(Message, replies_come_back_as_they_went)
{
    for (const auto& reply :
         {Reply{}, Reply{.error = {}, .main_pid = 77}, Reply{.error = {}, .main_pid = 0, .killed = true}, failed_reply()}) {
        const auto decoded = decode_reply(encode(reply));
        ASSERT_TRUE(decoded);
        expect_same(*decoded, reply);
    }
}

TEST(Message, every_error_code_is_carried)
{
    for (int code = 0; code <= static_cast<int>(ErrorCode::cancelled); ++code) {
        const auto decoded = decode_reply(encode(Reply{.error = Error{.code = static_cast<ErrorCode>(code)}}));
        ASSERT_TRUE(decoded && decoded->error);
        EXPECT_EQ(static_cast<int>(decoded->error->code), code);
    }
}

TEST(Message, a_message_cut_at_any_byte_is_refused)
{
    for (const auto& whole : {encode(failed_reply()), encode(Reply{})}) {
        for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_FALSE(decode_reply(std::span(whole).first(size))) << size;
    }
    const auto request = encode(Request::stop);
    for (std::size_t size = 0; size < request.size(); ++size) EXPECT_FALSE(decode_request(std::span(request).first(size))) << size;
}

TEST(Message, bytes_too_many_are_refused)
{
    auto request = encode(Request::stop);
    request.push_back(std::byte{0});
    EXPECT_FALSE(decode_request(request));
    for (auto reply : {encode(failed_reply()), encode(Reply{})}) {
        reply.push_back(std::byte{0});
        EXPECT_FALSE(decode_reply(reply));
    }
}

TEST(Message, another_magic_version_or_kind_is_refused)
{
    const auto request = encode(Request::stop);
    const auto reply = encode(Reply{});
    EXPECT_FALSE(decode_request(with(request, 0, std::uint32_t{0x32575453})));
    EXPECT_FALSE(decode_reply(with(reply, 0, std::uint32_t{0})));
    EXPECT_FALSE(decode_request(with(request, 4, std::uint16_t{2})));
    EXPECT_FALSE(decode_reply(with(reply, 4, std::uint16_t{2})));
    for (const std::uint16_t kind : std::initializer_list<std::uint16_t>{0, 9, 0x100, 0xffff})
        EXPECT_FALSE(decode_request(with(request, 6, kind))) << kind;
    for (const std::uint16_t kind : std::initializer_list<std::uint16_t>{0, 1, 0x101})
        EXPECT_FALSE(decode_reply(with(reply, 6, kind))) << kind;
}

TEST(Message, a_request_is_no_reply_and_a_reply_no_request)
{
    EXPECT_FALSE(decode_reply(encode(Request::start)));
    EXPECT_FALSE(decode_request(encode(Reply{})));
}

TEST(Message, a_hostile_count_of_strings_is_refused)
{
    const auto reply = encode(failed_reply());
    for (const std::uint16_t count : std::initializer_list<std::uint16_t>{0, 3, 6, 8, 0xffff})
        EXPECT_FALSE(decode_reply(with(reply, reply_strings_at, count))) << count;
    EXPECT_TRUE(decode_reply(with(reply, reply_strings_at, std::uint16_t{7})));
}

TEST(Message, a_hostile_length_of_a_string_is_refused)
{
    const auto reply = encode(failed_reply());
    const std::size_t first_length = encode(Reply{}).size();
    for (const std::uint32_t length : {6U, 0x7fffffffU, 0xffffffffU}) {
        EXPECT_FALSE(decode_reply(with(reply, first_length, length))) << length;
    }
}

TEST(Message, an_unknown_error_code_is_refused)
{
    const auto reply = encode(failed_reply());
    const std::size_t code_at = reply_strings_at - 4;
    EXPECT_FALSE(decode_reply(with(reply, code_at, static_cast<std::uint16_t>(static_cast<int>(ErrorCode::cancelled) + 1))));
}

TEST(Message, details_beyond_the_limit_are_cut_and_the_rest_arrives)
{
    Reply reply = failed_reply();
    reply.error->detail.assign(100, std::string(1000, 'x'));
    const auto bytes = encode(reply);
    EXPECT_LE(bytes.size(), message_limit);
    const auto decoded = decode_reply(bytes);
    ASSERT_TRUE(decoded && decoded->error);
    EXPECT_EQ(decoded->error->cause, reply.error->cause);
    EXPECT_GT(decoded->error->detail.size(), 50U);
    EXPECT_LT(decoded->error->detail.size(), 100U);
}

TEST(Message, texts_of_any_length_leave_a_message_that_decodes)
{
    Reply reply;
    reply.error = Error{.operation = std::string(1 << 20, 'o'),
                        .object = std::string(1 << 20, 'b'),
                        .cause = std::string(1 << 20, 'c'),
                        .next_step = std::string(1 << 20, 'n'),
                        .detail = {std::string(1 << 20, 'd'), "never told"}};
    const auto bytes = encode(reply);
    EXPECT_LE(bytes.size(), message_limit);
    const auto decoded = decode_reply(bytes);
    ASSERT_TRUE(decoded && decoded->error);
    EXPECT_EQ(decoded->error->cause, std::string(4096, 'c'));
    EXPECT_TRUE(decoded->error->detail.empty());
}

}  // namespace
}  // namespace steward::supervise
