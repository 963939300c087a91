#include "cli/commands/command.hpp"

#include <steward/terminal.hpp>

#include "cli/targets.hpp"
#include "cli/text.hpp"

namespace steward::cli {

void Command::note(int code)
{
    if (exit_code_ == exit_done) exit_code_ = code;
}

Answers<Target> Command::targets() const
{
    return targets_of(arguments_, manager_);
}

void Command::fault(const std::string& operand, Error error)
{
    note(cli::exit_code(arguments_.verb->id, error.code));
    if (json()) return;
    const std::string right = near_miss(manager_, operand, error);
    if (!right.empty()) error.next_step.clear();
    if (right.empty() && error.next_step.empty()) error.next_step = next_step(operand, error);
    console_.complain(error.message() + right);
    console_.diagnostic(render_details(error, console_.err_style()));
}

std::string Command::next_step(const std::string& operand, const Error& error) const
{
    const bool root_may_help = error.code == ErrorCode::not_permitted && arguments_.scope != Scope::user && !caller_is_root();
    if (!root_may_help || !arguments_.command.empty()) return {};
    const std::string what = arguments_.signal   ? signal_name(*arguments_.signal) + " "
                             : arguments_.rotate ? "--rotate "
                             : arguments_.reopen ? "--reopen "
                                                 : "";
    return "sudo steward " + std::string(arguments_.verb->name) + (operand.empty() ? "" : " " + what + operand);
}

void Command::tell_line(const std::string& name, const std::string& what)
{
    console_.result(printable(name, console_.out_style().unicode) + ": " + what + "\n");
}

}  // namespace steward::cli
