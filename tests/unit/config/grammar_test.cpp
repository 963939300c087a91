#include "config/grammar.hpp"

#include <steward/words.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <limits>
#include <string>

#include "config/loader.hpp"
#include "config/rules.hpp"

namespace steward::config {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

constexpr std::uint64_t infinity = std::numeric_limits<std::uint64_t>::max();

TEST(Grammar, a_duration_is_one_number_and_one_unit)
{
    std::string objection;
    for (const auto& [text, value] : std::initializer_list<std::pair<std::string, Duration>>{{"500ms", 500ms},
                                                                                             {"0s", 0s},
                                                                                             {"1us", 1us},
                                                                                             {"90s", 90s},
                                                                                             {"2min", 2min},
                                                                                             {"1h", 1h},
                                                                                             {"7d", 168h},
                                                                                             {"1.5s", 1500ms},
                                                                                             {"0.5min", 30s},
                                                                                             {"0.25d", 6h},
                                                                                             {"0.000001s", 1us},
                                                                                             {"1.50000000000s", 1500ms},
                                                                                             {"007s", 7s},
                                                                                             {"36525d", 876600h}}) {
        EXPECT_EQ(parse_duration(text, &objection), value) << text << " " << objection;
    }
}

TEST(Grammar, what_is_no_duration_is_refused)
{
    for (const std::string text : {"",
                                   "10",
                                   "s",
                                   "-1s",
                                   "+1s",
                                   " 1s",
                                   "1 s",
                                   "1s ",
                                   "1m",
                                   "1sec",
                                   "1.s",
                                   ".5s",
                                   "1.5.5s",
                                   "1e3s",
                                   "0x1s",
                                   "1,5s",
                                   "1min30s",
                                   "36526d",
                                   "9999999999999999999999s",
                                   "0.1us",
                                   "0.0000001s",
                                   "infinity",
                                   "1S",
                                   "0.123456789123d"}) {
        std::string objection;
        EXPECT_EQ(parse_duration(text, &objection), std::nullopt) << text;
        EXPECT_FALSE(objection.empty()) << text;
    }
}

TEST(Grammar, a_duration_is_written_in_the_largest_unit_without_a_fraction)
{
    EXPECT_EQ(format_duration(100ms), "100ms");
    EXPECT_EQ(format_duration(1500ms), "1500ms");
    EXPECT_EQ(format_duration(10s), "10s");
    EXPECT_EQ(format_duration(60s), "1min");
    EXPECT_EQ(format_duration(48h), "2d");
    EXPECT_EQ(format_duration(1us), "1us");
    EXPECT_EQ(format_duration(0us), "0s");
}

TEST(Grammar, modes_are_octal)
{
    std::string objection;
    EXPECT_EQ(parse_octal("022", 0777, objection), 022U);
    EXPECT_EQ(parse_octal("0", 0777, objection), 0U);
    EXPECT_EQ(parse_octal("7777", 07777, objection), 07777U);
    for (const std::string text : {"", "8", "0o22", "-1", "+7", " 7", "22 ", "1777", "77777777777777777777"}) {
        EXPECT_EQ(parse_octal(text, 0777, objection), std::nullopt) << text;
    }
    EXPECT_EQ(format_octal(022), "022");
    EXPECT_EQ(format_octal(0755), "0755");
    EXPECT_EQ(format_octal(0), "000");
    EXPECT_EQ(format_octal(07777), "07777");
}

TEST(Grammar, a_limit_is_a_number_infinity_or_a_pair)
{
    std::string objection;
    const auto count = [&](const std::string& text) { return parse_limit(text, LimitUnit::count, objection); };
    EXPECT_EQ(count("65536"), (ResourceLimit{65536, 65536}));
    EXPECT_EQ(count("infinity"), (ResourceLimit{infinity, infinity}));
    EXPECT_EQ(count("1024:65536"), (ResourceLimit{1024, 65536}));
    EXPECT_EQ(count("1:infinity"), (ResourceLimit{1, infinity}));
    EXPECT_EQ(parse_limit("1KiB:2MiB", LimitUnit::bytes, objection), (ResourceLimit{1024, 2 << 20}));
    for (const std::string text :
         {"", ":", "1:", ":1", "-1", "1:2:3", "2:1", "infinity:1", "1KiB", "unlimited", "18446744073709551615", "1 "}) {
        EXPECT_EQ(count(text), std::nullopt) << text;
    }
    for (const std::string text : {"1KB", "1.5GiB", "99999999999PiB", "KiB"}) {
        EXPECT_EQ(parse_limit(text, LimitUnit::bytes, objection), std::nullopt) << text;
    }
    EXPECT_EQ(format_limit({1024, infinity}), "1024:infinity");
    EXPECT_EQ(format_limit({infinity, infinity}), "infinity");
}

TEST(Grammar, cpus_are_numbers_and_ranges)
{
    std::string objection;
    EXPECT_THAT(*parse_cpus("0-3,6", objection), ElementsAre(0, 1, 2, 3, 6));
    EXPECT_THAT(*parse_cpus("6,1-2,2", objection), ElementsAre(1, 2, 6));
    for (const std::string text : {"", ",", "1,", "3-1", "-1", "a", "1-", "0-8192", "1 ", "4294967296"}) {
        EXPECT_EQ(parse_cpus(text, objection), std::nullopt) << text;
    }
}

TEST(Grammar, a_command_line_is_split_by_posix_quoting_and_nothing_is_expanded)
{
    std::string objection;
    const auto words = [&](const std::string& text) { return split_words(text, &objection).value_or(Argv{"(refused)"}); };
    EXPECT_THAT(words("/bin/echo a  b\tc\n"), ElementsAre("/bin/echo", "a", "b", "c"));
    EXPECT_THAT(words(R"(x 'a b' "c d" e\ f)"), ElementsAre("x", "a b", "c d", "e f"));
    EXPECT_THAT(words(R"-(x $HOME ~ * `id` "$(id)" ; # |)-"), ElementsAre("x", "$HOME", "~", "*", "`id`", "$(id)", ";", "#", "|"));
    EXPECT_THAT(words(R"("a\"b\\c\d\$" 'a\')"), ElementsAre(R"(a"b\c\d$)", R"(a\)"));
    EXPECT_THAT(words(R"(a''b "" '')"), ElementsAre("ab", "", ""));
    EXPECT_THAT(words("a\\\nb \"c\\\nd\""), ElementsAre("ab", "cd"));
    EXPECT_THAT(words("  "), ElementsAre());
    for (const std::string text : {"'a", "\"a", "a\\", "\"a\\", "a'"}) EXPECT_EQ(split_words(text, &objection), std::nullopt) << text;
}

TEST(Rules, a_name_is_safe_as_a_file_name_and_as_an_argument)
{
    for (const std::string name : {"web", "0day", "worker@1", "a.b-c_d:e", "A", "x@"}) EXPECT_TRUE(is_valid_name(name)) << name;
    for (const std::string& name : {std::string(), std::string("-x"), std::string(".x"), std::string("@x"), std::string("a/b"),
                                    std::string(".."), std::string("a b"), std::string("a\n"), std::string("web.pid"),
                                    std::string("web.toml"), std::string("é"), std::string("a\0b", 3), std::string(201, 'a')}) {
        EXPECT_FALSE(is_valid_name(name)) << name;
    }
    EXPECT_TRUE(is_valid_name(std::string(200, 'a')));
}

TEST(Rules, a_directory_name_never_leads_out)
{
    for (const std::string name : {"web", "web/uploads", "a.b", "...", "..a", "stewardess", "web/steward"})
        EXPECT_EQ(object_to_directory_name(name), std::nullopt) << name;
    for (const std::string name :
         {"", "/web", "..", ".", "web/..", "../web", "web//x", "web/", "web/./x", "we\nb", "steward", "steward/web"}) {
        EXPECT_NE(object_to_directory_name(name), std::nullopt) << name;
    }
}

TEST(Rules, paths_are_absolute_and_of_one_line)
{
    EXPECT_EQ(object_to_path("/"), std::nullopt);
    EXPECT_EQ(object_to_file_path("/run/web.pid"), std::nullopt);
    EXPECT_NE(object_to_path("/" + std::string(4095, 'a')), std::nullopt);
    for (const std::string path : {"", "web", "./web", "/a\nb", "/a\tb", "/a\xc2\x9b"})
        EXPECT_NE(object_to_path(path), std::nullopt) << path;
    for (const std::string path : {"/", "/run/", "/run/..", "/run/."}) EXPECT_NE(object_to_file_path(path), std::nullopt) << path;
}

}  // namespace
}  // namespace steward::config
