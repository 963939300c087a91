"""Start, stop, status and what lies between: the exit codes, and that there is never a second daemon."""

import os
import signal

import pytest

from harness import KERNEL_TELLS_EXITS, NOBODY, alive, children, command_line, stat_of, wait_gone, wait_until
from test_idle import switches, wait_at_rest

fallback = pytest.mark.fallback


def when_told(room, end):
    """Script: up until there is a file `end`. What ends by itself after a time may do so before steward has seen it up."""
    return f"until test -e {room.work}/end; do sleep 0.02; done; {end}"


def end(room):
    (room.work / "end").touch()


def written(path):
    return path.read_text().split() if path.exists() else []


@fallback
@pytest.mark.parametrize("supervise", [True, False])
def test_status_start_status_stop_status_is_3_0_0_0_3(room, supervise):
    room.sleeper(supervise=supervise)
    codes = [room(verb, "web", code=None).code for verb in ("status", "start", "status", "stop", "status")]
    assert codes == [3, 0, 0, 0, 3]
    room.assert_nothing_left()


def test_start_has_executed_the_program_and_written_the_pid_file_when_it_returns(room):
    room.sleeper()
    room("start", "web")
    assert room.pid_file().read_text() == f"{room.pid()}\n"
    assert command_line(room.pid()) == "/bin/sleep 1000"
    assert room.pid_file().stat().st_mode & 0o7777 == 0o644


def test_start_of_a_running_service_succeeds_and_changes_nothing(room):
    room.sleeper()
    room("start", "web")
    before = room.pid(), room.pair()
    assert "running" in room("start", "web").both
    assert (room.pid(), room.pair()) == before


def test_stop_of_a_stopped_service_succeeds(room):
    room.sleeper()
    room("stop", "web")
    room("start", "web")
    room("stop", "web")
    room("stop", "web")


def test_stop_removes_the_pid_file_and_keeps_the_log(room):
    room.service("web", ["/bin/sh", "-c", "echo hello; exec sleep 1000"])
    room("start", "web")
    wait_until(lambda: "hello" in room.log_text())
    room("stop", "web")
    assert not room.pid_file().exists()
    assert "hello" in room.log_text()


def test_a_supervised_service_has_a_keeper_above_a_supervisor_above_the_main_process(room):
    room.sleeper()
    room("start", "web")
    keeper, supervisor = room.pair()
    assert supervisor in children(keeper)
    assert room.pid() in children(supervisor)
    assert len(room.stewards()) == 2


def test_an_unsupervised_service_leaves_no_steward_process(room):
    room.sleeper(supervise=False)
    room("start", "web")
    assert room.stewards() == []
    assert alive(room.pid())


@fallback
@pytest.mark.parametrize("supervise", [True, False])
def test_fifty_concurrent_starts_make_one_daemon_and_fifty_exits_of_0(room, supervise):
    ran = room.work / "ran"
    room.service("web", ["/bin/sh", "-c", f"echo $$ >>{ran}; exec sleep 1000"], supervise=supervise)
    starts = [room.spawn("start", "web") for _ in range(50)]
    finished = [room.finish(process) for process in starts]
    assert [each.code for each in finished] == [0] * 50, "\n".join(str(each) for each in finished if each.code != 0)
    wait_until(lambda: written(ran), "its words")
    assert written(ran) == [str(room.pid())]
    assert len(room.stewards()) == (2 if supervise else 0)
    room("stop", "web")
    room.assert_nothing_left()


def test_starts_and_stops_at_the_same_time_come_one_after_the_other(room):
    ran = room.work / "ran"
    room.service("web", ["/bin/sh", "-c", f"exec 9>{ran}.lock; flock -n 9 || echo second >>{ran}; exec sleep 1000"])
    for _ in range(5):
        processes = [room.spawn(verb, "web") for verb in ("start", "stop", "start", "restart", "stop", "start")]
        codes = {(process.args[1], room.finish(process).code) for process in processes}
        # A stop that overtakes a start cancels it: that start did not succeed, and says so.
        assert {code for verb, code in codes if verb == "stop"} == {0}
        assert {code for verb, code in codes if verb != "stop"} <= {0, 1}
        # A keeper gives up its lease, and then it ends.
        wait_until(lambda: len(room.stewards()) in (0, 2), "a pair, or none")
    room("stop", "web")
    assert not ran.exists()
    room.assert_nothing_left()


def test_restart_gives_a_new_process_and_starts_what_was_stopped(room):
    room.sleeper()
    room("restart", "web")
    first = room.pid()
    room("restart", "web")
    assert room.pid() != first and not alive(first) and alive(room.pid())


