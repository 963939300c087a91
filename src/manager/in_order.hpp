// One piece of work a service, each as soon as all that it waits for is done, side by side where nothing orders them.
//
// Each runs in a process of its own: starts and stops block, fork and take locks, and this process stays single-threaded.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

#include <steward/manager.hpp>

#include "supervise/message.hpp"

namespace steward::manager {

// What start or stop made of one service. Of an error, its diagnostics do not come along.
struct Piece {
    supervise::Reply reply;
    bool already_running = false;  // start
    bool adopted = false;          // start
    bool was_running = false;      // stop
};

struct Work {
    std::vector<std::vector<std::size_t>> waits_for;           // a place for each service; no cycles
    std::function<std::optional<Error>(std::size_t)> refusal;  // asked in this process when its turn comes: why it is not done at all
    std::function<Piece(std::size_t)> act;                     // in a process of its own
    std::function<void(std::size_t, const Piece&)> done;       // in this process, as each is done or refused
    bool always_apart = false;                                 // else one service alone is acted on in this process
};

// Blocks until all are done.
void carry_out(const Work& work);

}  // namespace steward::manager
