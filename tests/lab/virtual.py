"""A machine that is virtual: Linux 6.1 with all its cgroup controllers, capabilities of its own, and nothing shared with the host.

It has no network. What is done in it goes through a port to agent.py; it ends with the tests, whose child it is.
"""

import itertools
import json
import os
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import disk_images
from machine import BOOT_DEADLINE, ENVIRONMENT, Machine, environment_of, wait_until

AGENT = "/usr/local/lib/lab-agent"
UNIT = f"""[Unit]
Description=What acts for the tests
[Service]
ExecStart={AGENT} {disk_images.PORT}
"""
# Without no_timer_check the kernel gives up where the host is so busy that emulated clocks stand still for a while.
WORDS = "console=ttyS0 panic=-1 no_timer_check"
# Two that are emulated wait for each other's locks while the host runs something else.
PROCESSORS = {"kvm": "2", "tcg": "1"}


def accelerator():
    """KVM where the processor helps with it; else every instruction is emulated, several times slower. (A /dev/kvm without that help boots only kernels made for it.)"""
    flags = Path("/proc/cpuinfo").read_text().split()
    return "kvm" if ("vmx" in flags or "svm" in flags) and os.access("/dev/kvm", os.R_OK | os.W_OK) else "tcg"


@dataclass
class Process:
    pid: int
    argv: list
    environ: str
    cgroup: str

    @property
    def environment(self):
        return environment_of(self.environ)


class Call:
    """A command under way, as a Popen is."""

    def __init__(self, machine, number):
        self.machine, self.number = machine, number
        self.returncode = None

    def communicate(self, timeout=None):
        answer = self.machine.answer(self.number, timeout)
        self.returncode = answer["code"]
        return answer["out"], answer["err"]

    def kill(self):
        self.machine.tell(id=self.number, cancel=self.number)


class VirtualMachine(Machine):
    def __init__(self, kind):
        super().__init__(kind)
        self.layer = self.scratch / "layer.img"
        self.channel = None
        self.numbers = itertools.count(1)
        self.answers = {}
        self.received = b""

    # --- its life ------------------------------------------------------------------------------------------------------------------

    def boot(self):
        if not self.layer.exists():
            self._make_layer()
        self._switch_on()
        try:
            self.run("true", timeout=BOOT_DEADLINE)
            wait_until(self._is_booted, "the boot", BOOT_DEADLINE)
        except (AssertionError, OSError) as error:
            raise AssertionError(f"{error}\n--- console\n{self.console_text()}") from None

    def _make_layer(self):
        self.write(AGENT, Path(__file__).with_name("agent.py").read_bytes(), 0o755)
        self.write("/etc/systemd/system/lab-agent.service", UNIT)
        wanted = self.root / "etc/systemd/system/multi-user.target.wants/lab-agent.service"
        wanted.parent.mkdir(parents=True, exist_ok=True)
        wanted.symlink_to("../lab-agent.service")
        # Nobody logs in, and its device may come so late that it counts as failed.
        (self.root / "etc/systemd/system/serial-getty@ttyS0.service").symlink_to("/dev/null")
        layer = self.scratch / "layer"
        (layer / "work").mkdir(parents=True)
        self.root.rename(layer / "changes")
        disk_images.make_image(layer, self.layer, "1G")
        (layer / "changes").rename(self.root)

    def _switch_on(self, words=""):
        ours, its = socket.socketpair()
        kind = accelerator()
        drive = "file={},format=raw,if=virtio,cache=unsafe,readonly={}"
        command = ["setpriv", "--pdeathsig", "KILL", "--", "qemu-system-x86_64", "-accel", kind, "-cpu", "max,arch-capabilities=off", "-smp", PROCESSORS[kind], "-m", "1024",
                   "-nodefaults", "-no-user-config", "-display", "none", "-nic", "none", "-no-reboot",
                   "-kernel", disk_images.kernel(self.base), "-initrd", self.base / disk_images.FIRST, "-append", f"{WORDS} {words}",
                   "-drive", drive.format(self.base / disk_images.IMAGE, "on"), "-drive", drive.format(self.layer, "off"),
                   "-chardev", f"file,id=console,path={self.console},append=on", "-serial", "chardev:console",
                   "-chardev", f"socket,id=port,fd={its.fileno()}", "-device", "virtio-serial", "-device", "virtserialport,chardev=port,nr=1"]
        with its, self.console.open("ab") as console:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=console, stderr=console, pass_fds=[its.fileno()], cwd=self.scratch)
        self.channel, self.received, self.answers = ours, b"", {}

    def _end_by(self, command):
        # The agent may be gone before the command is over.
        self.tell(id=next(self.numbers), command=[command], environment=ENVIRONMENT)
        ended = self._ends(command)
        self.channel.close()
        assert ended == 0, f"{command} ended with {ended}\n--- console\n{self.console_text()}"
        if command == "poweroff":
            self._look_at_layer()

    def _look_at_layer(self):
        """Has the machine itself write its layer down, where tests can see it."""
        self._switch_on(disk_images.DUMP)
        for path in self.root.iterdir():
            subprocess.run(["rm", "-rf", "--", str(path)], check=True)
        taken = subprocess.run(["tar", "-x", "-C", str(self.root)], stdin=self.channel, capture_output=True, text=True, timeout=BOOT_DEADLINE)
        ended = self._ends(disk_images.DUMP)
        self.channel.close()
        assert taken.returncode == 0 and ended == 0, f"{taken.stderr}\n--- console\n{self.console_text()}"

    def destroy(self):
        super().destroy()
        if self.channel is not None:
            self.channel.close()

    # --- what is done in it ----------------------------------------------------------------------------------------------------------

    def tell(self, **request):
        self.channel.settimeout(BOOT_DEADLINE)
        self.channel.sendall(json.dumps(request).encode() + b"\n")

    def answer(self, number, timeout):
        end = None if timeout is None else time.monotonic() + timeout
        while number not in self.answers:
            left = None if end is None else end - time.monotonic()
            if left is not None and left <= 0:
                raise subprocess.TimeoutExpired([], timeout)
            self.channel.settimeout(left)
            try:
                self._receive()
            except TimeoutError:
                continue
        return self.answers.pop(number)

    def _receive(self):
        piece = self.channel.recv(1 << 16)
        assert piece, f"the machine has ended\n--- console\n{self.console_text()}"
        *lines, self.received = (self.received + piece).split(b"\n")
        for line in lines:
            answer = json.loads(line)
            self.answers[answer["id"]] = answer

    def spawn(self, *command, environment=None):
        number = next(self.numbers)
        self.tell(id=number, command=list(map(str, command)), environment=ENVIRONMENT | (environment or {}))
        return Call(self, number)

    def processes(self, program=None):
        """What runs in it; with `program`, what has that for its first argument."""
        number = next(self.numbers)
        self.tell(id=number, processes=True)
        found = [Process(**process) for process in self.answer(number, BOOT_DEADLINE)["processes"]]
        return [process for process in found if program is None or process.argv[:1] == [program]]

    def kill(self, process, number=signal.SIGKILL):
        self.run("kill", f"-{int(number)}", process.pid, code=None)

    # --- its files -------------------------------------------------------------------------------------------------------------------

    def write(self, name, text, mode=0o644):
        if self.channel is None:
            return super().write(name, text, mode)
        return self.run("sh", "-c", 'mkdir -p "$(dirname "$1")" && printf %s "$2" >"$1" && chmod "$3" "$1"', "sh", name, text, f"{mode:o}")

    def read(self, name):
        """A file; None when there is none."""
        finished = self.run("cat", name, code=None)
        return finished.out if finished.code == 0 else None
