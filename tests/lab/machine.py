"""A machine: a root file system booted in a container, by the init system that is in it.

What is started here is all below one process, in a PID namespace of its own: it goes when that process is killed, and that one goes when
the tests do. A machine has a cgroup of its own, so that several of them do not meet in one. Its root file system is a layer over
one of the cache: what lies in the layer is what was changed.
"""

import os
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import roots
from patience import DEADLINE, wait_until  # noqa: F401 (the tests have it from here)

BOOT_DEADLINE = 180.0
REBOOTS = 133  # systemd-nspawn's exit code when the machine wants to be started again
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass
class Finished:
    command: list
    code: int
    out: str
    err: str

    def __str__(self):
        return f"$ {' '.join(self.command)}\nexit code {self.code}\n--- stdout\n{self.out}--- stderr\n{self.err}"


@dataclass
class Process:
    host_pid: int
    pid: int  # as the machine counts
    argv: list

    def _read(self, name):
        return Path(f"/proc/{self.host_pid}/{name}").read_bytes()

    @property
    def environment(self):
        entries = self._read("environ").decode().split("\0")
        return dict(entry.split("=", 1) for entry in entries if "=" in entry)

    @property
    def cgroup(self):
        return self._read("cgroup").decode()


def _numbers(pid, key):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(key + ":"):
            return [int(word) for word in line.split()[1:]]
    return []


def _all_pids():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _hierarchies():
    """Where the host's cgroups can be made: the unified hierarchy, and systemd's own where there are both."""
    found = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields, _, rest = line.partition(" - ")
        kind, _, options = rest.split(" ", 2)
        if kind == "cgroup2" or (kind == "cgroup" and "name=systemd" in options):
            found.append(Path(fields.split()[4]))
    return found


