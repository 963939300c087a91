// Installing, uninstalling and disabling again for every system call that changes something, each time with that one failing, or with the
// process killed in it. Whatever happens, what is there afterwards is whole.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "helpers/scratch.hpp"
#include "unit/process/injector.hpp"

namespace steward::test {
namespace {

namespace fs = std::filesystem;
using testing::StartsWith;

constexpr const char* old_file = "[service]\ncommand = [\"/bin/true\"]\n";
constexpr const char* owner_file =
    "[service]\ncommand = [\"/bin/true\"]\n\n[log]\nfile = \"/srv/web.log\"\n\n[directories]\nstate = [\"web\"]\n";
constexpr const char* new_file = "[service]\ncommand = [\"/bin/true\"]\n\n[restart]\nlimit = 3\n";

// A kill before a call that only looks is one after the last that changed something.
bool changes_something(const SystemCall& call)
{
    static const std::set<std::uint64_t> numbers{
        SYS_write,  SYS_fsync, SYS_fchmod, SYS_fchown, SYS_renameat, SYS_symlinkat, SYS_unlinkat, SYS_mkdirat, SYS_fcntl,
#ifdef SYS_rename
        SYS_rename,
#endif
    };
    return numbers.contains(call.number);
}

int plausible_error(const SystemCall& call)
{
    return call.number == SYS_fsync ? EIO : call.number == SYS_fcntl ? ENOLCK : ENOSPC;
}

// Every path below a directory, with what stands there.
std::map<std::string, std::string> snapshot(const std::string& root)
{
    std::map<std::string, std::string> seen;
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
        const std::string path = entry.path().lexically_relative(root);
        seen[path] = entry.is_symlink()     ? "-> " + fs::read_symlink(entry.path()).string()
                     : entry.is_directory() ? "directory"
                                            : content_of(entry.path());
    }
    return seen;
}

class InstallSweep : public testing::Test {
  protected:
    using Snapshot = std::map<std::string, std::string>;

    // The image as a case finds it.
    void prepare(const std::string& begin)
    {
        fs::remove_all(root());
        fs::create_directories(root() + "/etc");
        fs::create_directories(root() + "/usr");
        if (begin == "nothing") return;
        write(begin == "owner" ? owner_file : old_file);
        ASSERT_TRUE(succeeds("install"));
        if (begin != "owner") return;
        for (const std::string path : {"srv/web.log", "srv/web.log.1.gz", "var/lib/web/a", "var/lib/web/b/c"}) {
            fs::create_directories(fs::path(root() + "/" + path).parent_path());
            std::ofstream(root() + "/" + path) << path;
        }
    }
    void write(const std::string& text) const { scratch_.write("web.toml", text); }
    [[nodiscard]] std::string root() const { return scratch_ / "root"; }

    [[nodiscard]] std::vector<std::string> command(const std::string& verb) const
    {
        return {STEWARD_INSTALL_ONCE, verb, root(), scratch_ / "web.toml", "systemd"};
    }
    [[nodiscard]] bool succeeds(const std::string& verb) const
    {
        std::string line;
        for (const std::string& word : command(verb)) line += word + " ";
        return std::system((line + "| grep -qx ok").c_str()) == 0;
    }

    // Every call of `verb` on an image that is as `begin` says.
    template <class Check>
    void sweep(const std::string& begin, const std::string& verb, const std::string& file, bool kills, Check check)
    {
        prepare(begin);
        write(file);
        const Snapshot before = snapshot(root());
        const auto good = observe(command(verb));
        ASSERT_EQ(good.lines, std::vector<std::string>{"ok"});
        const Snapshot after = snapshot(root());
        unsigned swept = 0;
        for (const SystemCall& call : good.calls) {
            if (call.generation != 0 || !changes_something(call)) continue;
            SCOPED_TRACE(begin + ", " + verb + ", call " + std::to_string(call.index) + ": system call " + std::to_string(call.number));
            prepare(begin);
            write(file);
            const auto seen =
                observe(command(verb), Fault{.generation = 0, .index = call.index, .error = kills ? 0 : plausible_error(call)});
            EXPECT_FALSE(seen.hung);
            check(seen, before, after);
            ++swept;
            if (HasFailure()) return;
        }
        EXPECT_GT(swept, 10u);
    }

