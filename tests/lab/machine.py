"""What every machine of the lab can do, be it a container or virtual, and how tests wait.

Its root file system is a layer over one of the cache: what lies in the layer is what was changed.
"""

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import roots
from patience import DEADLINE, wait_until  # noqa: F401 (the tests have it from here)

# Generous: a virtual machine may be emulated, on a host that is busy.
BOOT_DEADLINE = 400.0
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8", "TERM": "dumb"}


@dataclass
class Finished:
    command: list
    code: int
    out: str
    err: str

    def __str__(self):
        return f"$ {' '.join(self.command)}\nexit code {self.code}\n--- stdout\n{self.out}--- stderr\n{self.err}"


def environment_of(block):
    """As /proc tells it."""
    return dict(entry.split("=", 1) for entry in block.split("\0") if "=" in entry)


class Machine:
    """A kind of machine says how it boots (boot), how it ends (_end_by), what it does (spawn, processes, kill) and how a file of it is read."""

    def __init__(self, kind):
        self.kind = kind
        self.system = roots.INIT[kind]
        self.scratch = Path(tempfile.mkdtemp(prefix="steward-lab.", dir="/var/tmp"))
        self.base, self.lock = roots.base(kind)
        self.root = self.scratch / "changes"
        for name in ("changes", "work", "root"):
            (self.scratch / name).mkdir()
        self.console = self.scratch / "console"
        self.process = None

    # --- its life ------------------------------------------------------------------------------------------------------------------

    def reboot(self):
        self._end_by("reboot")
        self.boot()

    def power_off(self):
        """Afterwards what was changed can be looked at, and it can be booted again."""
        self._end_by("poweroff")

    def _ends(self, command):
        """Waits for its end by a command; returns the exit code of what ran it."""
        try:
            return self.process.wait(BOOT_DEADLINE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.kind} does not end by {command}\n--- console\n{self.console_text()}") from None

    def _is_booted(self):
        assert self.process.poll() is None, f"{self.kind} ended with {self.process.returncode}"
        if self.system == "systemd":
            return self.run("systemctl", "is-system-running", code=None).out.strip() in ("running", "degraded")
        if self.system == "runit":
            return self.run("pidof", "runsvdir", code=None).code == 0
        return self.run("test", "-e", roots.BOOTED, code=None).code == 0

    def destroy(self):
        if self.process is not None:
            if self.process.poll() is None:
                self.process.kill()
            self.process.wait()
        self.lock.close()
        # Nothing is mounted there: a container has mount namespaces of its own.
        shutil.rmtree(self.scratch)

    def console_text(self):
        return self.console.read_text(errors="replace")[-8000:]

    # --- what is done in it ----------------------------------------------------------------------------------------------------------

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

    # --- its files -------------------------------------------------------------------------------------------------------------------

    def write(self, name, text, mode=0o644):
        path = self.root / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(text, str):
            text = text.encode()
        path.write_bytes(text)
        path.chmod(mode)
        return path
