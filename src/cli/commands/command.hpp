// What every command has at hand, whatever its verb: what was asked, who is asked, who is told, and the exit code so far.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <steward/manager.hpp>

#include "cli/answers.hpp"
#include "cli/arguments.hpp"
#include "cli/console.hpp"
#include "cli/exit_codes.hpp"
#include "cli/render.hpp"

namespace steward::cli {

// One command at work. Owns nothing: what it is made of must outlive it.
class Command {
  public:
    Command(const Arguments& arguments, Manager& manager, Console& console, TimePoint now)
        : arguments_(arguments), manager_(manager), console_(console), now_(now)
    {
    }

    [[nodiscard]] const Arguments& arguments() const { return arguments_; }
    [[nodiscard]] Manager& manager() const { return manager_; }
    [[nodiscard]] Console& console() const { return console_; }
    [[nodiscard]] TimePoint now() const { return now_; }
    [[nodiscard]] const Style& style() const { return console_.out_style(); }

    // -q leaves only errors, and those are for a reader; so are those of run, whose standard output is the service's.
    [[nodiscard]] bool json() const { return arguments_.json && !arguments_.quiet && arguments_.verb->id != VerbId::run; }
    [[nodiscard]] bool text() const { return !arguments_.json && !arguments_.quiet; }

    [[nodiscard]] int exit_code() const { return exit_code_; }
    void set_exit_code(int code) { exit_code_ = code; }
    // The first code that is not "done" stays.
    void note(int code);

    // What the operands mean: an answer each.
    [[nodiscard]] Answers<Target> targets() const;

    // What cannot be done for one service does not keep the others from it: told here, unless it goes into a document.
    void fault(const std::string& operand, Error error);

    void tell(std::string_view text) { console_.result(text); }
    // "web: started, PID 4121"
    void tell_line(const std::string& name, const std::string& what);

    // Asks about each service in turn; `tell` is called with each answer as soon as it is there.
    template <class T, class Ask, class Tell>
    Answers<T> ask_each(Ask ask, Tell tell)
    {
        Answers<T> answers;
        for (Answer<Target>& target : targets()) {
            Answer<T> answer{target.result ? target.result->name : target.name,
                             target.result ? ask(*target.result) : Result<T>(fail(target.result.error()))};
            if (answer.result) {
                tell(answer);
            } else {
                fault(target.name, answer.result.error());
            }
            answers.push_back(std::move(answer));
        }
        return answers;
    }

    // With --json the whole answer, made by `document` of all that was learnt. Returns the exit code.
    template <class Document, class... Learnt>
    int finish(Document document, const Learnt&... learnt)
    {
        if (json()) console_.result(document(learnt..., style()));
        return exit_code_;
    }

  private:
    [[nodiscard]] std::string next_step(const std::string& operand, const Error& error) const;

    const Arguments& arguments_;
    Manager& manager_;
    Console& console_;
    TimePoint now_;
    int exit_code_ = exit_done;
};

}  // namespace steward::cli
