#include "cli/commands.hpp"

#include <algorithm>

#include <steward/terminal.hpp>
#include <steward/words.hpp>

#include "cli/answers.hpp"
#include "cli/deeds.hpp"
#include "cli/exit_codes.hpp"
#include "cli/json.hpp"
#include "cli/text.hpp"

namespace steward::cli {

namespace {

constexpr unsigned default_lines = 10;

// One command: what was asked, who is asked, who is told, and the exit code so far.
class Command {
  public:
    Command(const Arguments& arguments, Manager& manager, Console& console, TimePoint now)
        : arguments_(arguments), manager_(manager), console_(console), now_(now)
    {
    }

    int carry_out()
    {
        switch (arguments_.verb->id) {
            case VerbId::run: return run();
            case VerbId::status: return arguments_.operands.empty() ? overview() : status();
            case VerbId::list: return list();
            case VerbId::show: return show();
            case VerbId::check: return check();
            case VerbId::generate: return generate();
            default: return deeds();
        }
    }

  private:
    // -q leaves only errors, and those are for a reader; so are those of run, whose standard output is the service's.
    [[nodiscard]] bool json() const { return arguments_.json && !arguments_.quiet && arguments_.verb->id != VerbId::run; }
    [[nodiscard]] bool text() const { return !arguments_.json && !arguments_.quiet; }

    void note(int code)
    {
        if (exit_code_ == exit_done) exit_code_ = code;
    }

    // What cannot be done for one service does not keep the others from it: told here, unless it goes into a document.
    void fault(const std::string& operand, Error error)
    {
        note(cli::exit_code(arguments_.verb->id, error.code));
        if (json()) return;
        const std::string right = near_miss(operand, error);
        if (!right.empty()) error.next_step.clear();
        if (right.empty() && error.next_step.empty()) error.next_step = next_step(operand, error);
        console_.complain(error.message() + right);
        console_.diagnostic(render_details(error, console_.err_style()));
    }

    [[nodiscard]] std::string next_step(const std::string& operand, const Error& error) const
    {
        const bool root_may_help = error.code == ErrorCode::not_permitted && arguments_.scope != Scope::user && !caller_is_root();
        if (!root_may_help || !arguments_.command.empty()) return {};
        const std::string signal = arguments_.signal ? signal_name(*arguments_.signal) + " " : std::string{};
        return "sudo steward " + std::string(arguments_.verb->name) + " " + signal + operand;
    }

    [[nodiscard]] std::string near_miss(const std::string& operand, const Error& error) const
    {
        const bool is_name = operand.find_first_of("/*?[") == std::string::npos && !operand.ends_with(".toml");
        if (error.code != ErrorCode::unknown_service || !is_name) return {};
        const auto known = manager_.all();
        if (!known) return {};
        std::vector<std::string> names;
        for (const Target& target : *known) names.push_back(target.name);
        const std::string right = nearest(operand, names);
        return right.empty() || right == operand ? std::string{} : " (did you mean '" + right + "'?)";
    }

    // The services meant by the operands, each once, in order; an operand that means none is an answer too.
    [[nodiscard]] Answers<Target> targets()
    {
        if (!arguments_.command.empty()) return {{arguments_.name, manager_.ad_hoc(arguments_.name, arguments_.command)}};
        Answers<Target> found;
        if (arguments_.operands.empty()) {
            add(found, "", manager_.all());
            return found;
        }
        for (const std::string& operand : arguments_.operands) add(found, operand, manager_.resolve({operand}));
        return found;
    }

    static void add(Answers<Target>& found, const std::string& operand, Result<std::vector<Target>> resolved)
    {
        if (!resolved) {
            found.push_back({operand, fail(std::move(resolved.error()))});
            return;
        }
        for (Target& target : *resolved) {
            const bool known = std::any_of(found.begin(), found.end(), [&](const Answer<Target>& other) {
                return other.result && other.result->name == target.name && other.result->file == target.file;
            });
            if (!known) found.push_back({target.file.empty() ? target.name : target.file, std::move(target)});
        }
    }

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

    int run()
    {
        std::vector<Target> services;
        for (Answer<Target>& target : targets()) {
            if (!target.result) {
                fault(target.name, target.result.error());
            } else {
                services.push_back(std::move(*target.result));
            }
        }
        if (exit_code_ != exit_done) return exit_code_;
        const auto outcome = manager_.run(services);
        if (!outcome) {
            fault(services.empty() ? "" : services.front().name, outcome.error());
            return exit_code_;
        }
        if (!outcome->exit || !outcome->exit->known) return exit_done;
        return outcome->exit->signalled ? 128 + outcome->exit->code : outcome->exit->code;
    }

    int deeds()
    {
        const auto answers = ask_each<Deed>([&](const Target& target) { return do_deed(arguments_, manager_, target); },
                                            [&](const Answer<Deed>& answer) {
                                                if (text()) tell_line(answer.name, answer.result->text);
                                            });
        if (json()) console_.result(deeds_json(answers, console_.out_style()));
        return exit_code_;
    }