@pytest.mark.parametrize("broken", ["[service]\ncommand = 7\n", '[service]\ncommand = ["/no/such/program"]\n'])
def test_restart_with_a_broken_file_leaves_the_old_service_running(room, broken):
    room.sleeper()
    room("start", "web")
    first = room.pid()
    room.write("web", broken)
    assert room("restart", "web", code=None).code in (5, 6)
    assert room.pid() == first and alive(first)
    assert room.code() == 0


@pytest.mark.parametrize("verb", ["try-restart", "condrestart"])
def test_try_restart_restarts_only_what_runs(room, verb):
    room.sleeper()
    room(verb, "web")
    assert room.code() == 3
    room("start", "web")
    first = room.pid()
    room(verb, "web")
    assert room.pid() != first and not alive(first)


def test_a_service_that_fails_is_started_again_with_a_growing_delay(room):
    starts = room.work / "starts"
    room.service(
        "web",
        ["/bin/sh", "-c", f"date +%s%N >>{starts}; test $(wc -l <{starts}) -ge 5 && exec sleep 1000; {when_told(room, 'exit 3')}"],
        "[restart]\ndelay = '100ms'\nfactor = 2\njitter = 0.0\n",
    )
    room("start", "web")
    end(room)
    wait_until(lambda: len(written(starts)) >= 5, "five starts")
    times = [int(line) / 1e9 for line in starts.read_text().split()]
    gaps = [later - earlier for earlier, later in zip(times, times[1:])]
    for gap, delay in zip(gaps, (0.1, 0.2, 0.4, 0.8)):
        assert gap >= delay * 0.95, gaps
    wait_until(lambda: room.status()["state"] == "running")
    assert room.status()["restarts"] == 4
    assert room.status()["last_exit"]["code"] == 3


def test_status_says_backing_off_between_two_tries(room):
    room.service("web", ["/bin/sh", "-c", when_told(room, "exit 3")], "[restart]\ndelay = '1h'\nmax-delay = '1h'\n")
    room("start", "web")
    end(room)
    wait_until(lambda: room.status()["state"] == "backing-off")
    finished = room("status", "web", code=3)
    assert "exit code 3" in finished.out
    room("stop", "web")
    room.assert_nothing_left()


def test_the_limit_ends_the_restarts_and_status_says_failed(room):
    starts = room.work / "starts"
    room.service("web", ["/bin/sh", "-c", f"echo x >>{starts}; {when_told(room, 'exit 3')}"], "[restart]\ndelay = '1ms'\nlimit = 2\n")
    room("start", "web")
    end(room)
    wait_until(lambda: room.status()["state"] == "failed")
    assert room.code() == 3
    assert len(written(starts)) == 3
    (room.work / "end").unlink()
    room("start", "web")
    assert room.code() == 0


@pytest.mark.parametrize(
    "policy, script, again",
    [
        ("never", "exit 3", False),
        ("on-failure", "exit 3", True),
        ("on-failure", "exit 0", False),
        ("on-failure", "kill -9 $$", True),
        ("on-success", "exit 0", True),
        ("on-success", "exit 3", False),
        ("on-abnormal", "exit 3", False),
        ("on-abnormal", "kill -9 $$", True),
        ("always", "exit 0", True),
    ],
)
def test_the_policy_says_which_ends_are_followed_by_a_start(room, policy, script, again):
    starts = room.work / "starts"
    room.service("web", ["/bin/sh", "-c", f"echo x >>{starts}; {when_told(room, script)}"], f"[restart]\npolicy = '{policy}'\ndelay = '1ms'\n")
    room("start", "web")
    end(room)
    if again:
        wait_until(lambda: len(written(starts)) >= 2, "a second start")
        return
    state = "finished" if script == "exit 0" else "failed"
    wait_until(lambda: room.status()["state"] == state, state)
    assert len(written(starts)) == 1
    assert room.code() == 3
    room.assert_nothing_left()


def test_success_exit_codes_are_successes(room):
    room.service("web", ["/bin/sh", "-c", when_told(room, "exit 3")], "[restart]\nsuccess-exit-codes = [3]\n")
    room("start", "web")
    end(room)
    wait_until(lambda: room.status()["state"] == "finished")


