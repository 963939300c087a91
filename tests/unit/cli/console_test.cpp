// What really goes to a terminal: the command line runs against a pty, and the other end is read.
#include "cli/console.hpp"

#include <pty.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>

#include <steward/terminal.hpp>

#include "command_line_test.hpp"
#include "golden.hpp"

namespace steward::cli {

namespace {

class Environment {
  public:
    Environment(const char* name, const char* value) : name_(name)
    {
        if (const char* before = std::getenv(name)) before_ = before;
        value == nullptr ? unsetenv(name) : setenv(name, value, 1);
    }
    Environment(const Environment&) = delete;
    Environment& operator=(const Environment&) = delete;
    ~Environment() { before_ ? setenv(name_, before_->c_str(), 1) : unsetenv(name_); }

  private:
    const char* name_;
    std::optional<std::string> before_;
};

class TerminalTest : public CommandLineTest {
  protected:
    // The two ends of a terminal of 60 columns. What is written fits into its buffer.
    std::string on_terminal(const std::vector<std::string>& words)
    {
        int master = -1, slave = -1;
        winsize size{};
        size.ws_row = 24;
        size.ws_col = 60;
        if (openpty(&master, &slave, nullptr, nullptr, &size) != 0) {
            ADD_FAILURE() << "no terminal to be had";
            return {};
        }
        EXPECT_TRUE(is_terminal(slave));
        EXPECT_EQ(terminal_width(slave), 60U);
        std::FILE* stream = fdopen(slave, "w");
        static_cast<void>(run_command_line(words, stream, stream));
        std::fclose(stream);
        std::string text;
        char bytes[4096];
        for (ssize_t got = 0; (got = read(master, bytes, sizeof bytes)) > 0;) text.append(bytes, static_cast<std::size_t>(got));
        close(master);
        return text;
    }

    Environment term_{"TERM", "xterm-256color"};
    Environment no_color_{"NO_COLOR", nullptr};
    Environment lc_all_{"LC_ALL", "C.UTF-8"};
};

TEST_F(TerminalTest, a_terminal_gets_colours_and_its_own_width)
{
    host().services["web"] = running_service("web");
    host().services["web"].last_lines = {std::string(70, 'x') + "\x1b[2J\x07"};
    const std::string told = on_terminal({"status", "web"});
    EXPECT_TRUE(told.starts_with("\x1b[1;32m●\x1b[0m \x1b[1mweb\x1b[0m: \x1b[1;32mrunning\x1b[0m\r\n")) << told;
    EXPECT_NE(told.find("      | " + std::string(52, 'x') + "\r\n        " + std::string(18, 'x') + "\\x1b[2J\\x07\r\n"), std::string::npos)
        << told;
}

TEST_F(TerminalTest, no_color_and_dumb_terminals_get_none)
{
    host().services["web"] = running_service("web");
    {
        const Environment no_color("NO_COLOR", "1");
        EXPECT_EQ(on_terminal({"status", "web"}).find('\x1b'), std::string::npos);
        EXPECT_NE(on_terminal({"status", "web", "--color=always"}).find('\x1b'), std::string::npos);
    }
    {
        const Environment dumb("TERM", "dumb");
        EXPECT_EQ(on_terminal({"status", "web"}).find('\x1b'), std::string::npos);
    }
    EXPECT_EQ(on_terminal({"status", "web", "--color=never"}).find('\x1b'), std::string::npos);
    {
        const Environment empty("NO_COLOR", "");
        EXPECT_NE(on_terminal({"status", "web"}).find('\x1b'), std::string::npos);
    }
}

TEST_F(TerminalTest, a_terminal_without_unicode_gets_ascii)
{
    const Environment lc_all("LC_ALL", "C");
    host().services["web"] = running_service("web");
    host().services["web"].description = "Grüße";
    const std::string told = on_terminal({"status", "web", "--color=never"});
    EXPECT_TRUE(told.starts_with("* web: running\r\n    Gr\\u00fc\\u00dfe\r\n")) << told;
}

TEST_F(TerminalTest, errors_are_marked)
{
    host().errors["web"] = error(ErrorCode::failed);
    EXPECT_EQ(on_terminal({"stop", "web"}), "\x1b[1;31msteward:\x1b[0m cannot stop web: the moon is full\r\n");
}

TEST_F(CommandLineTest, a_pipe_gets_neither_colours_nor_cuts)
{
    host().services["web"] = running_service("web");
    host().services["web"].last_lines = {std::string(3000, 'x')};
    const Told told = run({"status", "web"});
    EXPECT_EQ(told.out.find('\x1b'), std::string::npos);
    EXPECT_NE(told.out.find(std::string(3000, 'x')), std::string::npos);
    EXPECT_NE(run({"status", "web", "--color", "always"}).out.find("\x1b[1;32m"), std::string::npos);
}

TEST(Terminal, is_none_for_files_and_closed_descriptors)
{
    EXPECT_FALSE(is_terminal(-1));
    EXPECT_EQ(terminal_width(-1), 0U);
    std::FILE* file = std::tmpfile();
    ASSERT_NE(file, nullptr);
    EXPECT_FALSE(is_terminal(fileno(file)));
    EXPECT_EQ(terminal_width(fileno(file)), 0U);
    std::fclose(file);
}

}  // namespace

}  // namespace steward::cli