    int status()
    {
        bool first = true;
        const auto answers = ask_each<ServiceStatus>([&](const Target& target) { return manager_.status(target, asking(lines())); },
                                                     [&](const Answer<ServiceStatus>& answer) {
                                                         note(answer.result->lsb_code);
                                                         if (text()) console_.result((first ? "" : "\n") + render(*answer.result));
                                                         first = false;
                                                     });
        if (json()) console_.result(status_json(answers, console_.out_style()));
        return exit_code_;
    }

    // Bare `status`: all in a table, and in full what is in trouble.
    int overview()
    {
        const auto answers = ask_each<ServiceStatus>(
            [&](const Target& target) -> Result<ServiceStatus> {
                auto status = manager_.status(target, asking(json() ? lines() : 0));
                return status && text() && is_in_trouble(*status) ? manager_.status(target, asking(lines())) : std::move(status);
            },
            [](const Answer<ServiceStatus>&) {});
        if (json()) console_.result(status_json(answers, console_.out_style()));
        if (text()) {
            tell_table(answers);
            for (const Answer<ServiceStatus>& answer : answers) {
                if (answer.result && is_in_trouble(*answer.result)) console_.result("\n" + render(*answer.result));
            }
        }
        const bool none_told = answers.size() == 1 && answers.front().name.empty();
        return none_told ? exit_code_ : exit_done;
    }

    int list()
    {
        const auto answers = ask_each<ServiceStatus>([&](const Target& target) { return manager_.status(target, asking(0)); },
                                                     [](const Answer<ServiceStatus>&) {});
        if (json()) console_.result(list_json(answers, console_.out_style()));
        if (text()) tell_table(answers);
        return exit_code_;
    }

    int show()
    {
        bool first = true;
        const auto answers = ask_each<ShownService>([&](const Target& target) { return manager_.show(target); },
                                                    [&](const Answer<ShownService>& answer) {
                                                        const std::string shown = render_show(*answer.result, console_.out_style());
                                                        if (text()) console_.result((first ? "" : "\n") + shown);
                                                        first = false;
                                                    });
        if (json()) console_.result(show_json(answers, console_.out_style()));
        return exit_code_;
    }

    int check()
    {
        const auto answers = ask_each<Generated>(
            [&](const Target& target) -> Result<Generated> {
                if (auto valid = manager_.check(target); !valid) return fail(valid.error());
                if (arguments_.init.empty()) return Generated{.name = target.name, .files = {}, .notes = {}};
                return manager_.generate(target, generating());
            },
            [&](const Answer<Generated>& answer) {
                if (!text()) return;
                tell_line(answer.name, "ok");
                console_.result(render_notes(*answer.result, console_.out_style(), true));
            });
        if (json()) console_.result(check_json(answers, console_.out_style()));
        return exit_code_;
    }

    int generate()
    {
        const auto answers = ask_each<Generated>([&](const Target& target) { return manager_.generate(target, generating()); },
                                                 [](const Answer<Generated>&) {});
        if (json()) console_.result(generate_json(answers, console_.out_style()));
        if (!text()) return exit_code_;
        std::size_t files = 0;
        for (const Answer<Generated>& answer : answers) files += answer.result ? answer.result->files.size() : 0;
        for (const Answer<Generated>& answer : answers) {
            if (!answer.result) continue;
            console_.diagnostic(render_notes(*answer.result, console_.err_style(), arguments_.verbose));
            console_.result(arguments_.destdir.empty() ? render_files(*answer.result, files > 1)
                                                       : render_written(*answer.result, arguments_.destdir));
        }
        return exit_code_;
    }

    [[nodiscard]] GenerateOptions generating() const
    {
        return {.systems = arguments_.init,
                .with_steward = !arguments_.without_steward,
                .strict = arguments_.strict,
                .destination = arguments_.destdir};
    }

    void tell_line(const std::string& name, const std::string& what)
    {
        console_.result(printable(name, console_.out_style().unicode) + ": " + what + "\n");
    }

    void tell_table(const Answers<ServiceStatus>& answers)
    {
        std::vector<ServiceStatus> services;
        for (const Answer<ServiceStatus>& answer : answers) {
            if (answer.result) services.push_back(*answer.result);
        }
        if (!services.empty()) console_.result(render_list(services, now_, console_.out_style(), arguments_.verbose));
        if (answers.empty())
            console_.complain("there are no services yet (try: steward start --name NAME -- COMMAND, or man steward.toml)");
    }

    [[nodiscard]] unsigned lines() const { return arguments_.lines.value_or(default_lines); }
    // With -q only the exit code is told.
    [[nodiscard]] StatusOptions asking(unsigned last_lines) const
    {
        return arguments_.quiet ? StatusOptions{.last_lines = 0, .usage = false} : StatusOptions{.last_lines = last_lines, .usage = true};
    }
    [[nodiscard]] std::string render(const ServiceStatus& status) const
    {
        return render_status(status, now_, console_.out_style(), arguments_.verbose);
    }

    const Arguments& arguments_;
    Manager& manager_;
    Console& console_;
    TimePoint now_;
    int exit_code_ = exit_done;
};

}  // namespace

int carry_out(const Arguments& arguments, Manager& manager, Console& console, TimePoint now)
{
    return Command(arguments, manager, console, now).carry_out();
}

}  // namespace steward::cli