@pytest.mark.parametrize("dies", ["exit 7", "kill -9 $$"])
@pytest.mark.parametrize("supervise", [True, False])
def test_a_program_that_dies_at_once_is_reported_with_its_exit_and_last_lines(room, dies, supervise):
    room.service("web", ["/bin/sh", "-c", f"echo one; echo 'two: no such port' >&2; {dies}"], supervise=supervise)
    finished = room("start", "web", code=1)
    assert "two: no such port" in finished.err and "one" in finished.err
    # With nobody above it the kernel has to tell.
    known = supervise or KERNEL_TELLS_EXITS
    assert (("exit code 7" if dies == "exit 7" else "signal 9 (KILL)") if known else "exit code unknown") in finished.err
    assert not room.pid_file().exists()
    assert room.code() == 3
    room.assert_nothing_left()


def test_a_program_that_ends_at_once_with_success_is_no_daemon_and_no_crash(room):
    room.service("web", ["/bin/true"])
    finished = room("start", "web", code=None)
    assert finished.code in (0, 1), finished
    wait_until(lambda: room.code() == 3, "its end")  # with 0 it was up for a moment
    room.assert_nothing_left()


def test_stop_during_starting_cancels_the_start(room):
    room.service("web", ["/bin/sleep", "1000"], f"[ready]\nfile = '{room.work}/never'\n")
    start = room.spawn("start", "web")
    wait_until(room.pid_file().exists, "the launch")
    room("stop", "web")
    finished = room.finish(start)
    assert room.code() == 3
    room.assert_nothing_left()
    assert finished.code == 1
    assert "stop" in finished.err


def test_stop_during_backing_off_ends_the_restarts(room):
    room.service("web", ["/bin/sh", "-c", when_told(room, "exit 3")], "[restart]\ndelay = '1h'\nmax-delay = '1h'\n")
    room("start", "web")
    end(room)
    wait_until(lambda: room.status()["state"] == "backing-off")
    room("stop", "web")
    assert room.code() == 3
    room.assert_nothing_left()


def test_start_during_backing_off_starts_now(room):
    go = room.work / "go"
    room.service("web", ["/bin/sh", "-c", f"test -e {go} && exec sleep 1000; {when_told(room, 'exit 3')}"], "[restart]\ndelay = '1h'\nmax-delay = '1h'\n")
    room("start", "web")
    end(room)
    wait_until(lambda: room.status()["state"] == "backing-off")
    go.touch()
    room("start", "web")
    assert room.code() == 0


def test_keeper_and_supervisor_have_left_the_session_and_the_directory_of_their_caller(room):
    room.sleeper()
    room("start", "web")
    for pid in room.pair():
        stat = stat_of(pid)
        assert stat[4] == "0", "a controlling terminal"
        assert int(stat[3]) != os.getsid(0)
        assert os.readlink(f"/proc/{pid}/cwd") == "/"
        assert [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in (0, 1, 2)] == ["/dev/null"] * 3


def test_start_returns_though_its_output_is_a_pipe_and_the_service_lives_on(room):
    """A daemon that kept the caller's pipe open would hold up every `$(steward start web)`."""
    room.sleeper()
    room("start", "web")  # communicate() returns at the pipe's end only
    assert alive(room.pid())


def test_an_idle_pair_never_wakes(room):
    room.sleeper()
    room("start", "web")
    pair = room.pair()
    wait_at_rest(pair)
    before = [switches(pid) for pid in pair]
    # A second service that takes a second measures the time.
    done = room.work / "done"
    room.service("clock", ["/bin/sh", "-c", f"sleep 1; touch {done}; exec sleep 1000"])
    room("start", "clock")
    wait_until(done.exists)
    assert [switches(pid) for pid in pair] == before


@pytest.mark.root
def test_a_service_of_another_user_runs_as_that_user(room):
    room.sleeper(user=str(NOBODY))
    room("start", "web")
    assert os.stat(f"/proc/{room.pid()}").st_uid == NOBODY
    room("stop", "web")
    room.assert_nothing_left()


def test_two_rooms_with_a_service_of_the_same_name_do_not_touch_each_other(make_room):
    one, two = make_room(), make_room()
    for room in (one, two):
        room.sleeper()
        room("start", "web")
    pids = one.pid(), two.pid()
    one("stop", "web")
    assert not alive(pids[0]) and alive(pids[1])
    assert one.code() == 3 and two.code() == 0


def test_a_main_process_that_is_killed_is_replaced(room):
    room.sleeper()
    room("start", "web")
    first = room.pid()
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: alive(room.pid_now(unlike=first)), "the next instance")
    wait_gone(first)
    wait_until(lambda: room.status()["restarts"] == 1)
    assert room.status()["last_exit"]["signal_name"] == "KILL"
