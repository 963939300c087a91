// clone3(2) for a child that shares its parent's memory and so needs a stack of its own: the one system call that a C function cannot make,
// because the child must not return into its caller's frames.
#pragma once

#include <linux/sched.h>
#include <sys/syscall.h>

namespace steward::os {

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define STEWARD_ADDRESS_SANITIZER 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define STEWARD_ADDRESS_SANITIZER 1
#endif

#if defined(__x86_64__) && !defined(STEWARD_ADDRESS_SANITIZER)
inline constexpr bool can_share_memory = true;
#else
inline constexpr bool can_share_memory =
    false;  // no code for this processor, where a copy does; or a sanitizer, which does not know such a stack
#endif

// The child calls `body(argument)`, which must not return, at the top of args.stack. A PID, or a negative errno. No other call clobbers
// what the child finds: the parent stands still (CLONE_VFORK).
inline long clone_onto_stack(const clone_args& args, void (*body)(void*) noexcept, void* argument) noexcept
{
#if defined(__x86_64__)
    long result = SYS_clone3;
    register void (*body_in)(void*) noexcept asm("r8") = body;
    register void* argument_in asm("r9") = argument;
    asm volatile(
        "syscall\n\t"
        "testq %%rax, %%rax\n\t"
        "jnz 1f\n\t"
        "xorl %%ebp, %%ebp\n\t"
        "movq %%r9, %%rdi\n\t"
        "callq *%%r8\n\t"
        "hlt\n"
        "1:"
        : "+a"(result)
        : "D"(&args), "S"(sizeof args), "r"(body_in), "r"(argument_in)
        : "rcx", "r11", "memory");
    return result;
#else
    static_cast<void>(args), static_cast<void>(body), static_cast<void>(argument);
    return -38;  // ENOSYS
#endif
}

}  // namespace steward::os
