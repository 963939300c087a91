// The sockets of a service: opened or taken over before anything runs, held by keeper and supervisor, passed to each run of the program.
//
// A socket that is held goes on taking connections while nobody accepts them: they wait in its backlog for the next run.
#pragma once

#include <vector>

#include <steward/result.hpp>

#include "os/fd.hpp"
#include "supervise/assignment.hpp"

namespace steward::supervise {

// Whose the files of Unix sockets are that are taken over: the service's, removed when it is over, or those of whoever opened them.
enum class SocketFiles { ours, others };

// Takes those of `offered` that listen where the service file says; the others are left there.
void take_sockets(Assignment& assignment, std::vector<os::UniqueFd>& offered, SocketFiles files);

// Opens those that are not there. The plan's launch gets them, in the order of the service file.
Result<void> open_sockets(Assignment& assignment);
void pass_sockets(const Assignment& assignment, process::LaunchPlan& plan);

// The service is over: what it has left in the file system goes.
void remove_socket_files(Assignment& assignment);
// The same where nobody is left who knows which files they are.
void remove_dead_sockets(const ServiceSpec& spec);

}  // namespace steward::supervise
