#include "process/launch_plan.hpp"

#include <steward/words.hpp>

#include <utility>

#include "os/descriptor_limit.hpp"
#include "os/error.hpp"
#include "os/kernel_names.hpp"
#include "process/environment.hpp"
#include "process/identity.hpp"
#include "process/program.hpp"

namespace steward::process {

namespace {

constexpr const char* descriptors = "nofile";

// "cannot start web: cannot execute '/x': No such file or directory"
Error within(const LaunchPlan& plan, Error inner)
{
    inner.cause =
        "cannot " + inner.operation + (inner.object.empty() ? "" : " " + inner.object) + (inner.cause.empty() ? "" : ": " + inner.cause);
    inner.operation = plan.operation;
    inner.object = plan.service;
    return inner;
}

Error invalid(std::string operation, std::string object, std::string cause)
{
    return Error{
        .code = ErrorCode::invalid_argument, .operation = std::move(operation), .object = std::move(object), .cause = std::move(cause)};
}

Result<std::uint64_t> capability_set(const std::vector<std::string>& names)
{
    std::uint64_t set = 0;
    for (const std::string& name : names) {
        const auto number = os::capability_number(name);
        if (!number) return fail(invalid("find", "capability " + os::quoted(name), "no such capability"));
        set |= std::uint64_t{1} << *number;
    }
    return set;
}

Result<void> take_security(const ServiceSpec::Security& security, LaunchPlan& plan)
{
    plan.no_new_privileges = security.no_new_privileges;
    const auto ambient = capability_set(security.ambient_capabilities);
    if (!ambient) return fail(ambient.error());
    plan.ambient_capabilities = *ambient;
    if (!security.capabilities) return {};
    const auto bounding = capability_set(*security.capabilities);
    if (!bounding) return fail(bounding.error());
    if ((*ambient & ~*bounding) != 0) return fail(invalid("grant", "ambient-capabilities", "'capabilities' does not have all of them"));
    plan.bounding_capabilities = *bounding;
    return {};
}

Result<void> take_limits(const std::map<std::string, ResourceLimit>& limits, LaunchPlan& plan)
{
    for (const auto& [name, limit] : limits) {
        const auto resource = os::rlimit_number(name);
        if (!resource) return fail(invalid("find", "limit " + os::quoted(name), "this system has no such limit"));
        plan.limits.push_back({.resource = *resource, .name = name, .limit = limit});
    }
    const auto inherited = os::inherited_descriptor_limit();
    if (!inherited || limits.contains(descriptors)) return {};
    // What steward has raised for itself is not the program's.
    if (const auto resource = os::rlimit_number(descriptors)) {
        plan.limits.push_back({.resource = *resource, .name = descriptors, .limit = {.soft = inherited->soft, .hard = inherited->hard}});
    }
    return {};
}

Result<void> append_options(const ServiceSpec& spec, const Environment& given, Argv& argv)
{
    const auto options = given.find(spec.service.options_variable);
    if (options == given.end()) return {};
    auto words = split_words(options->second);
    if (!words) return fail(invalid("split", "the words of " + options->first, "a quote is not closed"));
    argv.insert(argv.end(), std::make_move_iterator(words->begin()), std::make_move_iterator(words->end()));
    return {};
}

Result<void> take_program(const Environment& environment, bool runs_as_root, LaunchPlan& plan)
{
    if (plan.argv.empty() || plan.argv.front().empty()) return fail(invalid("execute", "the command", "it is empty"));
    const auto path = environment.find("PATH");
    auto program = find_program(plan.argv.front(), {.path = path == environment.end() ? "" : path->second,
                                                    .working_directory = plan.working_directory,
                                                    .root_directory = plan.root_directory});
    if (!program) return fail(std::move(program.error()));
    plan.program = std::move(*program);
    return runs_as_root ? require_only_root_can_change(outside_of_root(plan.root_directory, plan.program)) : Result<void>();
}

enum class WithOptions { yes, no };

Result<void> complete(const ServiceSpec& spec, const PlanContext& context, WithOptions options, LaunchPlan& plan)
{
    auto user = find_service_user(spec);
    if (!user) return fail(std::move(user.error()));
    plan.identity = std::move(user->change);
    auto environment = compose_environment(spec, context, user->account);
    if (!environment) return fail(std::move(environment.error()));
    for (const auto& [name, value] : environment->all) plan.environment.push_back(name + "=" + value);
    if (options == WithOptions::yes && !spec.service.options_variable.empty()) {
        if (auto done = append_options(spec, environment->given, plan.argv); !done) return done;
    }
    if (auto done = take_limits(spec.limits, plan); !done) return done;
    if (auto done = take_security(spec.security, plan); !done) return done;
    return take_program(environment->all, user->uid == 0, plan);
}

Result<LaunchPlan> make_plan(const ServiceSpec& spec, const Argv& command, const PlanContext& context, WithOptions options)
{
    LaunchPlan plan;
    plan.operation = options == WithOptions::yes ? "start" : "run a command of";
    plan.service = spec.name;
    plan.argv = command;
    plan.working_directory = spec.service.working_directory;
    plan.root_directory = spec.service.root_directory;
    plan.umask = spec.service.umask;
    plan.nice = spec.resources.nice;
    plan.oom_score_adjust = spec.resources.oom_score_adjust;
    plan.cpu_affinity = spec.resources.cpu_affinity;
    if (auto done = complete(spec, context, options, plan); !done) return fail(within(plan, std::move(done.error())));
    return plan;
}

}  // namespace

std::map<std::string, std::string> listen_variables(const ServiceSpec& spec)
{
    if (spec.sockets.empty()) return {};
    std::string names;
    for (const Socket& socket : spec.sockets) names += (names.empty() ? "" : ":") + spec.name_of(socket);
    return {{"LISTEN_FDS", std::to_string(spec.sockets.size())}, {"LISTEN_FDNAMES", names}, {"LISTEN_PID", "0"}};
}

// Its sockets are the program's alone: a command that is given their variables would look for them.
Result<LaunchPlan> make_launch_plan(const ServiceSpec& spec, const PlanContext& context)
{
    PlanContext with_sockets = context;
    with_sockets.extra_environment.merge(listen_variables(spec));
    auto plan = make_plan(spec, spec.service.command, with_sockets, WithOptions::yes);
    if (plan) plan->tells_listen_pid = !spec.sockets.empty();
    return plan;
}

Result<LaunchPlan> make_command_plan(const ServiceSpec& spec, const Argv& command, const PlanContext& context)
{
    return make_plan(spec, command, context, WithOptions::no);
}

}  // namespace steward::process
