"""reexec: running keepers and supervisors are replaced by the installed program, and no service notices."""

import json
import os
import shutil
import signal
import time

import pytest

from harness import STEWARD, alive, check_lines, kill, wait_gone, wait_until

WAIT = "while :; do sleep 0.02; done"


@pytest.fixture
def installed(room):
    """steward where a package could have put it, to be replaced there."""
    place = room.root / "bin" / "steward"
    place.parent.mkdir()
    shutil.copy(STEWARD, place)
    if room.user is not None:
        os.chown(place, room.user, room.user)
    return place


def install(place, source=STEWARD):
    """As dpkg does: the new file takes the place of the old, which those that execute it keep."""
    new = place.with_name("steward.new")
    if callable(source):
        source(new)
    else:
        shutil.copy(source, new)
    new.rename(place)


def script(text):
    def write(path):
        path.write_text(text)
        path.chmod(0o755)

    return write


def executes(pid, place):
    """Whether it is the file that stands there now."""
    path = f"/proc/{pid}/exe"
    return os.stat(path).st_ino == place.stat().st_ino


def test_the_pair_is_replaced_and_the_service_notices_nothing(room, installed):
    room.service("web", ["/bin/sh", "-c", f"echo up >>$0; {WAIT}", room.work / "ups"])
    room("start", "web", program=installed)
    pid, (keeper, supervisor) = room.pid(), room.pair()
    for _ in range(3):
        install(installed)
        assert not executes(keeper, installed)
        assert room("reexec", "web").out == "web: supervised by the installed program now\n"
        now = room.pair()
        assert now[0] == keeper and now[1] != supervisor
        assert executes(now[0], installed) and executes(now[1], installed)
        supervisor = now[1]
    status = room.status()
    assert status["main_pid"] == pid == room.pid() and status["state"] == "running" and status["restarts"] == 0
    assert (room.work / "ups").read_text() == "up\n"
    room("stop", "web")
    room.assert_nothing_left()


def test_what_comes_after_is_as_if_nothing_had_been(room, installed):
    """Restarts and their count, the policy's end, reload, another death of the supervisor and of the keeper."""
    room.service("web", ["/bin/sh", "-c", f"trap 'echo hup >>$0' HUP; {WAIT}", room.work / "got"], "[restart]\ndelay = '1ms'\n[reload]\nsignal = 'HUP'\n")
    room("start", "web", program=installed)
    kill(room.pid())
    wait_until(lambda: room.status()["restarts"] == 1 and room.code() == 0)
    room("reexec", "web")
    assert room.status()["restarts"] == 1
    pid = room.pid()
    kill(pid)
    wait_until(lambda: room.status()["restarts"] == 2 and room.code() == 0)
    assert room.status()["last_exit"]["signal_name"] == "KILL"
    wait_until(lambda: room("reload", "web", code=None).code == 0 and (room.work / "got").exists())
    pid, (keeper, supervisor) = room.pid(), room.pair()
    kill(supervisor)
    wait_until(lambda: room.pair()[1] not in (None, supervisor))
    kill(keeper)
    wait_until(lambda: room.pair()[0] not in (None, keeper))
    room("reexec", "web")
    assert room.pid() == pid
    room("stop", "web")
    room.assert_nothing_left()


def test_an_end_at_that_moment_is_not_lost(room, installed):
    """The exit status is the keeper's to hand on, whichever of its lives that is."""
    room.service("web", ["/bin/sh", "-c", f"trap 'exit 7' USR1; echo up >>$0; {WAIT}", room.work / "ups"], "[restart]\npolicy = 'never'\n")
    ups = 0
    for moment in range(10):
        room("start", "web", program=installed)
        ups += 1
        wait_until(lambda: (room.work / "ups").exists() and (room.work / "ups").read_text().count("up") == ups)
        pid = room.pid()
        replacing = room.spawn("reexec", "web")
        time.sleep(moment * 0.004)
        kill(pid, signal.SIGUSR1)
        room.finish(replacing)
        wait_until(lambda: room.status()["state"] == "failed")
        assert room.status()["last_exit"]["code"] == 7
    room.assert_nothing_left()


@pytest.mark.parametrize("stamps", ["none", "iso8601"])
def test_no_line_is_lost_or_doubled(room, installed, helper, stamps):
    room.service("web", [helper("number_lines"), "5"], f"[log]\ntimestamps = '{stamps}'\nmax-size = 0\n")
    room("start", "web", program=installed)
    log = room.log / "web.log"
    for _ in range(5):
        size = log.stat().st_size
        room("reexec", "web")
        wait_until(lambda before=size: log.stat().st_size > before)
    room("stop", "web")
    check_lines(helper, [log], stamps)


