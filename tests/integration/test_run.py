"""run: supervision in the foreground; and services without a file."""

import os
import signal
from subprocess import DEVNULL

import pytest

from harness import alive, children, command_line, kill, wait_gone, wait_until


def running(room, name="web"):
    wait_until(lambda: room.pid_file(name).exists() and room.code(name) == 0, f"{name} runs")
    return room.pid(name)


@pytest.mark.fallback
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_term_int_and_quit_stop_the_service_and_end_run(room, number):
    room.sleeper()
    run = room.spawn("run", "web")
    pid = running(room)
    run.send_signal(number)
    finished = room.finish(run)
    assert finished.code == 0, finished
    assert not alive(pid)
    assert room.code() == 3
    room.assert_nothing_left()


@pytest.mark.parametrize("end, code", [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 137), ("kill -TERM $$", 143)])
def test_the_exit_code_of_the_only_service_is_passed_through(room, end, code):
    room.service("web", ["/bin/sh", "-c", f"sleep 0.1; {end}"], "[restart]\npolicy = 'never'\n")
    room("run", "web", code=code)
    room.assert_nothing_left()


@pytest.mark.parametrize("end", ["exit 9", "kill -9 $$"])
def test_a_failure_before_there_is_a_program_is_exit_code_1(room, end):
    room.sleeper(extra=f"[hooks]\npre-start = ['/bin/sh', '-c', '{end}']\n[restart]\npolicy = 'never'\n")
    assert "pre-start hook" in room("run", "web", code=1).both
    room.assert_nothing_left()


def test_run_restarts_by_the_policy(room):
    starts = room.work / "starts"
    room.service("web", ["/bin/sh", "-c", f"echo x >>{starts}; test $(wc -l <{starts}) -ge 3 && exit 0; exit 3"], "[restart]\ndelay = '1ms'\n")
    room("run", "web", code=0)
    assert starts.read_text().split() == ["x"] * 3


def test_run_is_the_parent_and_there_is_no_keeper(room):
    room.sleeper()
    run = room.spawn("run", "web")
    pid = running(room)
    assert children(run.pid) == [pid]
    assert room.stewards() == [run.pid]
    status = room.status()
    assert status["supervisor_pid"] == run.pid and status["keeper_pid"] is None
    run.terminate()
    room.finish(run)


def test_killing_run_ends_the_service_or_the_next_start_adopts_it(room):
    room.sleeper()
    run = room.spawn("run", "web", stdout=DEVNULL, stderr=DEVNULL)  # a pipe would stay open as long as the service lives
    pid = running(room)
    kill(run.pid)
    room.finish(run)
    room("start", "web")
    assert len([each for each in room.living() if "sleep" in command_line(each)]) == 1
    assert (room.pid() == pid) == alive(pid)
    room("stop", "web")
    room.assert_nothing_left()


def test_several_services_share_one_supervisor(room):
    for name in ("a", "b", "c"):
        room.sleeper(name)
    run = room.spawn("run", "a", "b", "c")
    pids = {running(room, name) for name in ("a", "b", "c")}
    assert set(children(run.pid)) == pids
    room("stop", "b")
    assert [room.code(name) for name in ("a", "b", "c")] == [0, 3, 0]
    assert run.poll() is None
    run.terminate()
    assert room.finish(run).code == 0
    room.assert_nothing_left()


def test_run_all_runs_every_service(room):
    for name in ("a", "b"):
        room.sleeper(name)
    run = room.spawn("run", "--all")
    pids = [running(room, name) for name in ("a", "b")]
    run.terminate()
    room.finish(run)
    assert not any(map(alive, pids))


def test_run_of_a_service_that_runs_is_refused(room):
    room.sleeper()
    room("start", "web")
    pid = room.pid()
    finished = room("run", "web", code=1)
    assert "cannot run web: it is already" in finished.err
    assert alive(pid) and room.code() == 0


def test_a_second_run_is_refused_while_the_first_goes_on(room):
    room.sleeper()
    run = room.spawn("run", "web")
    pid = running(room)
    room("run", "web", code=1)
    assert room.pid() == pid
    room("start", "web")  # it runs: that is all start asks
    assert room.pid() == pid
    run.terminate()
    room.finish(run)


