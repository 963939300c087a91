"""Stop ends every process of the service, however it resists, and says what it did."""

import os
import signal
import time

import pytest

from harness import alive, children, command_line, descendants, kill, wait_gone, wait_until

fallback = pytest.mark.fallback
IGNORER = "trap '' TERM; echo up >\"$0.up\"; while :; do sleep 0.02; done"


@pytest.fixture(params=[True, False], ids=["supervised", "alone"])
def supervise(request):
    return request.param


@fallback
def test_what_ignores_the_signal_is_killed_after_the_timeout(room, supervise):
    room.service("web", ["/bin/sh", "-c", IGNORER, room.work / "it"], "[stop]\ntimeout = '300ms'\n", supervise=supervise)
    room("start", "web")
    wait_until((room.work / "it.up").exists)
    began = time.monotonic()
    finished = room("stop", "web")
    assert time.monotonic() - began >= 0.3
    assert "KILL" in finished.both or "killed" in finished.both
    assert room.code() == 3
    room.assert_nothing_left()


def test_a_stop_that_is_obeyed_does_not_wait_for_the_timeout(room, supervise):
    room.sleeper(supervise=supervise, extra="[stop]\ntimeout = '1h'\n")
    room("start", "web")
    room("stop", "web")


def test_the_stop_signal_is_the_one_written(room, supervise):
    script = "for s in TERM INT QUIT USR1; do trap \"echo $s >$0.got; exit 0\" $s; done; echo up >$0.up; while :; do sleep 0.02; done"
    room.service("web", ["/bin/sh", "-c", script, room.work / "it"], "[stop]\nsignal = 'USR1'\n", supervise=supervise)
    room("start", "web")
    wait_until((room.work / "it.up").exists)
    room("stop", "web")
    assert (room.work / "it.got").read_text() == "USR1\n"


@fallback
def test_children_that_left_the_session_and_forked_twice_are_ended_too(room, supervise, need):
    if not supervise and os.getuid() != 0:
        pytest.skip("without a cgroup or a keeper nobody can tell whose they are")
    setsid = need("setsid")
    script = f"""
        sleep 1001 &
        {setsid} sleep 1002 &
        ({setsid} sh -c 'sleep 1003 & sleep 1004' &)
        ({setsid} --fork sh -c 'trap "" TERM HUP; sleep 1005 & while :; do sleep 0.05; done')
        echo up >"$0.up"
        exec sleep 1000"""
    room.service("web", ["/bin/sh", "-c", script, room.work / "it"], "[stop]\ntimeout = '300ms'\n", supervise=supervise)
    room("start", "web")
    wait_until((room.work / "it.up").exists)
    wait_until(lambda: {f"sleep 100{number}" for number in range(6)} <= set(lines(room)), "the whole family")
    room("stop", "web")
    assert [line for line in lines(room)] == []
    room.assert_nothing_left()


def lines(room):
    return [line for line in map(command_line, room.living()) if "sleep 100" in line]


def test_the_leftovers_of_a_main_process_that_ended_by_itself_are_ended_too(room, need):
    """Else a restart would meet the old instance's children on its port."""
    setsid = need("setsid")
    room.service("web", ["/bin/sh", "-c", f"{setsid} sleep 1001 & while ! test -e $0; do sleep 0.02; done; exit 3", room.work / "go"], "[restart]\npolicy = 'never'\n")
    room("start", "web")
    wait_until(lambda: "sleep 1001" in lines(room))
    (room.work / "go").touch()
    wait_until(lambda: room.status()["state"] == "failed")
    room.assert_nothing_left()


FAMILY = """
    trap 'echo main >>$0.got; exit 0' TERM
    sh -c "trap 'echo child >>$0.got; exit 0' TERM; echo up >>$0.up; while :; do sleep 0.02; done" &
    echo up >>$0.up
    while :; do sleep 0.02; done"""


@pytest.mark.parametrize("mode, told, child_ends", [("group", {"main", "child"}, True), ("mixed", {"main"}, True), ("main", {"main"}, False)])
def test_the_mode_says_who_gets_the_signal_and_who_is_killed(room, mode, told, child_ends):
    room.service("web", ["/bin/sh", "-c", FAMILY, room.work / "it"], f"[stop]\nmode = '{mode}'\ntimeout = '60s'\n")
    room("start", "web")
    wait_until(lambda: (room.work / "it.up").exists() and (room.work / "it.up").read_text().count("up") == 2)
    child = [pid for pid in children(room.pid()) if "trap" in command_line(pid)][0]
    room("stop", "web")
    assert set((room.work / "it.got").read_text().split()) == told
    assert alive(child) is not child_ends
    assert room.code() == 3
    if alive(child):
        kill(child)
        wait_gone(child)
    room("start", "web")
    assert room.code() == 0


