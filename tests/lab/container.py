"""A machine that is a container: a root file system booted by the init system that is in it.

What is started here is all below one process, in a PID namespace of its own: it goes when that process is killed, and that one goes when
the tests do. A machine has a cgroup of its own, so that several of them do not meet in one.
"""

import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from machine import BOOT_DEADLINE, ENVIRONMENT, Machine, environment_of, wait_until

REBOOTS = 133  # systemd-nspawn's exit code when the machine wants to be started again


@dataclass
class Process:
    host_pid: int
    pid: int  # as the machine counts
    argv: list

    def _read(self, name):
        return Path(f"/proc/{self.host_pid}/{name}").read_bytes()

    @property
    def environment(self):
        return environment_of(self._read("environ").decode())

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


class Container(Machine):
    def __init__(self, kind):
        super().__init__(kind)
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

    def _end_by(self, command):
        self.run(command, code=None, timeout=60)
        ended = self._ends(command)
        self.init = None
        assert ended == (REBOOTS if command == "reboot" else 0), f"{command} ended {self.system} with {ended}\n--- console\n{self.console_text()}"

    def destroy(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for cgroup in self.cgroups:
            for path, _, _ in os.walk(cgroup, topdown=False):
                wait_until(lambda path=path: not (Path(path) / "cgroup.procs").read_text(), f"the end of what is in {path}")
                os.rmdir(path)
        super().destroy()

    # --- what is done in it ----------------------------------------------------------------------------------------------------------

    def _enter(self):
        """As a login would: not in the cgroup of the tests, which the machine cannot see."""
        for cgroup in self.cgroups:
            shell = cgroup / "shell"
            shell.mkdir(exist_ok=True)
            (shell / "cgroup.procs").write_text("0")

    def spawn(self, *command, environment=None, **options):
        variables = ENVIRONMENT | (environment or {})
        words = ["nsenter", "--all", "--target", str(self.init), "--wdns=/", "--", "env", "-i", *(f"{name}={value}" for name, value in variables.items()), *map(str, command)]
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(words, text=True, errors="replace", preexec_fn=self._enter, **(streams | options))

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

    def read(self, name):
        """A file that was changed; None when there is none. What is below /run is only the machine's."""
        path = self.root / name.lstrip("/")
        return path.read_text() if path.exists() else None
