#include "manager/apply.hpp"

#include <algorithm>

#include "manager/applied.hpp"
#include "manager/delegate.hpp"
#include "manager/install.hpp"
#include "manager/key_changes.hpp"
#include "manager/preparation.hpp"
#include "manager/renew.hpp"
#include "manager/site.hpp"
#include "manager/together.hpp"
#include "manager/verbs.hpp"
#include "supervise/client.hpp"

namespace steward::manager {

namespace {

using Verdict = Judgement::Verdict;

constexpr std::chrono::seconds answer_patience{45};

// Who runs it, and so who can be told.
enum class Runner {
    nobody,
    keeper,       // steward, which can be replaced without the service noticing
    foreground,   // `steward run`, which reads its record again
    first,        // PID 1 of a container, which can do neither
    no_more,      // its supervisor is gone, and the next one takes it over
    none_needed,  // supervise = false
    init_system,  // by itself, without a record
};

Result<Runner> runner_of(const Located& located, const Judgement& judgement)
{
    switch (judgement.verdict) {
        case Verdict::supervised: {
            const auto keeper = judgement.state ? judgement.state->keeper.pid : 0;
            return keeper > 1 ? Runner::keeper : keeper == 1 ? Runner::first : Runner::foreground;
        }
        case Verdict::alone: return judgement.state && judgement.state->supervise ? Runner::no_more : Runner::none_needed;
        case Verdict::launching:
            return fail(Error{.code = ErrorCode::failed,
                              .operation = "apply",
                              .object = located.name,
                              .cause = "it is being started",
                              .next_step = "steward status " + located.name});
        case Verdict::refused:
        case Verdict::undeterminable: return fail(refusal(judgement, "apply", located.name));
        default: break;
    }
    auto delegate = Delegate::of(located);
    if (!delegate) return fail(delegate.error());
    return *delegate && (*delegate)->runs() ? Runner::init_system : Runner::nobody;
}

class Applier {
  public:
    Applier(Located located, Site site, std::optional<InitSystem> system, const OnStarted& others)
        : located_(std::move(located)), site_(std::move(site)), system_(system), others_(others)
    {
        done_.name = located_.name;
    }

    // What there is to do. The new file is proven good first.
    Result<void> look()
    {
        auto judgement = judge(located_);
        if (!judgement) return fail(judgement.error());
        auto runner = runner_of(located_, *judgement);
        if (!runner) return fail(runner.error());
        runner_ = *runner;
        done_.running = runner_ != Runner::nobody;
        if (!located_.sources) {
            done_.reason = located_.directory && judgement->state && judgement->state->service_file.empty()
                               ? "it was started without a file"
                               : "its service file is gone";
            return {};
        }
        auto loaded = load_current(located_);
        if (!loaded) return fail(loaded.error());
        loaded_ = std::move(*loaded);
        if (!done_.running) return {};
        if (auto proven = prepare(located_, Foreground::no, MakeDirectories::no); !proven) return fail(proven.error());
        const auto before = runner_ == Runner::init_system ? read_applied(site_, located_.name) : started();
        if (before) done_.keys = key_changes(*before, loaded_->spec, system_.has_value());
        done_.means = furthest(done_.keys);
        const bool is_stale = judgement->state && judgement->state->file_digest != config::digest(loaded_->files);
        is_to_be_told_ = done_.means.has_value() || (is_stale && runner_ != Runner::init_system);
        if (done_.means == Means::signal && runner_ == Runner::first) restart_for("its keeper is PID 1, and cannot be replaced");
        if (!before) unknown_ = true;
        return {};
    }

    // The unit or script of an installed service. What starts another program now than it did is started anew.
    Result<void> renew(bool dry_run)
    {
        if (!system_ || !located_.sources) return {};
        auto renewed = install({.name = located_.name, .file = {}, .command = {}},
                               {.scope = located_.paths.scope, .here = !located_.init_system}, {.init = system_, .dry_run = dry_run});
        if (!renewed) return fail(renewed.error());
        done_.files = std::move(renewed->files);
        done_.kept_edits = renewed->kept_edits;
        if (runner_ != Runner::init_system && runner_ != Runner::foreground) return {};
        if (done_.kept_edits && (runner_ == Runner::init_system || done_.means == Means::restart)) {
            // It would begin again by what is there now.
            done_.means.reset();
            is_to_be_told_ = false;
            done_.reason = "its unit or script was edited, and goes on deciding (try: steward install --force " + located_.name + ")";
            return {};
        }
        const auto starts_another = [](const FileChange& file) {
            return file.kind == FileChange::Kind::updated &&
                   std::ranges::any_of(file.difference, [](const std::string& line) { return line.starts_with("+ExecStart="); });
        };
        const bool updated =
            std::ranges::any_of(done_.files, [](const FileChange& file) { return file.kind == FileChange::Kind::updated; });
        if (done_.means == Means::restart) return {};
        if (std::ranges::any_of(done_.files, starts_another)) {
            restart_for("its unit starts another program than it did");
        } else if (unknown_ && updated) {
            restart_for("what it was started with is not known");
        }
        return {};
    }

