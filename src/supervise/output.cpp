#include "supervise/output.hpp"

#include "log/log_file.hpp"
#include "os/file.hpp"

namespace steward::supervise {

Result<Output> Output::open(const OutputTarget& target, LabelledTerminal* terminal, const std::string& service)
{
    Output output;
    output.kind_ = target.kind;
    if (target.kind == OutputTarget::Kind::inherit && terminal != nullptr) {
        auto pipe = terminal->add(service);
        if (!pipe) return fail(pipe.error());
        output.pipe_ = std::move(*pipe);
        output.labels_ = terminal->labels();
    }
    if (target.kind != OutputTarget::Kind::file) return output;
    const auto open_part = [&](const std::string& path) -> Result<Part> {
        auto fd = log::open_log({.path = path, .system_scope = target.system_scope});
        if (!fd) return fail(fd.error());
        auto info = os::info(*fd);
        if (!info) return fail(info.error());
        return Part{.fd = std::move(*fd), .start = info->size};
    };
    auto out = open_part(target.log_file);
    if (!out) return fail(out.error());
    output.out_ = std::move(*out);
    if (target.stderr_file.empty()) return output;
    auto err = open_part(target.stderr_file);
    if (!err) return fail(err.error());
    output.err_ = std::move(*err);
    return output;
}

void Output::lend_to(process::LaunchPlan& plan) const
{
    plan.inherit_output = kind_ == OutputTarget::Kind::inherit && !pipe_;
    plan.standard_output = out_.fd;
    plan.standard_error = err_.fd;
    if (!pipe_) return;
    plan.standard_output = labels_.output ? pipe_.borrow() : os::BorrowedFd(1);
    plan.standard_error = labels_.error ? pipe_.borrow() : os::BorrowedFd(2);
}

std::vector<std::string> Output::last_lines(unsigned count) const
{
    for (const Part* part : {&err_, &out_}) {
        if (!part->fd) continue;
        auto lines = log::last_lines_after(part->fd, part->start, count);
        if (lines && !lines->empty()) return std::move(*lines);
    }
    return {};
}

}  // namespace steward::supervise