def test_stop_ends_run(room):
    room.sleeper()
    run = room.spawn("run", "web")
    running(room)
    room("stop", "web")
    assert room.finish(run).code == 0
    room.assert_nothing_left()


def test_hup_reloads_and_term_is_passed_on_once(room):
    script = "trap 'echo hup >>$0.got' HUP; trap 'echo term >>$0.got; exit 0' TERM; echo up >$0.up; while :; do sleep 0.02; done"
    room.service("web", ["/bin/sh", "-c", script, room.work / "it"], "[reload]\nsignal = 'HUP'\n")
    run = room.spawn("run", "web")
    wait_until((room.work / "it.up").exists)
    run.send_signal(signal.SIGHUP)
    wait_until((room.work / "it.got").exists)
    run.terminate()
    room.finish(run)
    assert (room.work / "it.got").read_text().split() == ["hup", "term"]


@pytest.mark.root
def test_run_is_a_good_pid_1(room, need):
    """Of a container: it reaps orphans, passes signals on, ends everything on TERM."""
    script = "trap 'echo usr1 >>$0.got' USR1; (setsid sleep 0.1 &); setsid sleep 1001 & echo up >$0.up; while :; do sleep 0.02; done"
    room.service("web", ["/bin/sh", "-c", script, room.work / "it"], inherit_environment=True)
    from harness import STEWARD

    run = room.spawn("--pid", "--fork", "--kill-child", "--mount-proc", STEWARD, "run", "web", program=need("unshare"))
    wait_until((room.work / "it.up").exists)
    init = wait_until(lambda: children(run.pid))[0]
    # The orphaned sleep 0.1 ends and is reaped: no zombie stays below PID 1.
    wait_until(lambda: "Z" not in {state_of(pid) for pid in children(init)} and len(children(init)) <= 2)
    os.kill(init, signal.SIGUSR1)
    wait_until((room.work / "it.got").exists)
    os.kill(init, signal.SIGTERM)
    assert room.finish(run).code == 0
    room.assert_nothing_left()


def state_of(pid):
    from harness import stat_of

    stat = stat_of(pid)
    return stat[0] if stat else "gone"


# --- without a file ----------------------------------------------------------------------------------------------------------------


@pytest.mark.fallback
def test_start_without_a_file(room):
    room("start", "--name", "quick", "--", "/bin/sleep", "1000")
    pid = room.pid("quick")
    room("status", "quick", code=0)
    assert "quick" in room("list").out
    room("restart", "quick")
    assert room.pid("quick") != pid
    room("stop", "quick")
    room("status", "quick", code=3)
    room.assert_nothing_left()


def test_the_words_after_the_dashes_are_the_program_s(room):
    room("start", "--name", "quick", "--", "/bin/sh", "-c", "exec sleep 1000", "--json", "--name", "x")
    assert room.status("quick")["command"] == ["/bin/sh", "-c", "exec sleep 1000", "--json", "--name", "x"]


def test_run_without_a_file(room):
    finished = room("run", "--name", "quick", "--", "/bin/sh", "-c", "echo hello; exit 0")
    assert "hello" in finished.out


def test_run_without_a_file_restarts_a_failure_and_passes_term_on(room):
    run = room.spawn("run", "--name", "quick", "--", "/bin/sleep", "1000")
    pid = running(room, "quick")
    kill(pid)
    wait_gone(pid)
    wait_until(lambda: room.pid_now("quick", unlike=pid) and room.code("quick") == 0)
    run.terminate()
    assert room.finish(run).code == 0


def test_a_missing_program_without_a_file_is_5(room):
    assert "/no/such" in room("start", "--name", "quick", "--", "/no/such", code=5).err
    assert "/no/such" in room("run", "--name", "quick", "--", "/no/such", code=5).err


def test_a_name_that_has_a_file_is_not_taken_for_another_command(room):
    room.sleeper()
    finished = room("start", "--name", "web", "--", "/bin/sleep", "7", code=None)
    if finished.code == 0:  # then it is the given command that runs
        assert room.status()["command"] == ["/bin/sleep", "7"]
    else:
        assert "web" in finished.err
