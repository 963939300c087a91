#!/usr/bin/env python3
"""Fails when the code leaves its floor.

A folder of src/ is one static library and includes only from folders below it: never from a higher floor, never from a sibling on its
own. A third-party header belongs to one folder, the kernel's headers to src/os/. docs/architecture.md has the reasons.
"""

import re
import subprocess
import sys
from pathlib import Path

PUBLIC = "include/steward"

# The floors. A new folder of src/ gets its place here before it compiles anything.
FLOORS = {
    PUBLIC: 0,
    "os": 1,
    "config": 2,
    "record": 2,
    "process": 2,
    "log": 2,
    "init": 2,
    "supervise": 3,
    "manager": 4,
    "cli": 5,
}

# These see less than their floor would let them.
ONLY_FROM = {"cli": {PUBLIC}}

# The one folder that may include a library's headers, by the first component of the include.
THIRD_PARTY = {
    "tl": PUBLIC,
    "toml++": "config",
    "CLI": "cli",
    "nlohmann": "cli",
    "spdlog": "log",
    "fmt": "log",
    "re2": "log",
    "zlib.h": "log",
    "zstd.h": "log",
    "systemd": "init",
}

# Directories of <...> that are the C library's and the kernel's.
SYSTEM_DIRECTORIES = {"sys", "linux", "asm", "asm-generic", "net", "netinet", "arpa", "bits", "rpc"}
# C headers without a system call behind them.
HARMLESS_C_HEADERS = {"sysexits.h"}

# A library outside src/os/ that refers to one of these calls the kernel by itself. (log/ has spdlog's own calls inside.)
KERNEL_CALLS = set(
    """accept accept4 access bind chdir chmod chown chroot clone clone3 close close_range closedir connect daemon dup dup2 dup3
    epoll_create1 epoll_ctl epoll_wait eventfd execv execve execvp faccessat fchdir fchmod fchmodat fchown fchownat fcntl fcntl64 fdatasync
    flock fork fstat fstat64 fsync ftruncate ftruncate64 getgrnam getgrnam_r getgroups getpid getppid getpwnam getpwnam_r getpwuid
    getpwuid_r getrlimit getrlimit64 getsockopt inotify_init1 ioctl kill killpg link linkat listen lockf lstat lstat64 mkdir mkdirat mkfifo
    mkfifoat mkostemp mkstemp mkstemp64 mmap mmap64 open open64 openat openat64 opendir pidfd_open pidfd_send_signal pipe pipe2 poll ppoll
    prctl pread pread64 prlimit prlimit64 pselect pwrite pwrite64 read readdir readdir64 readlink readlinkat readv recv recvfrom recvmsg
    rename renameat renameat2 rmdir sched_setaffinity select send sendmsg sendto setenv setgid setgroups setpriority setresgid setresuid
    setrlimit setrlimit64 setsid setsockopt setuid sigaction signal signalfd sigprocmask socket socketpair splice stat stat64 statx symlink
    symlinkat sync syscall tee timerfd_create timerfd_settime truncate truncate64 umask unlink unlinkat utimensat vfork vmsplice wait wait3
    wait4 waitid waitpid write writev _exit""".split()
)
KERNEL_CALLERS = {"os", "log"}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
DEFINE = re.compile(r"^\s*#\s*define\b")
STATIC_LIBRARY = re.compile(r"\bstatic_library\(\s*'([^']*)'")
DEPENDENCY = re.compile(r"\b([a-z]+)_(?:dep|lib)\b")


def folder_of(path, top):
    """The floor's name that a source file belongs to, or None."""
    parts = path.relative_to(top).parts
    if parts[:2] == ("include", "steward"):
        return PUBLIC
    return parts[1] if parts[0] == "src" and len(parts) > 2 else None


def fault_of_folder(user, used):
    """Why `user` may not include from `used`; None when it may."""
    if user == used:
        return None
    if user in ONLY_FROM and used not in ONLY_FROM[user]:
        return f"{user} uses only {', '.join(sorted(ONLY_FROM[user]))}"
    if FLOORS[used] > FLOORS[user]:
        return f"{used} is floor {FLOORS[used]}, above {user} on floor {FLOORS[user]}"
    if FLOORS[used] == FLOORS[user]:
        return f"{used} and {user} are siblings on floor {FLOORS[user]}"
    return None


