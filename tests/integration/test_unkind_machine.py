"""When the machine is not kind: full and read-only file systems, long paths, damaged records, many services, many restarts."""

import os
import signal

import pytest

from harness import STEWARD, alive, kill, wait_gone, wait_until


def private(room, need, script, **options):
    """Runs a script in a mount namespace of its own; its exit code is judged by the caller."""
    words = ["--mount", "--propagation", "private", "/bin/sh", "-c", script]
    return room(*words, program=need("unshare"), **options)


def test_paths_longer_than_a_socket_s_address_can_be(room):
    deep = room.root / ("d" * 100) / ("e" * 100)
    deep.mkdir(parents=True)
    room.env["STEWARD_RUNTIME_DIR"] = str(deep / "run")
    room.run = deep / "run"
    name = "w" * 150
    room.sleeper(name)
    room("start", name)
    assert room.status(name)["state"] == "running"
    room("stop", name)
    room.assert_nothing_left()


@pytest.mark.root
@pytest.mark.parametrize("supervise", [True, False])
@pytest.mark.parametrize("which", ["run", "log"])
def test_a_full_file_system_fails_the_start_and_leaves_nothing_running(room, need, which, supervise):
    room.sleeper(supervise=supervise)
    place = room.run if which == "run" else room.log
    place.mkdir()
    fill = f"mount -t tmpfs -o size=16k,mode=755 none {place} && cat /dev/zero >{place}/fill 2>/dev/null; "
    finished = private(room, need, f"{fill} {STEWARD} start web; code=$?; {STEWARD} stop web; exit $code", code=None)
    # An empty log needs no space: then it runs, and was stopped.
    assert finished.code == (1 if which == "run" else 0), finished
    if which == "run":
        assert "No space left on device" in finished.err
    room.assert_nothing_left()


@pytest.mark.root
@pytest.mark.parametrize("supervise", [True, False])
def test_a_read_only_file_system_fails_the_start_and_leaves_nothing_running(room, need, supervise):
    room.sleeper(supervise=supervise)
    room.run.mkdir()
    read_only = f"mount -t tmpfs -o mode=755 none {room.run} && mount -o remount,ro {room.run}; "
    finished = private(room, need, f"{read_only} {STEWARD} start web", code=1)
    assert "Read-only file system" in finished.err
    room.assert_nothing_left()


@pytest.mark.root
def test_run_does_without_what_a_read_only_container_cannot_write(room, need):
    room.service("web", ["/bin/sh", "-c", "echo it runs"], "[restart]\npolicy = 'never'\n")
    read_only = f"mount --bind {room.root} {room.root} && mount -o remount,ro,bind {room.root}; "
    finished = private(room, need, f"{read_only} {STEWARD} run web", code=0)
    assert "it runs" in finished.out


@pytest.mark.parametrize("damage", ["garbage", "empty", "cut"])
@pytest.mark.parametrize("supervise", [True, False])
def test_a_damaged_record_is_never_believed(room, bystander, damage, supervise):
    room.sleeper(supervise=supervise)
    room("start", "web")
    room("stop", "web")
    path = room.run / "web" / "record"
    whole = path.read_bytes()
    path.write_bytes({"garbage": os.urandom(len(whole)), "empty": b"", "cut": whole[: len(whole) // 2]}[damage])
    assert room("status", "web", code=None).code in (1, 2, 3, 4)
    assert room("signal", "TERM", "web", code=None).code in (1, 4, 7)
    finished = room("start", "web", code=None)
    if finished.code != 0:
        assert str(path) in finished.err and "try:" in finished.err, "what is wrong, and what to do"
    room("stop", "web", code=None)


@pytest.mark.parametrize("damage", ["garbage", "missing"])
def test_a_record_that_is_damaged_while_its_service_runs_makes_no_second_instance(room, damage):
    room.sleeper()
    room("start", "web")
    pid = room.pid()
    path = room.run / "web" / "record"
    path.unlink()
    if damage == "garbage":
        path.write_bytes(os.urandom(4096))
    room("start", "web", code=None)
    assert alive(pid)
    assert len(room.stewards()) == 2
    os.kill(room.stewards()[0], signal.SIGTERM)
    wait_gone(pid)


def test_twenty_services_start_at_once_and_stop_at_once(room):
    names = [f"service-{number}" for number in range(20)]
    for name in names:
        room.sleeper(name)
    starts = [room.spawn("start", name) for name in names]
    assert [room.finish(start).code for start in starts] == [0] * 20
    assert len({room.pid(name) for name in names}) == 20
    stops = [room.spawn("stop", name) for name in names]
    assert [room.finish(stop).code for stop in stops] == [0] * 20
    room.assert_nothing_left()


def test_a_hundred_restarts_leak_nothing(room):
    starts = room.work / "starts"
    go = room.work / "go"
    # The first lives until it is up, or `start` would rightly call it failed.
    script = f"echo x >>{starts}; while ! test -e {go}; do sleep 0.02; done; sleep 0.001; exit 3"
    room.service("web", ["/bin/sh", "-c", script], "[restart]\ndelay = '1ms'\nmax-delay = '1ms'\n")
    room("start", "web")
    go.touch()

    def count():
        return len(starts.read_text().split())

    wait_until(lambda: count() > 20)
    pair = room.pair()  # a child on its way to exec looks like a steward too
    before = [sorted(os.listdir(f"/proc/{pid}/fd")) for pid in pair]
    already = count()
    wait_until(lambda: count() > already + 100)
    wait_until(lambda: [sorted(os.listdir(f"/proc/{pid}/fd")) for pid in pair] == before, "as many descriptors as before")
    room("stop", "web")
    room.assert_nothing_left()


def test_a_supervisor_that_stands_still_is_told_by_name(room):
    room.sleeper(extra="[stop]\ntimeout = '100ms'\n")
    room("start", "web")
    _, supervisor = room.pair()
    os.kill(supervisor, signal.SIGSTOP)
    assert room.code() == 0
    kill(supervisor)  # its keeper makes another, which answers
    room("stop", "web")
    room.assert_nothing_left()


@pytest.mark.root
def test_a_clock_that_jumps_changes_nothing(room, need):
    """Identity is counted in ticks since boot, not in wall-clock time."""
    room.sleeper(supervise=False)
    room("start", "web")
    pid = room.pid()
    # A time namespace shifts what the caller sees of the boot clock: the process must still be recognised or nothing be signalled.
    finished = room("--time", "--boottime", "100000", "--fork", STEWARD, "status", "web", program=need("unshare"), code=None)
    assert finished.code in (0, 1, 4), finished
    room("status", "web", code=0)
    assert alive(pid)
