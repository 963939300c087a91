// What the Controls have in common: a tool run for a service, and its refusal as an Error. For src/init only.
#pragma once

#include <string>
#include <vector>

#include "init/control.hpp"

namespace steward::init {

// The lines that a tool said.
[[nodiscard]] std::vector<std::string> lines_of(const std::string& output);
[[nodiscard]] std::string first_line(const std::string& output);

// What an exit code other than 0 means.
using Meaning = ErrorCode (*)(int exit_code);
[[nodiscard]] ErrorCode meaning_of_most(int exit_code);  // no more than failed

// Runs it; an exit code other than 0 is an error "cannot OPERATION NAME: TOOL says …".
Result<void> do_with(const RunTool& run, const Argv& command, const char* operation, const std::string& name,
                     Meaning meaning = &meaning_of_most);

// Whether `directory` (/etc/rc2.d) holds the service's link of this kind, whatever its number: S01web, K01web.
[[nodiscard]] bool has_numbered_link(const std::string& directory, char kind, const std::string& name);

[[nodiscard]] bool is_script(const std::string& path);  // a regular file

// A deed is a word that the tool knows too.
class ToolControl : public Control {
  public:
    explicit ToolControl(RunTool run) : run_(std::move(run)) {}

    Result<void> start(const std::string& name) const override { return act("start", name); }
    Result<void> stop(const std::string& name) const override { return act("stop", name); }
    Result<void> restart(const std::string& name) const override { return act("restart", name); }
    Result<void> reload(const std::string& name) const override { return act("reload", name); }
    Result<void> read_anew() const override { return {}; }

  protected:
    [[nodiscard]] virtual Argv command(const char* verb, const std::string& name) const = 0;
    [[nodiscard]] virtual Meaning meaning() const { return &meaning_of_most; }  // of the exit codes of command()
    Result<void> act(const char* verb, const std::string& name) const { return do_with(run_, command(verb, name), verb, name, meaning()); }
    Result<void> order(const Argv& words, const char* operation, const std::string& name) const
    {
        return do_with(run_, words, operation, name);
    }
    Result<os::CommandEnd> ask(const Argv& words) const { return run_(words); }

  private:
    RunTool run_;
};

// Services are scripts in /etc/init.d, which tell by the exit code of "status" whether they run.
class ScriptControl : public ToolControl {
  public:
    using ToolControl::ToolControl;
    Result<bool> knows(const std::string& name) const override { return is_script(script(name)); }
    Result<bool> runs(const std::string& name) const override;

  protected:
    static std::string script(const std::string& name) { return "/etc/init.d/" + name; }
};

std::unique_ptr<Control> make_systemd_control(Scope scope, RunTool run);
std::unique_ptr<Control> make_sysv_control(RunTool run);
std::unique_ptr<Control> make_openrc_control(RunTool run);
std::unique_ptr<Control> make_runit_control(RunTool run);

}  // namespace steward::init
