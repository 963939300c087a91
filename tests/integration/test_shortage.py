"""When the machine has no more descriptors, processes or memory: the supervisor lives, says so once, and goes on when it has again."""

import os
import signal
import subprocess
import time

import pytest

from harness import NOBODY, SANITIZED, alive, kill, wait_until

QUICK = "[restart]\ndelay = '1ms'\njitter = 0.0\n"


class Watched:
    """Two services of one supervisor in the foreground, and what it says."""

    def __init__(self, room, extra=QUICK):
        self.room = room
        for name in ("a", "b"):
            room.sleeper(name, extra=extra)
        self.events = room.work / "events"
        with open(self.events, "w") as file:
            self.run = room.spawn("run", "a", "b", stderr=file)
        for name in ("a", "b"):
            wait_until(lambda name=name: room.code(name) == 0 and room.status(name)["state"] == "running", f"{name} runs")
        self.pids = {name: room.pid(name) for name in ("a", "b")}

    def text(self):
        return self.events.read_text()

    def limit(self, which, soft):
        """The soft limit, set by one of the same user's processes, which may."""
        user = {} if self.room.user is None else {"user": self.room.user, "group": self.room.user}
        subprocess.run(["prlimit", f"--pid={self.run.pid}", f"--{which}={soft}:"], check=True, **user)

    def assert_recovers(self):
        """Everything as if nothing had been: both run, restarts work, and the stop ends both."""
        assert self.run.poll() is None, "the supervisor has died"
        wait_until(lambda: alive(self.room.pid_now("a", unlike=self.pids["a"])), "the next instance of a")
        wait_until(lambda: self.room.status("a")["state"] == "running", "a runs")
        assert self.room.status("b")["main_pid"] == self.pids["b"] and alive(self.pids["b"])
        kill(self.pids["b"])
        wait_until(lambda: alive(self.room.pid_now("b", unlike=self.pids["b"])), "the next instance of b")
        self.run.send_signal(signal.SIGTERM)
        assert self.room.finish(self.run).code == 0
        self.room.assert_nothing_left()

    def assert_told_once(self, cause):
        told = [line.split(" ", 2)[2] for line in self.text().splitlines() if cause in line]
        assert told, f"nothing was said of '{cause}'\n{self.text()}"
        assert len(told) == len(set(told)) and len(told) <= 6, self.text()


@pytest.mark.parametrize("policy", ["on-failure", "on-abnormal"])
def test_without_descriptors_the_supervisor_lives_and_recovers(room, policy):
    watched = Watched(room, QUICK + f"policy = '{policy}'\nlimit = 3\n")
    watched.limit("nofile", len(os.listdir(f"/proc/{watched.run.pid}/fd")) - 2)
    kill(watched.pids["a"])
    wait_until(lambda: "Too many open files" in watched.text(), "words about it")
    time.sleep(2.5)  # the measure itself: its policy would have given it up by now, but it is not the service that fails
    watched.limit("nofile", 1024)
    watched.assert_recovers()
    watched.assert_told_once("Too many open files")


def test_a_stop_without_descriptors_ends_the_service_all_the_same(room):
    watched = Watched(room)
    watched.limit("nofile", len(os.listdir(f"/proc/{watched.run.pid}/fd")) - 2)
    watched.run.send_signal(signal.SIGTERM)
    wait_until(lambda: not any(map(alive, watched.pids.values())), "the end of both")
    watched.limit("nofile", 1024)
    assert room.finish(watched.run).code == 0
    room.assert_nothing_left()


@pytest.mark.root
def test_when_fork_is_refused_the_supervisor_lives_and_recovers(make_room):
    room = make_room(user=NOBODY)
    watched = Watched(room, QUICK + "limit = 3\n")
    watched.limit("nproc", 0)
    kill(watched.pids["a"])
    wait_until(lambda: "Resource temporarily unavailable" in watched.text(), "words about it")
    assert room.status("a")["state"] in ("starting", "backing-off")
    watched.limit("nproc", 4096)
    watched.assert_recovers()
    watched.assert_told_once("Resource temporarily unavailable")


@pytest.mark.skipif(SANITIZED, reason="a sanitizer has its own allocator")
@pytest.mark.parametrize("verb", ["run", "start"])
def test_without_memory_the_supervisor_waits_for_it_and_says_so(room, helper, verb):
    nothing = room.work / "no-memory"
    room.env |= {"LD_PRELOAD": helper("fail_malloc.so"), "STEWARD_NO_MEMORY": str(nothing)}
    if verb == "run":
        watched = Watched(room)
        nothing.touch()
        kill(watched.pids["a"])
        wait_until(lambda: "no memory" in watched.text(), "words about it")
        nothing.unlink()
        watched.assert_recovers()
        watched.assert_told_once("no memory")
        return
    room.sleeper(extra=QUICK)
    room("start", "web")
    pid = room.pid()
    pair = room.pair()
    nothing.touch()
    kill(pid)
    wait_until(lambda: "no memory" in room.steward_log(), "words about it")
    nothing.unlink()
    wait_until(lambda: alive(room.pid_now(unlike=pid)), "the next instance")
    assert room.pair() == pair, "nobody had to be replaced"
    room("stop", "web")
    room.assert_nothing_left()