class Machine:
    def __init__(self, system):
        self.system = system
        self.scratch = Path(tempfile.mkdtemp(prefix="steward-lab.", dir="/var/tmp"))
        self.base, self.lock = roots.base(system)
        self.root = self.scratch / "changes"
        for name in ("changes", "work", "root"):
            (self.scratch / name).mkdir()
        self.console = self.scratch / "console"
        self.process = None
        self.init = None
        self.cgroups = []

    # --- its life ------------------------------------------------------------------------------------------------------------------

    def boot(self):
        self.cgroups = [hierarchy / self.scratch.name for hierarchy in _hierarchies()]
        for cgroup in self.cgroups:
            cgroup.mkdir(exist_ok=True)

        def enter():
            for cgroup in self.cgroups:
                (cgroup / "cgroup.procs").write_text("0")

        container = ["systemd-nspawn", "--quiet", "-D", "root", "--boot", "--register=no", "--keep-unit", "--private-network", "--console=pipe", "--resolv-conf=off",
                     "--timezone=off", "--link-journal=no", "--machine=lab"]
        mounts = f"mount -t tmpfs tmpfs /run && mount -t overlay overlay -o lowerdir={self.base},upperdir=changes,workdir=work root"
        command = ["setpriv", "--pdeathsig", "KILL", "--", "unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc", "--",
                   "sh", "-c", f'{mounts} && exec "$@"', "sh", *container]
        with self.console.open("ab") as console:
            # preexec_fn: nothing else runs in this process that could hold a lock.
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=console, stderr=console, cwd=self.scratch, preexec_fn=enter)
        try:
            self.init = wait_until(self._find_init, f"the init of {self.system}", BOOT_DEADLINE)
            wait_until(self._is_booted, f"the boot of {self.system}", BOOT_DEADLINE)
        except AssertionError as error:
            raise AssertionError(f"{error}\n--- console\n{self.console_text()}") from None

    def _find_init(self):
        """The host's number of the machine's first process: two PID namespaces below, unshare's and the machine's."""
        assert self.process.poll() is None, f"the container ended with {self.process.returncode}"
        depth = len(_numbers("self", "NSpid")) + 2
        for pid in _all_pids():
            try:
                numbers = _numbers(pid, "NSpid")
                if len(numbers) != depth or numbers[-1] != 1 or not self._is_mine(pid):
                    continue
                name = Path(f"/proc/{pid}/comm").read_text().strip()
            except (FileNotFoundError, ProcessLookupError):
                continue
            # Until then it is the container's program that will become it.
            if name in ("systemd", "init", "runit"):
                return pid
        return None

    def _is_mine(self, pid):
        while pid > 1:
            if pid == self.process.pid:
                return True
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        return False

    def _is_booted(self):
        assert self.process.poll() is None, f"the container ended with {self.process.returncode}"
        if self.system == "systemd":
            return self.run("systemctl", "is-system-running", code=None).out.strip() in ("running", "degraded")
        if self.system == "runit":
            return self.run("pidof", "runsvdir", code=None).code == 0
        return self.run("test", "-e", roots.BOOTED, code=None).code == 0

    def reboot(self):
        self._end_by("reboot", REBOOTS)
        self.boot()

    def power_off(self):
        """Afterwards its root file system can be looked at, and booted again."""
        self._end_by("poweroff", 0)

    def _end_by(self, command, code):
        self.run(command, code=None, timeout=60)
        try:
            ended = self.process.wait(BOOT_DEADLINE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.system} does not end by {command}\n--- console\n{self.console_text()}") from None
        self.init = None
        assert ended == code, f"{command} ended {self.system} with {ended}\n--- console\n{self.console_text()}"

    def destroy(self):
        if self.process is not None:
            if self.process.poll() is None:
                self.process.kill()
            self.process.wait()
        for cgroup in self.cgroups:
            for path, _, _ in os.walk(cgroup, topdown=False):
                wait_until(lambda path=path: not (Path(path) / "cgroup.procs").read_text(), f"the end of what is in {path}")
                os.rmdir(path)
        self.lock.close()
        # Nothing is mounted there: it had mount namespaces of its own.
        shutil.rmtree(self.scratch)

    def console_text(self):
        return self.console.read_text(errors="replace")[-8000:]

    # --- what is done in it ----------------------------------------------------------------------------------------------------------

    def _enter(self):
        """As a login would: not in the cgroup of the tests, which the machine cannot see."""
        for cgroup in self.cgroups:
            shell = cgroup / "shell"
            shell.mkdir(exist_ok=True)
            (shell / "cgroup.procs").write_text("0")

    def spawn(self, *command, environment=None, **options):
        variables = {"PATH": PATH, "HOME": "/root", "LANG": "C.UTF-8", "TERM": "dumb"} | (environment or {})
        words = ["nsenter", "--all", "--target", str(self.init), "--wdns=/", "--", "env", "-i", *(f"{name}={value}" for name, value in variables.items()), *map(str, command)]
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(words, text=True, errors="replace", preexec_fn=self._enter, **(streams | options))

    def run(self, *command, code=0, timeout=DEADLINE, environment=None):
        """Runs a command to its end; `code` is the exit code that is right, None any."""
        process = self.spawn(*command, environment=environment)
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            raise AssertionError(f"{command} did not end within {timeout} s") from None
        finished = Finished([str(word) for word in command], process.returncode, out, err)
        assert code is None or finished.code == code, f"exit code {code} is right\n{finished}"
        return finished

    def sh(self, script, **options):
        return self.run("sh", "-c", script, **options)

    def processes(self, program=None):
        """What runs in it; with `program`, what has that for its first argument."""
        found = []
        space = os.readlink(f"/proc/{self.init}/ns/pid")
        for pid in _all_pids():
            try:
                if os.readlink(f"/proc/{pid}/ns/pid") != space:
                    continue
                argv = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
                if program is None or (argv and argv[0] == program):
                    found.append(Process(pid, _numbers(pid, "NSpid")[-1], argv))
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
        return found

    def kill(self, process, number=signal.SIGKILL):
        os.kill(process.host_pid, number)

    # --- its files -------------------------------------------------------------------------------------------------------------------

    def path(self, name):
        """A file of its root that was changed, as the host sees it; what is below /run is only the machine's."""
        return self.root / name.lstrip("/")

    def write(self, name, text, mode=0o644):
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        return path
