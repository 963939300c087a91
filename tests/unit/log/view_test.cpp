#include "log/view.hpp"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compressed.hpp"
#include "helpers/scratch.hpp"

namespace steward::log {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// "12:00:05" of a certain day.
std::string stamp(const std::string& clock)
{
    return "2026-11-21T" + clock + ".000000Z ";
}

struct Listener : LogSink {
    std::vector<std::string> lines;
    std::vector<std::string> faults;
    std::function<bool()> on_quiet = [] { return true; };

    bool line(const LogLine& line) override
    {
        if (!line.begins) {
            lines.back() += line.text;
            return true;
        }
        const char* mark = line.stream == LogLine::Stream::events ? "!" : line.stream == LogLine::Stream::error ? "2" : ":";
        lines.push_back(std::string(line.service) + mark + std::string(line.text));
        return true;
    }
    bool caught_up() override { return on_quiet(); }
    void fault(const std::string& service, const Error& error) override { faults.push_back(service + ": " + error.message()); }
};

class ViewTest : public testing::Test {
  protected:
    static LogSource output(const std::string& path, const std::string& service = "web")
    {
        return {.path = path, .stream = LogLine::Stream::output, .service = service, .services = {}};
    }
    std::vector<std::string> seen(const LogOptions& options)
    {
        Listener listener;
        const auto shown = view(sources, options, listener);
        EXPECT_TRUE(shown) << shown.error().message();
        faults = listener.faults;
        return listener.lines;
    }
    void append(const std::string& name, const std::string& text) const { std::ofstream(scratch / name, std::ios::app) << text; }
    static std::optional<LogTime> at(const std::string& clock)
    {
        return LogTime(std::chrono::sys_days(std::chrono::year(2026) / 11 / 21)) + std::chrono::hours(std::stoi(clock.substr(0, 2))) +
               std::chrono::minutes(std::stoi(clock.substr(3, 2))) + std::chrono::seconds(std::stoi(clock.substr(6, 2)));
    }

