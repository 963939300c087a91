"""reload, force-reload and signal."""

import os
import signal

import pytest

from harness import alive, children, command_line, proc_status, wait_until

# Catches HUP and counts.
CATCHER = "trap 'echo hup >>$0.got' HUP; echo up >$0.up; while :; do sleep 0.02; done"


@pytest.fixture(params=[True, False], ids=["supervised", "alone"])
def catcher(room, request):
    def make(extra=""):
        room.service("web", ["/bin/sh", "-c", CATCHER, room.work / "it"], extra, supervise=request.param)
        room("start", "web")
        wait_until((room.work / "it.up").exists)
        return room.pid()

    return make


def got(room):
    path = room.work / "it.got"
    return path.read_text().split() if path.exists() else []


@pytest.mark.fallback
def test_reload_sends_the_signal_and_the_process_stays(room, catcher):
    pid = catcher("[reload]\nsignal = 'HUP'\n")
    room("reload", "web")
    wait_until(lambda: got(room) == ["hup"])
    assert room.pid() == pid and alive(pid)
    assert room.code() == 0


@pytest.mark.parametrize("supervise", [True, False])
def test_a_signal_that_the_program_does_not_catch_is_not_sent(room, supervise):
    """HUP would end it: a reload never does."""
    room.sleeper(supervise=supervise, extra="[reload]\nsignal = 'HUP'\n")
    room("start", "web")
    pid = room.pid()
    finished = room("reload", "web", code=3)
    assert "HUP" in finished.err
    assert alive(pid) and room.code() == 0


def test_reload_runs_the_command_with_the_pid(room, catcher):
    pid = catcher(f"[reload]\ncommand = ['/bin/sh', '-c', 'echo $MAINPID >>{room.work}/told']\n")
    room("reload", "web")
    assert (room.work / "told").read_text() == f"{pid}\n"
    assert room.pid() == pid


def test_a_reload_command_that_fails_is_told_with_its_exit(room, catcher):
    pid = catcher("[reload]\ncommand = ['/bin/sh', '-c', 'echo no such vhost >&2; exit 5']\n")
    finished = room("reload", "web", code=1)
    assert "exit code 5" in finished.err
    assert alive(pid) and room.code() == 0


def test_without_a_way_to_reload_it_is_3_and_the_next_step_is_told(room, catcher):
    catcher()
    finished = room("reload", "web", code=3)
    assert "[reload]" in finished.err or "restart" in finished.err


def test_reload_of_what_does_not_run_is_7(room):
    room.sleeper(extra="[reload]\nsignal = 'HUP'\n")
    room("reload", "web", code=7)


def test_force_reload_reloads_where_it_can_and_restarts_where_it_cannot(room, catcher):
    pid = catcher("[reload]\nsignal = 'HUP'\n")
    room("force-reload", "web")
    wait_until(lambda: got(room) == ["hup"])
    assert room.pid() == pid
    room("stop", "web")
    pid = catcher()
    room("force-reload", "web")
    assert room.pid() != pid and not alive(pid)


@pytest.mark.parametrize("spelling", ["HUP", "SIGHUP", "1", "hup"])
def test_signal_takes_names_and_numbers(room, catcher, spelling):
    catcher()
    room("signal", spelling, "web", code=2 if spelling == "hup" else 0)
    if spelling != "hup":
        wait_until(lambda: got(room) == ["hup"])


@pytest.mark.fallback
def test_signal_goes_to_the_main_process_alone(room):
    room.service("web", ["/bin/sh", "-c", "trap : USR1; sh -c 'sleep 1001; :' & echo up >$0.up; while :; do sleep 0.02; done", room.work / "it"])
    room("start", "web")
    wait_until((room.work / "it.up").exists)
    child = wait_until(lambda: [pid for pid in children(room.pid()) if command_line(pid).startswith("sh -c sleep 1001")], "the child")[0]
    room("signal", "USR1", "web")  # the child does not catch it, and would die
    assert alive(room.pid()) and alive(child)


def test_signal_of_what_does_not_run_is_7(room):
    room.sleeper()
    room("signal", "HUP", "web", code=7)


def test_several_services_get_the_signal(room):
    for name in ("a", "b"):
        room.service(name, ["/bin/sh", "-c", CATCHER, room.work / name])
    room("start", "a", "b")
    wait_until(lambda: all((room.work / f"{name}.up").exists() for name in "ab"))
    room("signal", "HUP", "a", "b")
    wait_until(lambda: all((room.work / f"{name}.got").exists() for name in "ab"))


def test_hup_to_the_supervisor_reloads_the_service(room):
    room.service("web", ["/bin/sh", "-c", CATCHER, room.work / "it"], "[reload]\nsignal = 'HUP'\n")
    room("start", "web")
    wait_until((room.work / "it.up").exists)
    os.kill(room.pair()[1], signal.SIGHUP)
    wait_until(lambda: got(room) == ["hup"])
    assert room.code() == 0


def test_a_real_time_signal_has_a_name(room):
    room.sleeper()
    room("start", "web")
    assert proc_status(room.pid())["SigQ"]
    room("signal", "RTMIN+1", "web")
    wait_until(lambda: room.status()["restarts"] == 1)
    assert room.status()["last_exit"]["signal_name"] == "RTMIN+1"