def test_the_stop_command_runs_as_the_service_with_its_pid(room, supervise):
    script = "trap 'exit 0' USR1; echo up >$0.up; while :; do sleep 0.02; done"
    extra = f"[stop]\ncommand = ['/bin/sh', '-c', 'echo $MAINPID >{room.work}/told; kill -USR1 $MAINPID']\n"
    room.service("web", ["/bin/sh", "-c", script, room.work / "it"], extra, supervise=supervise)
    room("start", "web")
    wait_until((room.work / "it.up").exists)
    pid = room.pid()
    room("stop", "web")
    assert (room.work / "told").read_text() == f"{pid}\n"
    room.assert_nothing_left()


def test_a_stop_command_that_hangs_is_overtaken_by_the_signal(room, supervise):
    room.sleeper(supervise=supervise, extra="[stop]\ncommand = ['/bin/sleep', '1000']\ntimeout = '300ms'\n")
    room("start", "web")
    room("stop", "web")
    assert room.code() == 3
    room.assert_nothing_left()


def test_a_stopped_process_is_ended_too(room, supervise):
    """SIGSTOP holds up TERM; a service that stands still is stopped all the same."""
    room.sleeper(supervise=supervise, extra="[stop]\ntimeout = '2s'\n")
    room("start", "web")
    os.kill(room.pid(), signal.SIGSTOP)
    room("stop", "web")
    room.assert_nothing_left()


def test_two_stops_at_the_same_time_both_succeed(room, supervise):
    room.service("web", ["/bin/sh", "-c", IGNORER, room.work / "it"], "[stop]\ntimeout = '300ms'\n", supervise=supervise)
    room("start", "web")
    wait_until((room.work / "it.up").exists)
    stops = [room.spawn("stop", "web") for _ in range(5)]
    assert [room.finish(stop).code for stop in stops] == [0] * 5
    room.assert_nothing_left()


def test_a_stop_that_is_interrupted_leaves_the_service_stopping_and_can_be_repeated(room):
    script = "trap '' TERM; echo up >$0.up; while ! test -e $0.go; do sleep 0.02; done"
    room.service("web", ["/bin/sh", "-c", script, room.work / "it"], "[stop]\ntimeout = '1h'\n")
    room("start", "web")
    wait_until((room.work / "it.up").exists)
    # Whoever runs these tests in the background has them ignore SIGINT.
    stop = room.spawn("stop", "web", preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    wait_until(lambda: room.status()["state"] == "stopping")
    kill(stop.pid, signal.SIGINT)
    room.finish(stop)
    assert room.status()["state"] == "stopping"
    stop = room.spawn("stop", "web")
    (room.work / "it.go").touch()
    assert room.finish(stop).code == 0
    assert room.code() == 3
    room.assert_nothing_left()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_a_supervisor_or_keeper_that_is_asked_to_end_stops_its_service(room, number):
    for which in (0, 1):
        room.sleeper()
        room("start", "web")
        os.kill(room.pair()[which], number)
        wait_until(lambda: room.code() == 3, "the stop")
        room.assert_nothing_left()


def test_stop_ends_a_service_whose_file_has_gone(room):
    path = room.sleeper()
    room("start", "web")
    path.unlink()
    assert "gone" in room("status", "web", code=0).out
    room("stop", "web")
    room.assert_nothing_left()
    room("start", "web", code=5)


def test_stop_goes_by_the_file_as_it_was_at_the_start(room):
    script = "trap 'exit 0' USR1; trap '' TERM; echo up >$0.up; while :; do sleep 0.02; done"
    room.service("web", ["/bin/sh", "-c", script, room.work / "it"], "[stop]\nsignal = 'USR1'\ntimeout = '1h'\n")
    room("start", "web")
    wait_until((room.work / "it.up").exists)
    room.sleeper(extra="[stop]\nsignal = 'TERM'\ntimeout = '1h'\n")
    room("stop", "web")


def test_nothing_of_a_family_of_a_hundred_is_left(room):
    room.service("web", ["/bin/sh", "-c", "for i in $(seq 100); do sleep 1000 & done; echo up >$0.up; wait", room.work / "it"])
    room("start", "web")
    wait_until((room.work / "it.up").exists)
    assert len(descendants(room.pid())) == 100
    room("stop", "web")
    room.assert_nothing_left()
