#include "os/error.hpp"

#include <gtest/gtest.h>
#include <cerrno>

namespace steward::os {
namespace {

TEST(Error, reads_as_operation_object_cause_and_next_step)
{
    const Error error{.operation = "stop", .object = "web", .cause = "not permitted", .next_step = "sudo steward stop web"};
    EXPECT_EQ(error.message(), "cannot stop web: not permitted (try: sudo steward stop web)");
}

TEST(Error, leaves_out_what_is_empty)
{
    EXPECT_EQ((Error{.operation = "daemonize"}.message()), "cannot daemonize");
    EXPECT_EQ((Error{.operation = "start", .object = "web"}.message()), "cannot start web");
    EXPECT_EQ((Error{.operation = "fork", .cause = "no memory"}.message()), "cannot fork: no memory");
}

TEST(ErrnoError, tells_the_text_and_keeps_the_number)
{
    const Error error = errno_error("open", "'/x'", ENOENT);
    EXPECT_EQ(error.message(), "cannot open '/x': No such file or directory");
    EXPECT_EQ(error.code, ErrorCode::failed);
    EXPECT_EQ(error.os_errno, ENOENT);
}

TEST(ErrnoError, calls_denials_not_permitted)
{
    EXPECT_EQ(errno_error("open", "x", EACCES).code, ErrorCode::not_permitted);
    EXPECT_EQ(errno_error("open", "x", EPERM).code, ErrorCode::not_permitted);
    EXPECT_EQ(errno_error("open", "x", EROFS).code, ErrorCode::failed);
}

TEST(Quoted, escapes_what_could_forge_a_line_or_drive_a_terminal)
{
    EXPECT_EQ(quoted("/run/web.pid"), "'/run/web.pid'");
    EXPECT_EQ(quoted("a\nb\x1b[31m\x7f"), "'a\\x0ab\\x1b[31m\\x7f'");
    EXPECT_EQ(quoted("grün"), "'grün'");
    EXPECT_EQ(quoted(""), "''");
}

}  // namespace
}  // namespace steward::os