def test_what_a_program_wrote_that_ends_at_that_moment_is_kept(room, installed):
    """Then nobody but the keeper holds its FIFO, and keeps it while it becomes another program."""
    room.service("web", ["/bin/sh", "-c", f"trap 'echo last words; exit 0' USR1; echo up >>$0; {WAIT}", room.work / "ups"], "[restart]\npolicy = 'never'\n")
    for moment in range(10):
        room("start", "web", program=installed)
        wait_until(lambda ups=moment + 1: (room.work / "ups").exists() and (room.work / "ups").read_text().count("up") == ups)
        pid = room.pid()
        replacing = room.spawn("reexec", "web")
        time.sleep(moment * 0.004)
        kill(pid, signal.SIGUSR1)
        room.finish(replacing)
        wait_until(lambda: room.status()["state"] == "finished")
    assert room.log_text() == "last words\n" * 10
    room.assert_nothing_left()


def test_a_back_off_goes_on(room, installed):
    room.service("web", ["/bin/sh", "-c", "test -e $0 && exit 3; sleep 1000", room.work / "fail"], "[restart]\ndelay = '60s'\nmax-delay = '60s'\n")
    room("start", "web", program=installed)
    (room.work / "fail").touch()
    kill(room.pid())
    before = wait_until(lambda: (lambda status: status if status["state"] == "backing-off" else None)(room.status()))
    room("reexec", "web")
    after = room.status()
    assert after["state"] == "backing-off" and after["restarts"] == before["restarts"]
    room("stop", "web")
    room.assert_nothing_left()


@pytest.mark.parametrize("wrong", ["#!/bin/sh\nexit 1\n", "#!/bin/sh\nkill -9 $$\n", "no program at all\n", None])
def test_a_program_that_cannot_carry_on_changes_nothing(room, installed, wrong):
    room.sleeper()
    room("start", "web", program=installed)
    pid, pair = room.pid(), room.pair()
    if wrong is None:
        installed.unlink()
    else:
        install(installed, script(wrong))
    finished = room("reexec", "web", code=None)
    assert finished.code != 0 and "cannot reexec web" in finished.err
    assert (room.pid(), room.pair()) == (pid, pair)
    room("stop", "web")
    room.assert_nothing_left()


def test_all_takes_what_runs_and_leaves_the_rest(room, installed):
    for name in ("a", "b"):
        room.sleeper(name)
        room("start", name, program=installed)
    room.sleeper("stopped")
    room.sleeper("alone", supervise=False)
    room("start", "alone")
    room.sleeper("front")
    front = room.spawn("run", "front")
    wait_until(lambda: room.pid_file("front").exists() and room.code("front") == 0)
    pids = {name: room.pid(name) for name in ("a", "b", "alone", "front")}
    install(installed)
    document = json.loads(room("reexec", "--all", "--json").out)
    results = {each["name"]: each["result"] for each in document["services"]}
    assert results == {"a": "replaced", "b": "replaced", "stopped": "was_not_supervised", "alone": "was_not_supervised", "front": "in_foreground"}
    assert {name: room.pid(name) for name in pids} == pids and all(map(alive, pids.values()))
    assert all(executes(pid, installed) for name in ("a", "b") for pid in room.pair(name))
    assert "foreground" in room("reexec", "front", code=3).err
    front.terminate()
    room.finish(front)


def test_a_start_that_waits_is_answered_by_the_next(room, installed):
    room.sleeper("slow", "[stop]\ntimeout = '1s'\n")
    room("start", "slow", program=installed)
    starts = [room.spawn("start", "slow") for _ in range(3)]
    room("reexec", "slow")
    assert [room.finish(start).code for start in starts] == [0, 0, 0]


def test_a_stop_comes_through(room, installed):
    """Asked at the same moment, one goes before the other, and the service is stopped."""
    room.sleeper()
    for _ in range(5):
        room("start", "web", program=installed)
        replacing = room.spawn("reexec", "web")
        room("stop", "web")
        room.finish(replacing)
        assert room.code() == 3
    room.assert_nothing_left()


def test_killed_in_the_middle_it_is_taken_up_again(room, installed):
    room.service("web", ["/bin/sh", "-c", f"echo up >>$0; {WAIT}", room.work / "ups"])
    room("start", "web", program=installed)
    pid = room.pid()
    for victim in (0, 1) * 3:
        pair = room.pair()
        replacing = room.spawn("reexec", "web")
        kill(pair[victim])
        room.finish(replacing)
        if victim == 1:
            wait_gone(pair[victim])
        room("start", "web")
        assert room.pid() == pid
    assert (room.work / "ups").read_text() == "up\n"
    room("stop", "web")
    room.assert_nothing_left()


def test_strangers_words_are_refused(room):
    for words in ([], ["keep"], ["keep", "system", "web", "3", "3", "4", "5"], ["keep", "system", "web", "0", "1", "2", "3"], ["check", "nowhere", "web"]):
        room("--carry-on", *words, code=2)
    room("--carry-on", "check", "system", "nobody", code=1)
