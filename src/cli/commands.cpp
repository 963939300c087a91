#include "cli/commands.hpp"

#include <algorithm>
#include <map>

#include <steward/terminal.hpp>

#include "cli/answers.hpp"
#include "cli/deeds.hpp"
#include "cli/exit_codes.hpp"
#include "cli/json.hpp"
#include "cli/log_printer.hpp"
#include "cli/targets.hpp"
#include "cli/text.hpp"

namespace steward::cli {

namespace {

constexpr unsigned default_lines = 10;

using Scripts = std::vector<PackageScript>;

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
            case VerbId::start:
            case VerbId::stop: return together();
            case VerbId::status: return arguments_.operands.empty() ? overview() : status();
            case VerbId::logs: return logs();
            case VerbId::list: return arguments_.tree ? tree() : list();
            case VerbId::show: return show();
            case VerbId::check: return check();
            case VerbId::generate: return arguments_.scripts ? package_scripts() : generate();
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
        const std::string right = near_miss(manager_, operand, error);
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
        return "sudo steward " + std::string(arguments_.verb->name) + (operand.empty() ? "" : " " + signal + operand);
    }

    [[nodiscard]] Answers<Target> targets() const { return targets_of(arguments_, manager_); }

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
        const Style& style = console_.out_style().terminal ? console_.out_style() : console_.err_style();
        const auto outcome = manager_.run(
            services,
            {.label_output = console_.out_style().terminal, .label_error = console_.err_style().terminal, .colour = style.colour});
        if (!outcome) {
            fault(services.empty() ? "" : services.front().name, outcome.error());
            return exit_code_;
        }
        if (!outcome->exit || !outcome->exit->known) return exit_done;
        return outcome->exit->signalled ? 128 + outcome->exit->code : outcome->exit->code;
    }

    int deeds()
    {
        Answers<Deed> along;
        const OnStarted others = [&](const StartPart& part) { tell_part(part, deed_of(part, arguments_.wait), along); };
        auto answers = ask_each<Deed>([&](const Target& target) { return do_deed(arguments_, manager_, target, others); },
                                      [&](const Answer<Deed>& answer) {
                                          if (text()) tell_line(answer.name, answer.result->text);
                                      });
        answers.insert(answers.end(), along.begin(), along.end());
        if (json()) console_.result(deeds_json(answers, console_.out_style()));
        return exit_code_;
    }

    // start and stop, with what belongs to the services: in the order of their dependencies, not of the operands.
    int together()
    {
        std::vector<Target> services;
        std::vector<std::string> order;
        Answers<Deed> asked, along;
        for (Answer<Target>& target : targets()) {
            order.push_back(target.result ? target.result->name : target.name);
            if (target.result) {
                services.push_back(std::move(*target.result));
            } else {
                fault(target.name, target.result.error());
                asked.push_back({target.name, fail(target.result.error())});
            }
        }
        const auto place = [&](Role role) -> Answers<Deed>& { return role == Role::asked ? asked : along; };
        if (arguments_.verb->id == VerbId::stop) {
            manager_.stop(services, [&](const StopPart& part) { tell_part(part, deed_of(part), place(part.role)); });
        } else {
            const StartOptions options{.wait = arguments_.wait, .timeout = arguments_.timeout};
            manager_.start(services, options,
                           [&](const StartPart& part) { tell_part(part, deed_of(part, arguments_.wait), place(part.role)); });
        }
        sort_as_named(asked, order);
        note_first_failure(asked);
        asked.insert(asked.end(), along.begin(), along.end());
        if (json()) console_.result(deeds_json(asked, console_.out_style()));
        return exit_code_;
    }

    // A service that is only wanted may fail: that is told, and is no failure of the verb.
    template <class Outcome>
    void tell_part(const Part<Outcome>& part, Result<Deed> deed, Answers<Deed>& answers)
    {
        if (!deed) {
            const int before = exit_code_;
            fault(part.name, deed.error());
            if (part.role == Role::wanted) exit_code_ = before;
        } else if (text()) {
            tell_line(part.name, deed->text);
        }
        answers.push_back({part.name, std::move(deed)});
    }

    static void sort_as_named(Answers<Deed>& answers, const std::vector<std::string>& order)
    {
        const auto rank = [&](const Answer<Deed>& answer) { return std::find(order.begin(), order.end(), answer.name); };
        std::stable_sort(answers.begin(), answers.end(), [&](const auto& left, const auto& right) { return rank(left) < rank(right); });
    }

    // Side by side, the first to fail need not be the first that was named; that one tells the exit code.
    void note_first_failure(const Answers<Deed>& answers)
    {
        const auto first = std::find_if(answers.begin(), answers.end(), [](const Answer<Deed>& answer) { return !answer.result; });
        if (first != answers.end()) exit_code_ = cli::exit_code(arguments_.verb->id, first->result.error().code);
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

    int logs()
    {
        const auto form = json() ? LogPrinter::Form::json : text() ? LogPrinter::Form::text : LogPrinter::Form::nothing;
        print_logs(arguments_, manager_, targets(), form, now_, console_,
                   [&](const std::string& service, const Error& error) { fault(service, error); });
        return exit_code_;
    }

    // The named services, or all, with what they require and want.
    int tree()
    {
        DependencyMap dependencies;
        std::map<std::string, ServiceStatus> services;
        std::vector<std::string> roots;
        Answers<ServiceStatus> answers;
        Answers<Target> ahead = targets();
        const std::size_t asked = ahead.size();
        for (std::size_t i = 0; i < ahead.size(); ++i) {
            const Answer<Target> target = ahead[i];
            auto status = target.result ? manager_.status(*target.result, asking(0)) : Result<ServiceStatus>(fail(target.result.error()));
            if (status) {
                if (i < asked && !arguments_.operands.empty()) roots.push_back(target.result->name);
                services.emplace(target.result->name, *status);
                const auto wishes = manager_.dependencies(*target.result).value_or(ServiceSpec::Dependencies{});
                for (const auto* named : {&wishes.required, &wishes.wanted}) add_names(ahead, *named);
                dependencies.emplace(target.result->name, wishes);
            } else if (i < asked) {
                fault(target.name, status.error());
            } else {
                continue;  // missing: the tree says so
            }
            answers.push_back({target.result ? target.result->name : target.name, std::move(status)});
        }
        if (json()) console_.result(tree_json(answers, dependencies, console_.out_style()));
        if (!text()) return exit_code_;
        if (services.empty()) {
            tell_table(answers);
        } else {
            const auto twigs = tree_of(roots, dependencies, console_.out_style());
            console_.result(render_tree(twigs, services, now_, console_.out_style(), arguments_.verbose));
        }
        return exit_code_;
    }

    static void add_names(Answers<Target>& found, const std::vector<std::string>& names)
    {
        for (const std::string& name : names) {
            const bool known = std::any_of(found.begin(), found.end(),
                                           [&](const Answer<Target>& other) { return other.result && other.result->name == name; });
            if (!known && !is_neutral_name(name)) found.push_back({name, Target{.name = name, .file = {}, .command = {}}});
        }
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
        std::vector<Target> services;
        std::vector<std::string> operands;
        Answers<Generated> answers;
        for (Answer<Target>& target : targets()) {
            operands.push_back(target.name);
            if (target.result) {
                answers.push_back({target.result->name, Generated{.name = target.result->name, .files = {}, .notes = {}}});
                services.push_back(std::move(*target.result));
            } else {
                answers.push_back({target.name, fail(target.result.error())});
            }
        }
        const auto outcomes = manager_.check(services);
        std::size_t place = 0;
        for (std::size_t i = 0; i < answers.size(); ++i) {
            auto& result = answers[i].result;
            if (result) {
                if (!outcomes[place]) {
                    result = fail(outcomes[place].error());
                } else if (!arguments_.init.empty()) {
                    result = manager_.generate(services[place], generating());
                }
                ++place;
            }
            if (!result) {
                fault(operands[i], result.error());
            } else if (text()) {
                tell_line(answers[i].name, "ok");
                console_.result(render_notes(*result, console_.out_style(), true));
            }
        }
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

    // One set for all the services: a package has one.
    int package_scripts()
    {
        std::vector<Target> services;
        const auto answers = ask_each<Scripts>(
            [&](const Target& target) {
                services.push_back(target);
                return manager_.package_scripts({target}, *arguments_.scripts, "");
            },
            [](const Answer<Scripts>&) {});
        Result<Scripts> scripts;
        if (exit_code_ == exit_done) scripts = manager_.package_scripts(services, *arguments_.scripts, arguments_.destdir);
        if (!scripts) fault(services.front().name, scripts.error());
        if (json()) console_.result(scripts_json(answers, scripts, console_.out_style()));
        if (text() && scripts) console_.result(render_scripts(*scripts, arguments_.destdir));
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