    Result<void> carry_out()
    {
        if (done_.means == Means::restart) {
            if (auto restarted = restart(); !restarted) return restarted;
        } else if (is_to_be_told_) {
            if (auto told = tell(); !told) return told;
        }
        if (system_ && done_.running && loaded_ && !done_.kept_edits) return write_applied(site_, loaded_->spec);
        return {};
    }

    [[nodiscard]] Application& done() { return done_; }

  private:
    [[nodiscard]] std::optional<ServiceSpec> started() const
    {
        auto spec = load_started(located_);
        return spec ? std::optional(std::move(*spec)) : std::nullopt;
    }

    void restart_for(std::string reason)
    {
        done_.means = Means::restart;
        done_.reason = std::move(reason);
    }

    Result<void> restart()
    {
        // Over a restart the socket unit stays, and where it listens.
        const bool reopens = system_ == InitSystem::systemd && std::ranges::any_of(done_.keys, [&](const KeyChange& change) {
                                 const bool is_owner = change.key == "service.user" || change.key == "service.group";
                                 return change.key.starts_with("socket.") || (is_owner && loaded_ && !loaded_->spec.sockets.empty());
                             });
        if (reopens) {
            if (auto stopped = stop(located_); !stopped) return fail(stopped.error());
        }
        auto restarted = restart_together(std::move(located_), {}, reopens ? RestartWhat::anything : RestartWhat::running, others_);
        return restarted ? Result<void>() : fail(restarted.error());
    }

    Result<void> tell()
    {
        switch (runner_) {
            case Runner::keeper:
            case Runner::foreground: return hand_over();
            case Runner::no_more: return take_over();
            case Runner::first: return write();
            case Runner::none_needed: return write_alone();
            default: return {};
        }
    }

    [[nodiscard]] Result<void> write() const
    {
        return located_.directory->write_service_file(recorded_file(loaded_->spec, config::digest(loaded_->files)));
    }

    // The next supervisor goes by the record. Killed before it is there, the running one has the digest of what it goes by, and the next
    // apply tells it again.
    Result<void> hand_over()
    {
        auto locked = located_.directory->lock_verb(std::nullopt);
        if (!locked) return fail(locked.error());
        auto former = located_.directory->read_service_file();
        if (!former) return fail(former.error());
        if (auto written = write(); !written) return written;
        auto told = runner_ == Runner::keeper ? replace() : ask_to_apply();
        if (told) return {};
        Error error = told.error();
        error.operation = "apply";
        // Refused: the running one goes on.
        if (error.code != ErrorCode::timed_out && *former) static_cast<void>(located_.directory->write_service_file(**former));
        return fail(std::move(error));
    }

    Result<void> replace()
    {
        auto replaced = reexec(located_);
        return replaced ? Result<void>() : fail(replaced.error());
    }

    [[nodiscard]] Result<void> ask_to_apply() const
    {
        auto reply = supervise::ask(*located_.directory, supervise::Request::apply, "apply", located_.name, answer_patience);
        if (!reply) return fail(reply.error());
        if (reply->error) return fail(*reply->error);
        return {};
    }

    Result<void> take_over()
    {
        {
            auto locked = located_.directory->lock_verb(std::nullopt);
            if (!locked) return fail(locked.error());
            if (auto written = write(); !written) return written;
        }
        auto adopted = start(located_, {});
        return adopted ? Result<void>() : fail(adopted.error());
    }

    Result<void> write_alone()
    {
        auto locked = located_.directory->lock_verb(std::nullopt);
        if (!locked) return fail(locked.error());
        auto lease = located_.directory->take_lease();
        if (!lease) return fail(lease.error());
        auto state = located_.directory->read_state();
        if (!state) return fail(state.error());
        // Somebody has it in hand, or it has ended meanwhile: then it begins as its file says.
        if (!*lease || !*state) return {};
        if (auto written = write(); !written) return written;
        (*state)->file_digest = config::digest(loaded_->files);
        (*state)->description = loaded_->spec.service.description;
        return located_.directory->write_state(**state);
    }

    Located located_;
    Site site_;
    std::optional<InitSystem> system_;  // that it is installed for
    const OnStarted& others_;
    Runner runner_ = Runner::nobody;
    std::optional<config::Loaded> loaded_;
    bool is_to_be_told_ = false;
    bool unknown_ = false;  // what it was started with
    Application done_;
};

}  // namespace

Result<Application> apply(Located located, const ApplyOptions& options, const OnStarted& others)
{
    auto site = site_of(located.paths.scope, {}, located.init_system ? Here::no : Here::yes);
    if (!site) return fail(site.error());
    const auto manifest = manifest_of(located);
    const auto system = manifest ? manifest->system : std::nullopt;
    Applier applier(std::move(located), std::move(*site), system, others);
    if (auto looked = applier.look(); !looked) return fail(looked.error());
    if (auto renewed = applier.renew(options.dry_run); !renewed) return fail(renewed.error());
    if (options.dry_run) return applier.done();
    if (auto carried = applier.carry_out(); !carried) return fail(carried.error());
    return applier.done();
}

}  // namespace steward::manager