def fault_of_include(folder, bracket, name):
    """Why a file of `folder` may not include `name`; None when it may."""
    first = name.split("/")[0]
    if first == "steward" and "/" in name:
        return None if bracket == "<" else "the public headers are included as <steward/...>"
    if bracket == '"':
        if "/" not in name or first not in FLOORS:
            return "a header of ours is included as \"folder/name.hpp\" or <steward/name.hpp>"
        return fault_of_folder(folder, first)
    if ("/" in name and first not in SYSTEM_DIRECTORIES) or name in THIRD_PARTY:
        owner = THIRD_PARTY.get(first)
        if owner is None:
            return f"no folder owns the library '{first}' (tests/layers/check_layers.py, THIRD_PARTY)"
        return None if owner == folder else f"{first} belongs to {owner}"
    if (first in SYSTEM_DIRECTORIES or name.endswith(".h")) and name not in HARMLESS_C_HEADERS and folder != "os":
        return "only src/os includes the kernel's and the C library's headers"
    return None


def check_sources(top):
    """Every include of every source file."""
    files = [p for root in ("include", "src") for p in sorted((top / root).rglob("*")) if p.suffix in {".hpp", ".cpp", ".h"}]
    for path in files:
        place = path.relative_to(top)
        folder = folder_of(path, top)
        if folder is None:
            yield f"{place}: outside every folder of src/ and include/steward/"
            continue
        if folder not in FLOORS:
            yield f"{place}: '{folder}' has no floor (tests/layers/check_layers.py, FLOORS)"
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if folder == PUBLIC and DEFINE.match(line):
                yield f"{place}:{number}: the public contract has no macros"
            match = INCLUDE.match(line)
            fault = match and fault_of_include(folder, *match.groups())
            if fault:
                yield f"{place}:{number}: {match.group(0).strip()}: {fault}"
    if not files:
        yield "no source file found"


def check_builds(top):
    """Each folder of src/ is one static library that depends only on lower ones."""
    for directory in sorted(p for p in (top / "src").iterdir() if p.is_dir()):
        folder = directory.name
        build = directory / "meson.build"
        if folder not in FLOORS or not any(directory.rglob("*.cpp")):
            continue
        if not build.exists():
            yield f"src/{folder}: has sources and no meson.build"
            continue
        text = build.read_text()
        libraries = STATIC_LIBRARY.findall(text)
        if libraries != [f"steward-{folder}"]:
            yield f"src/{folder}/meson.build: one static library 'steward-{folder}' is wanted, there is {libraries or 'none'}"
        for used in sorted({name for name in DEPENDENCY.findall(text) if name in FLOORS and name != folder}):
            if FLOORS[used] >= FLOORS[folder]:
                yield f"src/{folder}/meson.build: depends on {used}, which is not below it"


def check_libraries(libraries):
    """No library but src/os/'s calls the kernel, whatever its headers say."""
    for library in libraries:
        folder = library.name.removeprefix("libsteward-").removesuffix(".a")
        if folder in KERNEL_CALLERS:
            continue
        listing = subprocess.run(["nm", "--undefined-only", "--format=posix", str(library)], check=True, capture_output=True, text=True)
        used = {words[0].split("@")[0] for words in map(str.split, listing.stdout.splitlines()) if words[1:2] == ["U"]}
        for call in sorted(used & KERNEL_CALLS):
            yield f"src/{folder}: calls {call}(), and only src/os may call the kernel"


def main(arguments):
    top = Path(arguments[0]).resolve()
    libraries = [Path(name) for name in arguments[1:]]
    faults = [*check_sources(top), *check_builds(top), *check_libraries(libraries)]
    for fault in faults:
        print(fault)
    print(f"{len(faults)} fault(s) in the layers" if faults else "the layers hold")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or ["."]))
