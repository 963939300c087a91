"""[ready] log: a service is ready by a line of its output."""

import os
import signal

import pytest

from harness import kill, wait_gone, wait_until

# Says "up" once there is a file `go`.
PROGRAM = "echo nearly up; while test ! -e {go}; do sleep 0.02; done; echo 'listening on port 80'{to}; exec sleep 1000"


@pytest.fixture
def speaker(room):
    room.go = room.root / "go"

    def make(extra="", pattern="^listening on .* [0-9]+$", to="", timeout="100s", **keys):
        room.service("web", ["/bin/sh", "-c", PROGRAM.format(go=room.go, to=to)], f"[ready]\nlog = '{pattern}'\ntimeout = '{timeout}'\n{extra}", **keys)

    return make


def launch(room, verb="start"):
    process = room.spawn(verb, "web")
    wait_until(lambda: room.run.joinpath("web", "record").exists() and room.status()["main_pid"] and "nearly up" in room.log_text())
    return process


@pytest.mark.parametrize(
    "extra, to",
    [
        ("", ""),
        ("", " >&2"),
        ("[log]\ntimestamps = 'none'\n", ""),
        ("[log]\ntimestamps = 'tai64n'\n", ""),
        ("[log]\nstderr-file = '{log}/err.log'\n", " >&2"),
    ],
)
def test_start_returns_with_that_line_and_not_before(room, speaker, extra, to):
    speaker(extra.format(log=room.log), to=to)
    process = launch(room)
    assert room.status()["state"] == "starting" and process.poll() is None
    room.go.touch()
    assert room.finish(process).code == 0 and room.status()["ready"]
    room("stop", "web")
    room.assert_nothing_left()


def test_a_line_of_an_earlier_run_says_nothing(room, speaker):
    speaker()
    room.go.touch()
    room("start", "web")
    room("stop", "web")
    room.go.unlink()
    speaker(timeout="3s")
    failed = room("start", "web", code=1)
    assert "it was not ready after 3 s (no line of its log matches '^listening on .* [0-9]+$')" in failed.err and "nearly up" in failed.err
    room.assert_nothing_left()


def test_it_is_found_among_many_and_over_rotations(room):
    script = "i=0; while test $i -lt 3000; do echo line $i of many; i=$((i+1)); done; echo ready now; exec sleep 1000"
    room.service("web", ["/bin/sh", "-c", script], "[ready]\nlog = '^ready'\n[log]\nmax-size = '16KiB'\nkeep = 2\nrate-limit = '100000/1s'\n")
    room("start", "web")
    room("stop", "web")
    room.assert_nothing_left()


@pytest.mark.parametrize("who", ["supervisor", "keeper"])
def test_who_takes_over_goes_on_reading(room, speaker, who):
    speaker()
    process = launch(room)
    pid = room.pid()
    for _ in range(2):
        victim = room.pair()[0 if who == "keeper" else 1]
        kill(victim)
        wait_until(lambda: victim not in room.pair() and None not in room.pair())
    room.go.touch()
    assert room.finish(process).code == 0
    assert room.pid() == pid and room.status()["restarts"] == 0
    room("stop", "web")
    room.assert_nothing_left()


def test_what_is_in_the_log_already_is_found_by_who_takes_over(room, speaker):
    speaker()
    process = launch(room)
    keeper, supervisor = room.pair()
    kill(supervisor, signal.SIGSTOP)
    room.go.touch()
    kill(keeper)
    kill(supervisor)
    wait_gone(keeper, supervisor)
    room.finish(process)
    room("start", "web")
    assert room.status()["ready"] and room.status()["restarts"] == 0
    room("stop", "web")
    room.assert_nothing_left()


def test_run_writes_a_log_for_it(room, speaker):
    speaker()
    process = launch(room, "run")
    room.go.touch()
    wait_until(lambda: room.status()["state"] == "running")
    process.terminate()
    assert room.finish(process).code == 0
    room.assert_nothing_left()


def test_a_forking_program_may_say_it_before_its_parent_ends(room):
    pid_file = room.root / "web.pid"
    script = f"echo serving; (echo $(exec sh -c 'echo $PPID') >{pid_file}.new; mv {pid_file}.new {pid_file}; exec sleep 1000) & exit 0"
    room.service("web", ["/bin/sh", "-c", script], "[ready]\nlog = 'serving'\n", type="forking", pid_file=pid_file)
    room("start", "web")
    assert room.status()["ready"]
    room("stop", "web")
    room.assert_nothing_left()


@pytest.mark.parametrize("compress", ["none", "zstd"])
def test_it_is_found_in_a_log_that_was_rotated_before_anybody_looked(room, compress):
    pid_file = room.root / "web.pid"
    script = f"""echo serving; i=0; while test $i -lt 2000; do echo line $i of many; i=$((i+1)); done
        (echo $(exec sh -c 'echo $PPID') >{pid_file}.new; mv {pid_file}.new {pid_file}; exec sleep 1000) & exit 0"""
    room.service(
        "web",
        ["/bin/sh", "-c", script],
        f"[ready]\nlog = 'serving'\ntimeout = '100s'\n[log]\nmax-size = '16KiB'\nkeep = 9\nrate-limit = '100000/1s'\ncompress = '{compress}'\n",
        type="forking",
        pid_file=pid_file,
    )
    room("start", "web")
    assert room.status()["ready"]
    names = lambda: {path.name for path in room.log.glob("web.log.*")}
    wait_until(lambda: len(names()) > 2 and all(name.endswith(".zst") == (compress == "zstd") for name in names()))
    room("stop", "web")
    room.assert_nothing_left()


@pytest.mark.parametrize(
    "pattern, extra, keys, says",
    [
        ("(", "", {}, "is no regular expression"),
        ("", "", {}, "is empty"),
        ("up", "[log]\noutput = 'null'\n", {}, "needs [log] output"),
        ("up", "", {"supervise": False}, "needs a supervisor"),
    ],
)
def test_what_cannot_be_is_refused(room, speaker, pattern, extra, keys, says):
    speaker(extra, pattern, **keys)
    for verb in ("check", "start"):
        assert says in room(verb, "web", code=6).both
    assert not os.path.exists(room.run / "web.pid")
