"""What the integration tests stand on: a Room is one test's own directories and every process that was started in it.

The test process is a child subreaper: a daemon whose parents have gone becomes its child, so nothing that a test starts can get
away from it, and what still lives when the test ends is found and killed by PID.
"""

import atexit
import ctypes
import json
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from patience import DEADLINE, wait_until  # noqa: F401 (the tests have them from here)

TOP = Path(__file__).resolve().parents[2]


def for_everybody(program):
    """The program, or a copy of it where other users can execute it: a checkout may lie below /root."""
    if os.getuid() != 0 or not program.exists() or all(parent.stat().st_mode & 0o001 for parent in program.parents):
        return program
    place = Path(tempfile.mkdtemp(prefix="steward-it-program.", dir="/tmp"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    place.chmod(0o755)
    return Path(shutil.copy(program, place))


STEWARD = for_everybody(Path(os.environ.get("STEWARD", TOP / "build" / "steward")).resolve())
HELPERS = Path(os.environ.get("STEWARD_HELPERS", TOP / "build" / "tests" / "helpers")).resolve()
SANITIZER_REPORTS = os.environ.get("STEWARD_SANITIZER_REPORTS")
SANITIZED = SANITIZER_REPORTS is not None

NOBODY = 65534
# To others than the parent: Linux 6.15.
KERNEL_TELLS_EXITS = tuple(map(int, re.findall(r"\d+", os.uname().release)[:2])) >= (6, 15)

PR_SET_CHILD_SUBREAPER = 36
_libc = ctypes.CDLL(None, use_errno=True)


# --- processes ---------------------------------------------------------------------------------------------------------------------


class Orphans:
    """Reaps what falls to the test process, as an init does, and leaves alone what the tests started themselves."""

    def __init__(self):
        self.own = set()
        self.processes = []
        self.protected = set()  # not to be killed at the end of a test
        self.paused = 0
        assert _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
        self.know_all_own()
        signal.signal(signal.SIGCHLD, lambda *_: self.reap())

    def know_all_own(self):
        """Those of subprocess.run() too: reaped as an orphan, a child's exit code would be lost, and 0 to who waits for it."""
        orphans = self

        class Popen(subprocess.Popen):
            def __init__(self, *args, **options):
                orphans.paused += 1
                try:
                    super().__init__(*args, **options)
                    orphans.own.add(self.pid)
                    orphans.processes.append(self)
                finally:
                    orphans.paused -= 1
                orphans.reap()

        subprocess.Popen = Popen

    def reap(self):
        if self.paused:
            return
        # The number of one that has been waited for is anybody's.
        self.own -= {process.pid for process in self.processes if process.returncode is not None}
        self.processes = [process for process in self.processes if process.returncode is None]
        for pid in children(os.getpid()):
            if pid not in self.own:
                try:
                    os.waitpid(pid, os.WNOHANG)
                except ChildProcessError:
                    pass

    def popen(self, *args, **options):
        return subprocess.Popen(*args, **options)


def children(pid):
    found = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            found += Path(f"/proc/{pid}/task/{task}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        pass
    return [int(child) for child in found]


def descendants(pid):
    found = []
    for child in children(pid):
        found += [child, *descendants(child)]
    return found


def stat_of(pid):
    """The fields of /proc/PID/stat after the name: [0] is the state, [1] the parent, [19] the start time. None: no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def alive(pid):
    """Whether a process is there and no zombie; no PID is not."""
    stat = stat_of(pid) if pid else None
    return stat is not None and stat[0] not in "ZX"


def command_line(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").replace("\0", " ").strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def proc_status(pid):
    """/proc/PID/status as a dictionary."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


def environment_of(pid):
    block = Path(f"/proc/{pid}/environ").read_bytes().decode()
    return dict(entry.split("=", 1) for entry in block.split("\0") if entry)


def kill(pid, number=signal.SIGKILL):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def wait_gone(*pids):
    wait_until(lambda: not any(alive(pid) for pid in pids), f"the end of {pids}")


# --- directories -------------------------------------------------------------------------------------------------------------------


def snapshot(*roots):
    """Names, kinds, sizes, times and contents of everything below the roots: equal if and only if nothing was changed."""
    seen = {}
    for root in roots:
        for directory, names, files in os.walk(root):
            for path in [Path(directory), *(Path(directory) / name for name in files)]:
                info = path.lstat()
                content = path.read_bytes() if path.is_file() and not path.is_symlink() else None
                seen[str(path)] = (info.st_mode, info.st_uid, info.st_gid, info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_ino, content)
    return seen


# --- one test's room ---------------------------------------------------------------------------------------------------------------


@dataclass
class Finished:
    command: list
    code: int
    out: str
    err: str

    @property
    def both(self):
        return self.out + self.err

    def __str__(self):
        return f"$ {' '.join(map(str, self.command))}\nexit code {self.code}\n--- stdout\n{self.out}--- stderr\n{self.err}"


class Room:
    """steward with directories of its own. `prefix` stands before each command (a syscall filter, say)."""

    def __init__(self, orphans, user=None, prefix=()):
        self.orphans = orphans
        self.user = user
        self.prefix = [str(word) for word in prefix]
        self.root = Path(tempfile.mkdtemp(prefix="steward-it.", dir="/tmp"))
        self.root.chmod(0o755)
        self.etc, self.run, self.log, self.lib, self.work = (self.root / name for name in ("etc", "run", "log", "lib", "work"))
        self.etc.mkdir()
        self.work.mkdir()
        self.work.chmod(0o1777)
        if user is not None:
            os.chown(self.root, user, user)
            os.chown(self.etc, user, user)
        self.env = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(self.root),
            "LANG": "C.UTF-8",
            "STEWARD_CONFIG_DIR": str(self.etc),
            "STEWARD_RUNTIME_DIR": str(self.run),
            "STEWARD_LOG_DIR": str(self.log),
            "STEWARD_STATE_DIR": str(self.lib),
        }
        self.env.update({name: os.environ[name] for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS") if name in os.environ})

    # Commands.

    def spawn(self, *words, user=None, env=None, program=STEWARD, cwd="/", **options):
        """Starts a command and returns at once."""
        user = self.user if user is None else user
        if user is not None:
            options |= {"user": user, "group": user, "extra_groups": []}
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        command = [*self.prefix, str(program), *map(str, words)]
        return self.orphans.popen(command, env=self.env if env is None else env, cwd=cwd, text=True, errors="replace", **(streams | options))

    def finish(self, process, timeout=DEADLINE):
        """Waits for a spawned command."""
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            for stream in filter(None, (process.stdout, process.stderr)):
                stream.close()  # somebody else may hold the other end
            raise AssertionError(f"{process.args} did not end within {timeout} s") from None
        return Finished(process.args, process.returncode, out or "", err or "")

    def __call__(self, *words, code=0, timeout=DEADLINE, **options):
        """Runs steward to its end; `code` is the exit code that is right, None any."""
        finished = self.finish(self.spawn(*words, **options), timeout)
        assert code is None or finished.code == code, f"exit code {code} is right\n{finished}"
        assert finished.code >= 0, f"ended by a signal\n{finished}"
        return finished

    # Service files.

    def write(self, name, text):
        """A service file with this text."""
        path = self.etc / f"{name}.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        if self.user is not None:
            os.chown(path, self.user, self.user)
        return path

    def service(self, name, command, extra="", **keys):
        """A service file: [service] with the command and the keys (underscores become hyphens), then `extra` as it stands."""
        lines = ["[service]", f"command = {json.dumps([str(word) for word in command])}"]
        lines += [f"{key.replace('_', '-')} = {toml_value(value)}" for key, value in keys.items()]
        return self.write(name, "\n".join(lines) + "\n" + extra)

    def sleeper(self, name="web", extra="", **keys):
        return self.service(name, ["/bin/sleep", "1000"], extra, **keys)

    # What is there.

    def pid_file(self, name="web"):
        return self.run / f"{name}.pid"

    def pid(self, name="web"):
        return int(self.pid_file(name).read_text())

    def pid_now(self, name="web", unlike=None):
        """The PID in the PID file at this moment; None when there is none, or `unlike`."""
        try:
            pid = self.pid(name)
        except (FileNotFoundError, ValueError):
            return None
        return pid if pid != unlike else None

    def status(self, name="web", **options):
        """The status document of one service."""
        document = json.loads(self("status", "--json", name, code=None, **options).out)
        return document["services"][0]

    def code(self, name="web"):
        return self("status", name, code=None).code

    def log_text(self, name="web"):
        """The program's own bytes: without the stamps."""
        path = self.log / f"{name}.log"
        return without_stamps(path.read_text(errors="replace")) if path.exists() else ""

    def pair(self, name="web"):
        """The PIDs of keeper and supervisor."""
        status = self.status(name)
        return status["keeper_pid"], status["supervisor_pid"]

    def steward_log(self):
        """What steward itself had to tell; nothing, as long as there was nothing."""
        path = self.log / "steward.log"
        return path.read_text() if path.exists() else ""

    def kill_pair(self, name="web"):
        """Both at once: stopped first, so that none of them can make the other anew, or do a last thing."""
        pair = self.pair(name)
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in pair:
                kill(pid, number)
        wait_gone(*pair)

    def living(self):
        """Every process that this test has started and that still lives."""
        return [pid for pid in descendants(os.getpid()) if alive(pid) and pid not in self.orphans.protected]

    def stewards(self):
        """The steward processes among them."""
        return [pid for pid in self.living() if program_of(pid) == STEWARD.name]

    def assert_nothing_left(self):
        """At once nothing of the service; soon after, nothing of steward. A process on its way out has no command line any more."""
        left = [line for line in map(command_line, self.living()) if line and not line.startswith((str(STEWARD), *self.prefix[:1]))]
        assert not left, left
        wait_until(lambda: not self.living(), "the end of keeper and supervisor")

    # The end.

    def leave(self):
        """Kills what is left, tells what it was, removes the directories."""
        left = []
        end = time.monotonic() + DEADLINE
        looks = 0  # at nobody, one after another: who loses its parent during a look may be in none of its lists
        while looks < 2 and time.monotonic() < end:
            self.orphans.reap()
            pids = self.living()
            looks = 0 if pids else looks + 1
            left += [(pid, command_line(pid)) for pid in pids if pid not in dict(left)]
            # Stewards first: they would start again what they see dying.
            for pid in sorted(pids, key=lambda pid: "steward" not in command_line(pid)):
                kill(pid)
            if pids:
                time.sleep(0.01)
        for process in self.orphans.processes:
            process.poll()  # no zombie of a command that its test has not waited for
        self.remove_cgroups()
        shutil.rmtree(self.root, ignore_errors=True)
        return left

    def remove_cgroups(self):
        """Those that the records name: what is killed with its stewards has nobody to remove its cgroup."""
        for record in Path(self.root).rglob("record"):
            for path in re.findall(rb"/sys/fs/cgroup/[!-~]*steward/[A-Za-z0-9_.@:~-]+", record.read_bytes()):
                try:
                    os.rmdir(path)
                except OSError:
                    pass


STAMP = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z ", re.MULTILINE)


def without_stamps(text):
    return STAMP.sub("", text)


STAMP_SIZES = {"none": 0, "iso8601": 28, "tai64n": 26}
UNPACKERS = {".gz": ["gzip", "-dc"], ".zst": ["zstd", "-dcq"]}


def log_chain(log):
    """The log and its rotated files, oldest first; each number once."""
    numbered = {}
    for file in log.parent.glob(f"{log.name}.*"):
        number = file.name[len(log.name) + 1 :].split(".")[0]
        if number.isdigit():
            assert numbered.setdefault(int(number), file) == file, sorted(log.parent.iterdir())
    return [numbered[number] for number in sorted(numbered, reverse=True)] + [log]


def check_lines(helper, files, stamps):
    """That these files, one after another, hold what number_lines has written. The number of lines."""
    checker = subprocess.Popen([helper("check_lines"), str(STAMP_SIZES[stamps])], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    for file in files:
        subprocess.run([*UNPACKERS.get(file.suffix, ["cat"]), file], stdout=checker.stdin, check=False)
    words, _ = checker.communicate()
    assert checker.returncode == 0, words
    return int(words)


def program_of(pid):
    try:
        return os.path.basename(os.readlink(f"/proc/{pid}/exe"))
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return ""


def toml_value(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {toml_value(item)}" for key, item in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(toml_value(item) for item in value) + "]"
    if isinstance(value, Path):
        return json.dumps(str(value))
    return json.dumps(value)


def account_exists(name):
    try:
        pwd.getpwnam(name)
        return True
    except KeyError:
        return False
