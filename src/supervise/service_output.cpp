#include "supervise/service_output.hpp"

#include "os/file.hpp"
#include "os/pipe.hpp"
#include "os/signals.hpp"
#include "supervise/file_stream.hpp"
#include "supervise/sent_stream.hpp"

namespace steward::supervise {

namespace {

constexpr std::chrono::seconds retry_pause{1};
constexpr const char* out_fifo = "stdout.fifo";
constexpr const char* err_fifo = "stderr.fifo";
constexpr const char* out_spool = "stdout.spool";
constexpr const char* err_spool = "stderr.spool";

Result<void> make_fifo(const Assignment& assignment, os::UniqueFd& fifo, const char* name)
{
    if (fifo) return {};
    const auto& identity = assignment.plan.identity;
    const std::uint32_t uid = identity ? identity->uid : os::effective_uid();
    const std::uint32_t gid = identity ? identity->gid : os::effective_gid();
    auto made = assignment.directory ? os::open_fifo(assignment.directory->directory(), name, uid, gid) : os::make_nameless_fifo(uid, gid);
    if (!made) return fail(made.error());
    fifo = std::move(*made);
    return {};
}

Result<os::UniqueFd> open_spool(const Assignment& assignment, const char* name)
{
    if (!assignment.directory) return os::make_memory_file(name);
    return os::open_at(assignment.directory->directory(), name, {.read = true, .write = true, .create = true, .mode = 0600});
}

}  // namespace

Result<void> make_fifos(Assignment& assignment)
{
    if (!assignment.output.is_taken()) return {};
    if (auto made = make_fifo(assignment, assignment.fifos.out, out_fifo); !made) return made;
    return assignment.output.tells_errors_apart() ? make_fifo(assignment, assignment.fifos.err, err_fifo) : Result<void>();
}

bool find_fifos(Assignment& assignment)
{
    const auto find = [&](os::UniqueFd& fifo, const char* name) {
        auto found = os::find_fifo(assignment.directory->directory(), name);
        if (!found || !*found) return false;
        fifo = std::move(**found);
        return true;
    };
    if (!find(assignment.fifos.out, out_fifo)) return false;
    return !assignment.output.tells_errors_apart() || find(assignment.fifos.err, err_fifo);
}

ServiceOutput::ServiceOutput(os::EventLoop& loop, log::EventLog& events, Assignment& assignment, LabelledTerminal* terminal)
    : loop_(loop), events_(events), assignment_(assignment), terminal_(terminal), holds_packing_(!assignment.spec.ready.log.empty())
{
}

ServiceOutput::~ServiceOutput()
{
    loop_.cancel(retry_);
}

Result<void> ServiceOutput::open()
{
    const OutputTarget& target = assignment_.output;
    if (target.is_taken()) {
        // A limit on the size of files, from whoever called steward, is a fault of the log and not the end of its writer.
        os::ignore_sigxfsz();
        if (auto made = make_fifos(assignment_); !made) return made;
        auto out = open_stream(out_, assignment_.fifos.out, out_spool, target.log_file);
        auto err = target.tells_errors_apart() ? open_stream(err_, assignment_.fifos.err, err_spool, target.stderr_file) : Result<void>();
        if (!out || !err) return out ? err : out;
    }
    opened_ = true;
    return {};
}

Result<void> ServiceOutput::carry_on()
{
    auto opened = open();
    const auto lent = open_program_ends();
    const auto takes = [](const std::unique_ptr<OutputStream>& stream) { return stream != nullptr && stream->takes(); };
    const OutputTarget& target = assignment_.output;
    opened_ = !target.is_taken() || (takes(out_) && (!target.tells_errors_apart() || takes(err_)));
    // A program whose output nobody takes stands still as soon as its FIFO is full.
    if (!opened_ || !lent) {
        loop_.cancel(retry_);
        retry_ = loop_.after(retry_pause, [this] {
            retry_ = 0;
            static_cast<void>(carry_on());
        });
    }
    return opened ? lent : opened;
}

Result<void> ServiceOutput::open_program_ends()
{
    const auto open_end = [](const OutputStream* stream, os::BorrowedFd fifo, os::UniqueFd& end) -> Result<void> {
        if (stream == nullptr || end) return {};
        auto opened = os::open_mailbox(fifo);
        if (!opened) return fail(opened.error());
        end = std::move(*opened);
        return {};
    };
    if (auto out = open_end(out_.get(), assignment_.fifos.out, program_.out); !out) return out;
    return open_end(err_.get(), assignment_.fifos.err, program_.err);
}

Result<void> ServiceOutput::open_stream(std::unique_ptr<OutputStream>& stream, os::BorrowedFd fifo, const char* spool,
                                        const std::string& path)
{
    if (stream == nullptr) {
        auto file = open_spool(assignment_, spool);
        if (!file) return fail(file.error());
        auto opened = log::Spool::open(std::move(*file));
        if (!opened) return fail(opened.error());
        stream = assignment_.output.is_sent() ? sent_stream(fifo, std::move(*opened)) : file_stream(fifo, std::move(*opened), path);
        stream->set_main_pid(main_pid_);
        stream->began_at(&stream == &out_ ? left_.out : left_.err);
        stream->hold_packing(holds_packing_);
        stream->watch_lines(told_);
    }
    return stream->open();
}

std::unique_ptr<OutputStream> ServiceOutput::file_stream(os::BorrowedFd fifo, log::Spool spool, const std::string& path)
{
    const auto& rules = assignment_.spec.log;
    const log::PumpOptions options{.path = path,
                                   .system_scope = assignment_.output.system_scope,
                                   .timestamps = rules.timestamps,
                                   .rotation = {.max_size = rules.max_size, .keep = rules.keep, .max_total = rules.max_total},
                                   .rate_limit = rules.rate_limit};
    return std::make_unique<FileStream>(loop_, events_, assignment_.spec.name, std::make_unique<log::Pump>(options, fifo, std::move(spool)),
                                        rules.compress);
}

std::unique_ptr<OutputStream> ServiceOutput::sent_stream(os::BorrowedFd fifo, log::Spool spool)
{
    const OutputTarget& target = assignment_.output;
    const bool errors = fifo.get() == assignment_.fifos.err.get();
    const auto kind = target.kind == OutputTarget::Kind::journal ? log::LineSink::Kind::journal : log::LineSink::Kind::syslog;
    log::LineSink sink(kind, target.socket, {.service = assignment_.spec.name, .stream = errors ? "stderr" : "stdout"});
    return std::make_unique<SentStream>(loop_, events_, assignment_.spec.name,
                                        std::make_unique<log::LinePump>(std::move(sink), errors ? log::priority_error : log::priority_info,
                                                                        assignment_.spec.log.rate_limit, fifo, std::move(spool)));
}

Result<void> ServiceOutput::begin_launch()
{
    if (!assignment_.output.is_taken()) {
        auto output = Output::open(assignment_.output, terminal_, assignment_.spec.name);
        if (!output) return fail(output.error());
        elsewhere_ = std::move(*output);
        return {};
    }
    if (!opened_) {
        if (auto opened = open(); !opened) return opened;
    }
    for (OutputStream* stream : {out_.get(), err_.get()}) {
        if (stream != nullptr) stream->begin_launch();
    }
    program_ = {};
    hold_packing(!assignment_.spec.ready.log.empty());
    return open_program_ends();
}

void ServiceOutput::lend_to(process::LaunchPlan& plan) const
{
    if (elsewhere_) return elsewhere_->lend_to(plan);
    plan.inherit_output = assignment_.output.kind == OutputTarget::Kind::inherit;
    plan.standard_output = program_.out;
    plan.standard_error = program_.err;
}

void ServiceOutput::hang_up()
{
    if (elsewhere_) elsewhere_->hang_up();
    for (OutputStream* stream : {out_.get(), err_.get()}) {
        if (stream != nullptr) stream->hang_up();
    }
}

void ServiceOutput::set_main_pid(std::int32_t pid)
{
    main_pid_ = pid;
    for (OutputStream* stream : {out_.get(), err_.get()}) {
        if (stream != nullptr) stream->set_main_pid(pid);
    }
}

void ServiceOutput::drain()
{
    for (OutputStream* stream : {out_.get(), err_.get()}) {
        if (stream != nullptr) stream->drain();
    }
}

Result<void> ServiceOutput::rotate()
{
    return of_each(&OutputStream::rotate);
}

Result<void> ServiceOutput::reopen()
{
    return of_each(&OutputStream::reopen);
}

// The first fault, after all have been tried.
Result<void> ServiceOutput::of_each(Result<void> (OutputStream::*deed)())
{
    Result<void> outcome;
    for (OutputStream* stream : {err_.get(), out_.get()}) {
        if (stream == nullptr) continue;
        if (auto done = (stream->*deed)(); !done) outcome = std::move(done);
    }
    return outcome;
}

bool ServiceOutput::child_ended(std::int32_t pid, const ExitStatus& status)
{
    const auto is_of = [&](OutputStream* stream) {
        LogPacker* packer = stream != nullptr ? stream->packer() : nullptr;
        return packer != nullptr && packer->child_ended(pid, status);
    };
    return is_of(out_.get()) || is_of(err_.get());
}

std::vector<std::int32_t> ServiceOutput::children() const
{
    std::vector<std::int32_t> found;
    for (OutputStream* stream : {out_.get(), err_.get()}) {
        const LogPacker* packer = stream != nullptr ? stream->packer() : nullptr;
        if (packer != nullptr && packer->child() != 0) found.push_back(packer->child());
    }
    return found;
}

void ServiceOutput::close()
{
    loop_.cancel(std::exchange(retry_, 0));
    out_.reset();
    err_.reset();
    elsewhere_.reset();
    program_ = {};
    assignment_.fifos = {};
}

void ServiceOutput::note_launch(record::State& state) const
{
    state.launch_out = out_ != nullptr ? out_->launch_place() : record::LogPlace{};
    state.launch_err = err_ != nullptr ? err_->launch_place() : record::LogPlace{};
}

void ServiceOutput::launched_before(const record::State& state)
{
    left_ = {.out = state.launch_out, .err = state.launch_err};
    if (out_ != nullptr) out_->began_at(left_.out);
    if (err_ != nullptr) err_->began_at(left_.err);
    if (state.state != ServiceState::starting) hold_packing(false);
}

void ServiceOutput::watch_lines(const LogLines::Told& told)
{
    told_ = told;
    for (OutputStream* stream : {out_.get(), err_.get()}) {
        if (stream != nullptr) stream->watch_lines(told);
    }
    if (!told) hold_packing(false);
}

void ServiceOutput::hold_packing(bool hold)
{
    if (std::exchange(holds_packing_, hold) == hold) return;
    for (OutputStream* stream : {out_.get(), err_.get()}) {
        if (stream != nullptr) stream->hold_packing(hold);
    }
}

std::vector<std::string> ServiceOutput::last_lines(unsigned count)
{
    for (OutputStream* stream : {err_.get(), out_.get()}) {
        if (stream == nullptr) continue;
        auto lines = stream->last_lines(count);
        if (!lines.empty()) return lines;
    }
    return {};
}

}  // namespace steward::supervise
