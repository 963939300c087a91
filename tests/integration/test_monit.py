"""monit, an administrator's watchman that knows of steward only its PID files, sees what `status` says; and it can start and stop by steward."""

import shutil
import signal

import pytest

from harness import STEWARD, kill, wait_until

MONIT = shutil.which("monit")
pytestmark = [pytest.mark.root, pytest.mark.skipif(MONIT is None, reason="needs monit")]


class Monit:
    """One of the test's own, in the foreground, which looks every second."""

    def __init__(self, room, actions=""):
        self.room = room
        self.rc = room.root / "monitrc"
        place = room.root / "monit"
        place.mkdir()
        self.rc.write_text(f"set daemon 1\nset pidfile {place}/pid\nset idfile {place}/id\nset statefile {place}/state\n"
                           f"set log {place}/log\nset httpd unixsocket {place}/socket allow nobody:nothing\n"
                           f"check process web with pidfile {room.pid_file()}\n{actions}")
        self.rc.chmod(0o600)
        self.process = room.spawn("-I", "-c", self.rc, program=MONIT, stdout=None)
        wait_until(lambda: self.run("status", code=None).code == 0, "an answer of monit")

    def run(self, *words, code=0):
        finished = self.room.finish(self.room.spawn("-B", "-c", self.rc, *words, program=MONIT))
        assert code is None or finished.code == code, finished
        return finished

    def says(self):
        """The line `status`, and what it knows of the process."""
        lines = [line.split(None, 1) for line in self.run("status", "web").out.splitlines()]
        return {line[0]: line[1] for line in lines if len(line) == 2}

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.room.finish(self.process)


@pytest.fixture
def monit(room):
    """Made by its first call, ended with the test."""
    made = []

    def make(actions=""):
        made.append(Monit(room, actions))
        return made[0]

    yield make
    for each in made:
        each.end()


def agree(room, monit):
    """Both say the same, of the same process."""

    def same():
        status, code = room.status(), room.code()
        seen = monit.says()
        if code == 0:
            return seen["status"] == "OK" and seen.get("pid") == str(status["main_pid"])
        return seen["status"] == "Does not exist"

    wait_until(same, f"that monit agrees: {room('status', 'web', code=None)}")


@pytest.mark.parametrize("supervise", [True, False])
def test_monit_agrees_with_status_in_each_state(room, monit, supervise):
    room.sleeper(supervise=supervise, extra='[restart]\npolicy = "never"\n' if supervise else "")
    watchman = monit()
    agree(room, watchman)
    assert room.code() == 3
    room("start", "web")
    agree(room, watchman)
    assert room.code() == 0
    first = room.pid()
    room("restart", "web")
    assert room.pid() != first
    agree(room, watchman)
    kill(room.pid())
    wait_until(lambda: room.code() != 0, "the end")
    agree(room, watchman)
    room("start", "web")
    agree(room, watchman)
    room("stop", "web")
    agree(room, watchman)
    assert room.code() == 3


def test_it_agrees_while_steward_starts_the_service_again(room, monit):
    room.sleeper(extra='[restart]\ndelay = "10s"\njitter = 0\n')
    watchman = monit()
    room("start", "web")
    agree(room, watchman)
    first = room.pid()
    kill(first)
    wait_until(lambda: room.status()["state"] == "backing-off", "the delay")
    agree(room, watchman)
    wait_until(lambda: room.pid_now(unlike=first), "the next one")
    agree(room, watchman)


def test_it_agrees_when_keeper_and_supervisor_are_killed_and_when_all_are(room, monit):
    room.sleeper()
    watchman = monit()
    room("start", "web")
    room.kill_pair()
    agree(room, watchman)
    assert room.code() == 0
    kill(room.pid())
    wait_until(lambda: room.code() == 1, "the end")
    agree(room, watchman)


def test_it_starts_and_stops_the_service_by_steward(room, monit):
    room.sleeper(extra='[restart]\npolicy = "never"\n')
    by = "".join(f'  {verb} program = "/usr/bin/env {" ".join(f"{name}={value}" for name, value in room.env.items() if name.startswith("STEWARD_"))} {STEWARD} {verb} web"\n'
                 for verb in ("start", "stop"))
    watchman = monit(by)
    wait_until(lambda: room.code() == 0, "the start by monit")
    agree(room, watchman)
    first = room.pid()
    kill(first)
    wait_until(lambda: room.pid_now(unlike=first), "the next start by monit")
    agree(room, watchman)  # else it may be busy with that start, and refuse the stop
    agree(room, watchman)
    watchman.run("stop", "web")
    wait_until(lambda: room.code() == 3, "the stop by monit")
    assert not room.pid_file().exists()
