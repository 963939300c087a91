// Makes children: clone3(2) with a pidfd, else fork(2). Nothing here runs between the child's birth and the caller's function.
//
// A child is a copy of its parent. One that only lives to execute a program may borrow instead, as with vfork(2): a copy of the tables of
// pages and of descriptors, large ones in a supervisor of many services, would cost more than all the rest of a launch. Its parent stands
// still until it has executed the program or ended.
#pragma once

#include <cstdint>
#include <optional>

#include <steward/result.hpp>

#include "os/fd.hpp"

namespace steward::os {

struct Child {
    std::int32_t pid = 0;
    UniqueFd pidfd;  // empty where the kernel has none
};

// In the child `body(argument)` runs and its value becomes the exit code (_exit; no destructors, no atexit). `body` may use
// async-signal-safe calls only if the parent has threads; the caller of this overload has none.
// With `cgroup`, the child is born in it (CLONE_INTO_CGROUP), where the kernel can; `in_cgroup` then says whether it was.
struct SpawnOptions {
    BorrowedFd cgroup;
    // Set before the birth, so that the child finds in it whether it was born in the cgroup or has to join it (which is slow).
    bool* born_in_cgroup = nullptr;
    // Both are wishes: where it cannot borrow, the child has a copy. All signals must be blocked.
    bool borrows_memory = false;       // it writes to nothing but its own stack, `errno` and what is lent to it for that
    bool borrows_descriptors = false;  // it parts from them (child::own_descriptors_below) before it changes any
};
struct Spawned {
    Child child;
    bool in_cgroup = false;
};
Result<Spawned> spawn(int (*body)(void*) noexcept, void* argument, const SpawnOptions& options = {});

// Ends a child that nobody has waited for yet and that must not live: SIGKILL, also to its process group where it leads one, then reaps it.
void abandon(std::int32_t child) noexcept;

[[noreturn]] void exit_now(int code) noexcept;  // _exit

}  // namespace steward::os