    test::ScratchDirectory scratch;
    std::string path = scratch / "web.log";
    std::vector<LogSource> sources = {output(path)};
    std::vector<std::string> faults;
};

TEST_F(ViewTest, all_files_are_read_in_order)
{
    scratch.write("web.log.2.gz", test::gzipped(stamp("12:00:00") + "one\n"));
    scratch.write("web.log.1", stamp("12:00:01") + "two\n");
    scratch.write("web.log", stamp("12:00:02") + "three\nwithout a stamp\n" + stamp("12:00:03") + "cut");
    EXPECT_THAT(seen({}), ElementsAre("web:one", "web:two", "web:three", "web:without a stamp", "web:cut"));
}

TEST_F(ViewTest, the_last_lines_reach_back_into_older_files)
{
    scratch.write("web.log.2.zst", test::zstandard("1\n2\n3\n"));
    scratch.write("web.log.1", "4\n5\n");
    scratch.write("web.log", "6\n");
    EXPECT_THAT(seen({.lines = 0}), IsEmpty());
    EXPECT_THAT(seen({.lines = 1}), ElementsAre("web:6"));
    EXPECT_THAT(seen({.lines = 3}), ElementsAre("web:4", "web:5", "web:6"));
    EXPECT_THAT(seen({.lines = 4}), ElementsAre("web:3", "web:4", "web:5", "web:6"));
    EXPECT_EQ(seen({.lines = 100}).size(), 6U);
}

TEST_F(ViewTest, the_last_lines_of_a_large_file_are_found_from_its_end)
{
    std::string text;
    for (int number = 0; number < 60'000; ++number) text += "line " + std::to_string(number) + "\n";
    scratch.write("web.log", text);
    EXPECT_THAT(seen({.lines = 2}), ElementsAre("web:line 59998", "web:line 59999"));
    EXPECT_EQ(seen({.lines = 40'000}).front(), "web:line 20000");
    EXPECT_THAT(seen({.lines = 3, .pattern = "000$"}), ElementsAre("web:line 57000", "web:line 58000", "web:line 59000"));
    EXPECT_THAT(seen({.lines = 3, .pattern = "line [12]$"}), ElementsAre("web:line 1", "web:line 2"));
}

TEST_F(ViewTest, the_last_lines_of_several_services_are_the_last_of_all)
{
    sources.push_back(output(scratch / "api.log", "api"));
    scratch.write("web.log", stamp("12:00:00") + "a\n" + stamp("12:00:02") + "c\n" + stamp("12:00:03") + "d\n");
    scratch.write("api.log", stamp("12:00:01") + "b\n" + stamp("12:00:04") + "e\n");
    EXPECT_THAT(seen({}), ElementsAre("web:a", "api:b", "web:c", "web:d", "api:e"));
    EXPECT_THAT(seen({.lines = 2}), ElementsAre("web:d", "api:e"));
}

TEST_F(ViewTest, times_bound_what_is_shown_and_an_unstamped_line_belongs_to_the_one_before)
{
    scratch.write("web.log", stamp("12:00:00") + "one\n" + stamp("12:00:10") + "two\nmore of two\n" + stamp("12:00:20") + "three\n");
    EXPECT_THAT(seen({.since = at("12:00:10")}), ElementsAre("web:two", "web:more of two", "web:three"));
    EXPECT_THAT(seen({.since = at("12:00:05"), .until = at("12:00:15")}), ElementsAre("web:two", "web:more of two"));
    EXPECT_THAT(seen({.lines = 1, .until = at("12:00:15")}), ElementsAre("web:more of two"));
}

TEST_F(ViewTest, a_pattern_looks_at_the_text_without_its_stamp)
{
    scratch.write("web.log", stamp("12:00:00") + "GET /one\n" + stamp("12:00:01") + "PUT /two\n");
    EXPECT_THAT(seen({.pattern = "^GET"}), ElementsAre("web:GET /one"));
    Listener listener;
    EXPECT_EQ(view(sources, {.pattern = "("}, listener).error().code, ErrorCode::invalid_argument);
}

TEST_F(ViewTest, events_stand_between_the_lines_of_their_service)
{
    scratch.write("steward.log",
                  "2026-11-21T12:00:00.500Z info web: running, PID 1\n2026-11-21T12:00:00.600Z info api: not asked for\n"
                  "2026-11-21T12:00:00.700Z info reexecuted\nno event: at all\n2026-11-21T12:00:02.500Z warning web: ended\n");
    sources.push_back({.path = scratch / "steward.log", .stream = LogLine::Stream::events, .service = {}, .services = {"web"}});
    sources.push_back({.path = scratch / "web.err", .stream = LogLine::Stream::error, .service = "web", .services = {}});
    scratch.write("web.log", stamp("12:00:01") + "one\n" + stamp("12:00:03") + "two\n");
    scratch.write("web.err", stamp("12:00:02") + "oops\n");
    EXPECT_THAT(seen({}), ElementsAre("web!running, PID 1", "web:one", "web2oops", "web!ended", "web:two"));
}

TEST_F(ViewTest, a_line_of_megabytes_keeps_together)
{
    const std::string large(5'000'000, 'x');
    scratch.write("web.log", stamp("12:00:01") + large + "\n" + stamp("12:00:03") + "end\n");
    sources.push_back(output(scratch / "api.log", "api"));
    scratch.write("api.log", stamp("12:00:02") + "between\n");
    EXPECT_THAT(seen({}), ElementsAre("web:" + large, "api:between", "web:end"));
    EXPECT_THAT(seen({.lines = 2}), ElementsAre("api:between", "web:end"));
    EXPECT_THAT(seen({.pattern = "between"}), ElementsAre("api:between"));
}

TEST_F(ViewTest, a_damaged_file_is_told_and_the_others_are_shown)
{
    scratch.write("web.log.1.gz", "not gzip at all");
    scratch.write("web.log", "one\n");
    EXPECT_THAT(seen({}), ElementsAre("web:one"));
    EXPECT_THAT(faults, ElementsAre(testing::HasSubstr("web.log.1.gz': what is compressed in it is damaged")));
    EXPECT_THAT(seen({.lines = 5}), ElementsAre("web:one"));
    EXPECT_THAT(seen({.lines = 1}), ElementsAre("web:one"));
    EXPECT_THAT(faults, IsEmpty());
}

// What is done when so many lines have been seen.
struct Step {
    std::size_t seen;
    std::function<void()> act;
};

class Following : public ViewTest {
  protected:
    // Follows until `enough` lines were seen.
    std::vector<std::string> follow(std::size_t enough, std::vector<Step> steps, LogOptions options = {})
    {
        options.follow = true;
        Listener listener;
        std::size_t next = 0;
        listener.on_quiet = [&] {
            while (next < steps.size() && listener.lines.size() >= steps[next].seen) steps[next++].act();
            return next < steps.size() || listener.lines.size() < enough;
        };
        const auto shown = view(sources, options, listener);
        EXPECT_TRUE(shown) << shown.error().message();
        faults = listener.faults;
        return listener.lines;
    }
    void rename(const char* from, const char* to) const { std::filesystem::rename(scratch / from, scratch / to); }
};

TEST_F(Following, begins_with_the_last_ten_lines)
{
    for (int number = 1; number <= 12; ++number) append("web.log", std::to_string(number) + "\n");
    const auto lines = follow(11, {{10, [&] { append("web.log", "new\n"); }}});
    ASSERT_EQ(lines.size(), 11U);
    EXPECT_EQ(lines.front(), "web:3");
    EXPECT_EQ(lines.back(), "web:new");
    EXPECT_THAT(follow(0, {}, {.lines = 0}), IsEmpty());
}

TEST_F(Following, waits_for_the_end_of_a_line)
{
    append("web.log", "one\nhal");
    const auto lines = follow(2, {{1, [&] { append("web.log", "f a li"); }}, {1, [&] { append("web.log", "ne\n"); }}});
    EXPECT_THAT(lines, ElementsAre("web:one", "web:half a line"));
}

TEST_F(Following, goes_on_across_rotations)
{
    append("web.log", "one\n");
    const auto rotate = [&] {
        append("web.log", "two\n");
        rename("web.log", "web.log.1");
        append("web.log", "three\n");
        rename("web.log.1", "web.log.2");
        rename("web.log", "web.log.1");
        append("web.log", "four\n");
    };
    EXPECT_THAT(follow(5, {{1, rotate}, {4, [&] { append("web.log", "five\n"); }}}),
                ElementsAre("web:one", "web:two", "web:three", "web:four", "web:five"));
}

TEST_F(Following, reads_the_old_file_until_the_new_one_is_written_to)
{
    append("web.log", "one\n");
    const auto rotate = [&] {
        rename("web.log", "web.log.1");
        append("web.log", "");
        append("web.log.1", "two\n");
    };
    EXPECT_THAT(follow(4, {{1, rotate}, {2, [&] { append("web.log.1", "three\n"); }}, {3, [&] { append("web.log", "four\n"); }}}),
                ElementsAre("web:one", "web:two", "web:three", "web:four"));
}

TEST_F(Following, begins_anew_in_a_file_that_was_emptied)
{
    append("web.log", "one, quite long\n");
    const auto empty = [&] {
        std::filesystem::resize_file(path, 0);
        append("web.log", "two\n");
    };
    EXPECT_THAT(follow(3, {{1, empty}, {2, [&] { append("web.log", "three\n"); }}}),
                ElementsAre("web:one, quite long", "web:two", "web:three"));
}

TEST_F(Following, does_not_show_again_what_a_recovery_writes_again)
{
    append("web.log", "one\ntwo\nthree\n");
    const auto recover = [&] {
        std::filesystem::resize_file(path, 4);
        append("web.log", "two\nthree\nfour\n");
    };
    EXPECT_THAT(follow(4, {{3, recover}}), ElementsAre("web:one", "web:two", "web:three", "web:four"));
}

TEST_F(Following, finds_a_log_that_is_made_later)
{
    EXPECT_THAT(follow(2, {{0, [&] { append("web.log", "one\n"); }}, {1, [&] { append("web.log", "two\n"); }}}),
                ElementsAre("web:one", "web:two"));
}

TEST_F(Following, several_logs_are_one)
{
    sources.push_back(output(scratch / "api.log", "api"));
    EXPECT_THAT(follow(3,
                       {{0, [&] { append("web.log", "one\nno\n"); }},
                        {1, [&] { append("api.log", "two\n"); }},
                        {2, [&] { append("web.log", "three\n"); }}},
                       {.pattern = "t|one"}),
                ElementsAre("web:one", "api:two", "web:three"));
}

TEST_F(Following, of_a_directory_that_is_not_there_is_told)
{
    sources = {output(scratch / "none/web.log")};
    EXPECT_THAT(follow(0, {}), IsEmpty());
    EXPECT_EQ(faults.size(), 1U);
}

}  // namespace
}  // namespace steward::log
