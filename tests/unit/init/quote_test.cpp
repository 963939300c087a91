// What is written is read back as it was, by parsers that share nothing with the writers: of the shell's words as POSIX has them, of
// systemd's as systemd.syntax(7), systemd.unit(5) "Specifiers" and systemd.service(5) "Command lines" have them.
#include <optional>
#include <random>

#include <gtest/gtest.h>

#include "init/fill.hpp"
#include "init/quote.hpp"

namespace steward::init {
namespace {

// A shell would expand, glob or end a command at an unquoted one of these.
constexpr std::string_view special_in_shell = "|&;<>()$`\\\"' \t\n*?[#~=!{}";

std::optional<Argv> read_shell(std::string_view line)
{
    Argv words;
    std::optional<std::string> word;
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (line[i] == ' ') {
            if (word) words.push_back(std::move(*word));
            word.reset();
            continue;
        }
        if (!word) word = "";
        if (line[i] == '\'') {
            const std::size_t end = line.find('\'', i + 1);
            if (end == std::string_view::npos) return std::nullopt;
            *word += line.substr(i + 1, end - i - 1);
            i = end;
        } else if (line[i] == '\\') {
            if (++i == line.size()) return std::nullopt;
            *word += line[i];
        } else if (special_in_shell.find(line[i]) != std::string_view::npos) {
            return std::nullopt;
        } else {
            *word += line[i];
        }
    }
    if (word) words.push_back(std::move(*word));
    return words;
}

// One quoted or bare word, with C escapes; then specifiers, then (where asked) variables. Nothing set: not one word.
std::optional<std::string> read_systemd(std::string_view text, bool variables)
{
    std::string word;
    const bool quoted = !text.empty() && text.front() == '"';
    if (quoted) {
        if (text.size() < 2 || text.back() != '"') return std::nullopt;
        text = text.substr(1, text.size() - 2);
    }
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '"' || (!quoted && std::string_view(" \t;'").find(text[i]) != std::string_view::npos)) return std::nullopt;
        if (text[i] == '\n') return std::nullopt;
        if (text[i] != '\\') {
            word += text[i];
        } else if (i + 3 < text.size() && text[i + 1] == 'x') {
            word += static_cast<char>(std::stoi(std::string(text.substr(i + 2, 2)), nullptr, 16));
            i += 3;
        } else if (i + 1 < text.size() && std::string_view("\\\"'").find(text[i + 1]) != std::string_view::npos) {
            word += text[++i];
        } else {
            return std::nullopt;
        }
    }
    const auto undouble = [&](char mark) {
        std::string single;
        for (std::size_t i = 0; i < word.size(); ++i) {
            if (word[i] == mark && (++i == word.size() || word[i] != mark)) return false;
            single += word[i];
        }
        word = std::move(single);
        return true;
    };
    if (!undouble('%') || (variables && !undouble('$'))) return std::nullopt;
    return word;
}

class Random {
  public:
    std::string text()
    {
        static constexpr std::string_view likely = " '\"\\$%;#`*?[]{}()<>|&~!=@-+:.,/abcxn\t\x01\x7f";
        std::string text;
        const int length = pick(12);
        for (int i = 0; i < length; ++i) {
            char c =
                pick(3) == 0 ? static_cast<char>(pick(255) + 1) : likely[static_cast<std::size_t>(pick(static_cast<int>(likely.size())))];
            if (c == '\n') c = '\\';
            text += c;
        }
        return text;
    }
    int pick(int below) { return static_cast<int>(engine_() % static_cast<unsigned>(below)); }

  private:
    std::mt19937 engine_{20260102};
};

TEST(Quote, a_shell_reads_back_any_words)
{
    Random random;
    for (int round = 0; round < 20'000; ++round) {
        Argv words(static_cast<std::size_t>(random.pick(4)));
        for (auto& word : words) word = random.text();
        ASSERT_EQ(read_shell(shell_words(words)), words) << shell_words(words);
    }
}

TEST(Quote, systemd_reads_back_any_argument)
{
    Random random;
    for (int round = 0; round < 20'000; ++round) {
        const std::string text = random.text();
        ASSERT_EQ(read_systemd(systemd_argument(text), true), text) << systemd_argument(text);
        ASSERT_EQ(read_systemd(systemd_item(text), false), text) << systemd_item(text);
    }
}

TEST(Quote, systemd_reads_back_any_program_that_it_takes)
{
    Random random;
    int taken = 0;
    for (int round = 0; round < 20'000; ++round) {
        const std::string text = "/" + random.text();
        if (!is_systemd_program(text)) continue;
        ++taken;
        ASSERT_EQ(read_systemd(systemd_program(text), false), text) << systemd_program(text);
    }
    EXPECT_GT(taken, 1000);
}

TEST(Quote, systemd_takes_no_program_that_it_would_read_as_something_else)
{
    for (const char* program : {"", "-x", "@x", ":x", "+x", "!x", "|x", "a/b", "./a", "/a$b", "/a\"b", "/a\\b", "/a'b", "/a\tb", "/a/"})
        EXPECT_FALSE(is_systemd_program(program)) << program;
    for (const char* program : {"/bin/sh", "redis-server", "/a b", "/100%", "/a;b"}) EXPECT_TRUE(is_systemd_program(program)) << program;
}

TEST(Quote, what_is_plain_stays_readable)
{
    EXPECT_EQ(shell_word("--port=80"), "'--port=80'");
    EXPECT_EQ(shell_word("/usr/sbin/nginx"), "/usr/sbin/nginx");
    EXPECT_EQ(systemd_argument("daemon off;"), "\"daemon off;\"");
    EXPECT_EQ(systemd_argument("-g"), "-g");
    EXPECT_EQ(systemd_argument(""), "\"\"");
    EXPECT_EQ(shell_word(""), "''");
}

TEST(Quote, a_line_of_systemd_keeps_its_ends)
{
    for (const char* line : {"", " x", "x ", "x\\", "a\tb"}) EXPECT_FALSE(is_systemd_line(line)) << line;
    EXPECT_TRUE(is_systemd_line("100% \\ ok; #1"));
    EXPECT_EQ(systemd_line("100% ok"), "100%% ok");
}

TEST(Fill, replaces_words_and_blocks_once)
{
    const Values values{.words = {{"A", "@B@"}, {"B", "b"}}, .blocks = {{"L", {"one", "@B@", "#@L@"}}}};
    EXPECT_EQ(fill("x @A@ @B@\n#@L@\nend\n", values), "x @B@ b\none\n@B@\n#@L@\nend\n");
}

TEST(Fill, leaves_what_is_no_placeholder)
{
    const Values values{.words = {{"A", "1"}}, .blocks = {}};
    EXPECT_EQ(fill("a@b.c @A@ @ @@ x@\n# @A@\n#@GONE@\n", values), "a@b.c 1 @ @@ x@\n# 1\n");
}

}  // namespace
}  // namespace steward::init