    void expect_after(const std::string& verb, const Snapshot& wanted)
    {
        EXPECT_TRUE(succeeds(verb));
        EXPECT_EQ(snapshot(root()), wanted);
    }

    ScratchDirectory scratch_;
};

TEST_F(InstallSweep, killed_in_any_call_of_install_the_next_install_makes_it_whole)
{
    sweep("nothing", "install", old_file, true,
          [&](const auto&, const Snapshot&, const Snapshot& after) { expect_after("install", after); });
}

TEST_F(InstallSweep, killed_in_any_call_of_install_an_uninstall_leaves_nothing)
{
    sweep("nothing", "install", old_file, true, [&](const auto&, Snapshot before, const Snapshot&) {
        EXPECT_TRUE(succeeds("uninstall"));
        Snapshot left = snapshot(root());
        // The way to the state directory is made before anything is known, and is not a service's.
        for (const char* way : {"var", "var/lib"}) {
            left.erase(way);
            before.erase(way);
        }
        if (left.contains("var/lib/steward") && fs::is_empty(root() + "/var/lib/steward")) left.erase("var/lib/steward");
        EXPECT_EQ(left, before);
    });
}

TEST_F(InstallSweep, killed_in_any_call_of_an_update_the_next_install_makes_it_whole)
{
    sweep("installed", "install", new_file, true,
          [&](const auto&, const Snapshot&, const Snapshot& after) { expect_after("install", after); });
}

TEST_F(InstallSweep, killed_in_any_call_of_uninstall_the_next_uninstall_leaves_nothing)
{
    sweep("installed", "uninstall", old_file, true,
          [&](const auto&, const Snapshot&, const Snapshot& after) { expect_after("uninstall", after); });
}

TEST_F(InstallSweep, killed_in_any_call_of_uninstall_an_install_makes_it_whole)
{
    sweep("installed", "uninstall", old_file, true,
          [&](const auto&, const Snapshot& before, const Snapshot&) { expect_after("install", before); });
}

TEST_F(InstallSweep, killed_in_any_call_of_a_purge_the_next_purge_leaves_nothing)
{
    sweep("owner", "purge", owner_file, true, [&](const auto&, const Snapshot&, const Snapshot& after) {
        EXPECT_THAT(after, testing::Not(testing::Contains(testing::Key(testing::HasSubstr("web")))));
        expect_after("purge", after);
    });
}

TEST_F(InstallSweep, killed_in_any_call_of_disable_the_next_disable_makes_it_whole)
{
    sweep("installed", "disable", old_file, true,
          [&](const auto&, const Snapshot&, const Snapshot& after) { expect_after("disable", after); });
}

TEST_F(InstallSweep, any_call_that_fails_is_an_error_that_leaves_all_as_it_was)
{
    const auto check = [&](const Observation& seen, Snapshot before, const Snapshot& after) {
        ASSERT_EQ(seen.lines.size(), 1u);
        Snapshot left = snapshot(root());
        // A lock that could not be taken, or whose file could not be removed; the next to hold it removes it.
        if (left.erase("var/lib/steward/.lock") != 0 && !before.contains("var/lib/steward") && seen.lines[0] != "ok")
            left.erase("var/lib/steward");
        if (seen.lines[0] == "ok") {
            EXPECT_EQ(left, after);
            return;
        }
        EXPECT_THAT(seen.lines[0], StartsWith("error cannot "));
        for (const char* way : {"var", "var/lib"}) {
            left.erase(way);
            before.erase(way);
        }
        // Where the undoing itself was what failed, the journal is there for the next to go by.
        if (left.contains("var/lib/steward/web/journal")) {
            expect_after("install", after);
            return;
        }
        EXPECT_EQ(left, before);
    };
    sweep("nothing", "install", old_file, false, check);
    if (!HasFailure()) sweep("installed", "install", new_file, false, check);
}

}  // namespace
}  // namespace steward::test
