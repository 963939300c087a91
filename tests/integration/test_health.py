"""[health]: a service that runs and does not work is ended, and restarted by its policy."""

import socket
import sys

import pytest

from harness import kill, wait_until

WATCHED = """
import os, socket, sys, time
address = os.environ["NOTIFY_SOCKET"]
assert os.environ["WATCHDOG_USEC"] == sys.argv[3]
sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
sender.sendto(b"READY=1", address)
while not os.path.exists(sys.argv[1]):
    sender.sendto(b"WATCHDOG=1", address)
    time.sleep(0.1)
if sys.argv[2] == "trigger": sender.sendto(b"WATCHDOG=trigger", address)
while True: time.sleep(1000)
"""


def events(room):
    return room.steward_log()


@pytest.fixture
def patient(room):
    """A service `web` that is healthy as long as there is no file `sick`."""
    room.sick = room.root / "sick"

    def make(rules="", extra="", policy="on-failure"):
        health = f"[health]\ncommand = ['/bin/sh', '-c', 'test ! -e {room.sick} && kill -0 $MAINPID']\ninterval = '50ms'\n{rules}\n"
        room.sleeper(extra=health + f"[restart]\npolicy = '{policy}'\n" + extra)

    return make


def test_a_service_that_answers_is_healthy(room, patient):
    patient()
    room("start", "web")
    wait_until(lambda: room.status()["healthy"] is True)
    assert "good" in room("status", "web").out
    room("stop", "web")
    assert room.status()["healthy"] is None or room.status()["state"] == "stopped"
    room.assert_nothing_left()


def test_enough_failures_in_a_row_end_it_and_its_policy_restarts_it(room, patient):
    patient("failures = 2")
    room("start", "web")
    pid = room.pid()
    room.sick.touch()
    wait_until(lambda: room.status()["restarts"] >= 1)
    room.sick.unlink()
    wait_until(lambda: room.status()["state"] == "running" and room.status()["healthy"])
    assert room.pid() != pid
    assert "unhealthy 2 times in a row: the command ended with exit code 1" in events(room)
    room("stop", "web")
    room.assert_nothing_left()


def test_without_a_restart_it_has_failed_and_the_reason_is_told(room, patient):
    patient("failures = 1", policy="never")
    room("start", "web")
    room.sick.touch()
    wait_until(lambda: room.status()["state"] == "failed")
    assert "it was unhealthy: the command ended with exit code 1" in room.status()["reason"]
    room.assert_nothing_left()


def test_fewer_failures_are_shown_and_forgiven(room, patient):
    patient("failures = 1000000")
    room("start", "web")
    pid = room.pid()
    room.sick.touch()
    wait_until(lambda: room.status()["healthy"] is False)
    room.sick.unlink()
    wait_until(lambda: room.status()["healthy"] is True)
    assert room.pid() == pid and room.status()["restarts"] == 0
    assert events(room).count("healthy again") == 1
    room("stop", "web")


def test_in_the_time_of_grace_failures_do_not_count(room, patient):
    patient("failures = 1\ngrace = '1h'")
    room.sick.touch()
    room("start", "web")
    asked = room.work / "asked"
    room("stop", "web")
    room.sick.unlink()
    room.service("web", ["/bin/sleep", "1000"], f"[health]\ncommand = ['/bin/sh', '-c', 'echo x >>{asked}; exit 1']\ninterval = '20ms'\nfailures = 1\ngrace = '1h'\n")
    room("start", "web")
    wait_until(lambda: asked.exists() and len(asked.read_text().split()) > 3)
    assert room.status()["state"] == "running" and room.status()["restarts"] == 0
    room("stop", "web")


@pytest.mark.parametrize("way", ["tcp", "http"])
def test_a_port_that_nobody_serves_is_ill(room, way):
    taken = socket.socket()  # so that nobody else comes to serve it
    taken.bind(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    address = {"tcp": f"{port}", "http": f"http://localhost:{port}/"}[way]
    room.sleeper(extra=f"[health]\n{way} = '{address}'\ninterval = '20ms'\nfailures = 3\n[restart]\npolicy = 'never'\n")
    room("start", "web")
    wait_until(lambda: room.status()["state"] == "failed")
    assert "3 times in a row: Connection refused" in room.status()["reason"]
    room.assert_nothing_left()
    taken.close()


def test_the_next_supervisor_goes_on_asking_and_counting(room, patient):
    patient("failures = 1000000")
    room("start", "web")
    pid = room.pid()
    wait_until(lambda: room.status()["healthy"] is True)
    supervisor = room.pair()[1]
    kill(supervisor)
    wait_until(lambda: room.pair()[1] not in (0, None, supervisor))
    assert room.status()["healthy"] is True, "it is in the record"
    room.sick.touch()
    wait_until(lambda: room.status()["healthy"] is False)
    assert room.pid() == pid
    room("stop", "web")


# Silence is known by time alone: by so much that a machine that holds up who feeds it, ten times a second, does not keep it silent as long.
@pytest.mark.parametrize("how, seconds", [("silence", 10), ("trigger", 3600)])
def test_a_watchdog_that_is_not_fed_ends_it(room, how, seconds):
    script = room.root / "watched.py"
    script.write_text(WATCHED)
    tired = room.root / "tired"
    rules = f"[ready]\nnotify = true\n[health]\nwatchdog = true\ninterval = '{seconds}s'\n[restart]\npolicy = 'never'\n"
    room.service("web", [sys.executable, script, tired, how, f"{seconds}000000"], rules)
    room("start", "web")
    wait_until(lambda: room.status()["healthy"] is True)
    tired.touch()
    wait_until(lambda: room.status()["state"] == "failed")
    assert {"silence": "has not said for 10 s", "trigger": "said so itself"}[how] in room.status()["reason"]
    room.assert_nothing_left()


@pytest.mark.parametrize(
    "health, keys, says",
    [
        ("interval = '1s'", {}, "has no effect without"),
        ("watchdog = true\nfailures = 2", {}, "has no effect with watchdog"),
        ("watchdog = false", {}, "true"),
        ("tcp = '80'\nhttp = 'http://localhost/'", {}, "either"),
        ("tcp = '80'", {"supervise": False}, "needs a supervisor"),
        ("tcp = '80'", {"type": "oneshot"}, "has no meaning for a oneshot"),
    ],
)
def test_what_makes_no_sense_is_refused(room, health, keys, says):
    room.sleeper(extra=f"[health]\n{health}\n", **keys)
    assert says in room("check", "web", code=6).err
