// When the machine has run out of something: what passes by itself, and is waited for instead of failed by.
#pragma once

namespace steward::os {

// Descriptors, processes, memory or room on a disk: the same call may succeed a moment later.
[[nodiscard]] bool is_shortage(int os_errno);

// From now on an allocation of this process that finds no memory waits until there is some, and never throws: half-done work is worse than
// late work. `tell` is called once before each wait; it must not allocate. nullptr: nobody is told.
void wait_for_memory(void (*tell)() noexcept) noexcept;

}  // namespace steward::os
