#include "cli/text.hpp"

#include <cstdlib>
#include <ctime>

#include <gtest/gtest.h>

namespace steward::cli {

namespace {

using namespace std::chrono_literals;

TEST(Printable, leaves_text_alone)
{
    EXPECT_EQ(printable("plain text, Grüße, 日本語, 👍", true), "plain text, Grüße, 日本語, 👍");
}

TEST(Printable, escapes_what_could_move_a_terminal)
{
    EXPECT_EQ(printable("a\rb\nc\x07\x1b]0;owned\x07\x1b[2J\x7f", true), "a\\x0db\\x0ac\\x07\\x1b]0;owned\\x07\\x1b[2J\\x7f");
    EXPECT_EQ(printable(std::string("nul\0byte", 8), true), "nul\\x00byte");
    EXPECT_EQ(printable("\u009b31m", true), "\\u009b31m");
    EXPECT_EQ(printable("\u202egnp.exe", true), "\\u202egnp.exe");
    EXPECT_EQ(printable("\U000e0041", true), "\\U000e0041");
}

TEST(Printable, drops_colours_of_log_lines)
{
    EXPECT_EQ(printable("\x1b[1;31mERROR\x1b[0m disk full\x1b[m", true), "ERROR disk full");
    EXPECT_EQ(printable("\x1b[31", true), "\\x1b[31");
}

TEST(Printable, escapes_invalid_utf8_byte_by_byte)
{
    EXPECT_EQ(printable("\xff|\xc0\xaf|\xed\xa0\x80|\xe2\x82", true), "\\xff|\\xc0\\xaf|\\xed\\xa0\\x80|\\xe2\\x82");
    EXPECT_EQ(printable("\xf4\x90\x80\x80", true), "\\xf4\\x90\\x80\\x80");
}

TEST(Printable, shows_only_ascii_where_unicode_is_not_understood)
{
    EXPECT_EQ(printable("Grüße 👍", false), "Gr\\u00fc\\u00dfe \\U0001f44d");
}

TEST(Printable, expands_tabs)
{
    EXPECT_EQ(printable("a\tb\tc", true), "a       b       c");
}

TEST(Columns, count_wide_and_combining_characters)
{
    EXPECT_EQ(columns("abc"), 3U);
    EXPECT_EQ(columns("ü"), 1U);
    EXPECT_EQ(columns("日本"), 4U);
    EXPECT_EQ(columns("e\u0301"), 1U);
}

TEST(Cut, marks_what_it_took_away)
{
    EXPECT_EQ(cut("abcdef", 6, true), "abcdef");
    EXPECT_EQ(cut("abcdef", 5, true), "abcd…");
    EXPECT_EQ(cut("abcdef", 5, false), "ab...");
    EXPECT_EQ(cut("日本語", 4, true), "日…");
    EXPECT_EQ(cut("abcdef", 2, false), "ab");
    EXPECT_EQ(cut("abcdef", 0, true), "");
}

TEST(Wrap, loses_nothing)
{
    EXPECT_EQ(wrap("abcdefg", 3), (std::vector<std::string>{"abc", "def", "g"}));
    EXPECT_EQ(wrap("abcdefg", 0), std::vector<std::string>{"abcdefg"});
    EXPECT_EQ(wrap("日本", 1), (std::vector<std::string>{"日", "本"}));
    EXPECT_EQ(wrap("", 3), std::vector<std::string>{""});
}

TEST(WrapWords, breaks_at_spaces_where_there_are_some)
{
    EXPECT_EQ(wrap_words("one two three", 7), (std::vector<std::string>{"one two", "three"}));
    EXPECT_EQ(wrap_words("one two three", 8), (std::vector<std::string>{"one two", "three"}));
    EXPECT_EQ(wrap_words("unbreakable", 4), (std::vector<std::string>{"unbr", "eaka", "ble"}));
    EXPECT_EQ(wrap_words("one two", 0), std::vector<std::string>{"one two"});
    EXPECT_EQ(wrap_words("", 5), std::vector<std::string>{""});
    EXPECT_EQ(wrap_words("abcd ", 4), std::vector<std::string>{"abcd"});
}

TEST(ShellWords, quote_what_a_shell_would_touch)
{
    EXPECT_EQ(shell_words({"/usr/sbin/d", "--port=80", "a b", "", "it's", "$HOME", "*"}),
              "/usr/sbin/d --port=80 'a b' '' 'it'\\''s' '$HOME' '*'");
}

TEST(SizeText, has_three_digits_at_most)
{
    EXPECT_EQ(size_text(0), "0 B");
    EXPECT_EQ(size_text(1023), "1023 B");
    EXPECT_EQ(size_text(1024), "1.0 KiB");
    EXPECT_EQ(size_text(12'897'485), "12.3 MiB");
    EXPECT_EQ(size_text(1024 * 1024 - 1), "1.0 MiB");
    EXPECT_EQ(size_text(123'456'789), "118 MiB");
    EXPECT_EQ(size_text(UINT64_MAX), "16.0 EiB");
}

TEST(DurationText, has_two_units_at_most)
{
    EXPECT_EQ(duration_text(-5s), "0 ms");
    EXPECT_EQ(duration_text(350ms), "350 ms");
    EXPECT_EQ(duration_text(1200ms), "1.2 s");
    EXPECT_EQ(duration_text(12'900ms), "12 s");
    EXPECT_EQ(duration_text(60s), "1 min");
    EXPECT_EQ(duration_text(61s), "1 min 1 s");
    EXPECT_EQ(duration_text(2h + 3min + 4s), "2 h 3 min");
    EXPECT_EQ(duration_text(24h), "1 d");
    EXPECT_EQ(duration_text(24h + 59s), "1 d");
    EXPECT_EQ(duration_text(400 * 24h + 5h), "400 d 5 h");
}

TEST(Ago, is_now_for_what_lies_ahead)
{
    const std::chrono::system_clock::time_point now(1'000'000s);
    EXPECT_EQ(ago(now - 5min, now), "5 min ago");
    EXPECT_EQ(ago(now - 1500ms, now), "1 s ago");
    EXPECT_EQ(ago(now, now), "just now");
    EXPECT_EQ(ago(now + 1h, now), "just now");
}

TEST(LocalTime, names_its_zone)
{
    setenv("TZ", "CET-1", 1);
    tzset();
    EXPECT_EQ(local_time(std::chrono::system_clock::time_point(1'767'319'445s)), "2026-01-02 03:04:05 CET");
    setenv("TZ", "UTC0", 1);
    tzset();
}

}  // namespace

}  // namespace steward::cli
