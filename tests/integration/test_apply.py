"""apply: what runs becomes what its file says, and no more is done to it than the changed keys need."""

import json
import os

import pytest

from harness import alive, kill, wait_gone, wait_until


def document(room, *words, code=0):
    return json.loads(room("apply", "--json", *words, code=code).out)["services"][0]


def means(document):
    return {change["key"]: change["means"] for change in document["keys"]}


def test_what_only_steward_goes_by_is_applied_without_the_service_noticing(room):
    room.sleeper(extra='[stop]\ntimeout = "20s"\n')
    room("start", "web")
    pid, (keeper, supervisor) = room.pid(), room.pair()
    room.sleeper(description="new", extra='[stop]\ntimeout = "20s"\nsignal = "KILL"\n[restart]\npolicy = "never"\n')
    assert room.status()["service_file_changed"] is True
    told = room("apply", "--dry-run", "web").out
    assert 'web: signal: stop.signal: "TERM" → "KILL"\n' in told and told.endswith("web: would be applied by signal\n")
    assert room.pair() == (keeper, supervisor) and room.status()["service_file_changed"] is True
    assert room("apply", "web").out.endswith("web: applied by signal\n")
    status = room.status()
    assert (status["service_file_changed"], status["description"], status["main_pid"]) == (False, "new", pid)
    assert room.pair()[0] == keeper and room.pair()[1] != supervisor
    assert room("apply", "web").out == "web: runs as its file says\n"
    # It holds: the policy says never.
    kill(pid)
    wait_until(lambda: room.status()["state"] == "failed", "the end of it")


def test_what_the_program_was_given_takes_a_restart(room):
    room.sleeper(extra='[restart]\nlimit = 3\n')
    room("start", "web")
    pid = room.pid()
    room.sleeper(environment={"A": "1"}, extra='[restart]\nlimit = 4\n')
    told = document(room, "web", "--dry-run")
    assert told["means"] == "restart" and means(told) == {"service.environment.A": "restart", "restart.limit": "signal"}
    assert room.pid() == pid
    assert document(room, "web")["means"] == "restart"
    assert room.pid() != pid and not alive(pid)
    assert document(room, "web")["means"] is None


def test_what_is_read_when_somebody_asks_is_live(room):
    room.sleeper()
    room("start", "web")
    pid = room.pid()
    room.sleeper(extra='[dependencies]\nafter = ["db"]\n[install]\nenable = false\n')
    assert room("apply", "web").out.endswith("web: applied live\n")
    assert room.pid() == pid and room.status()["service_file_changed"] is False
    # The same in other words, and other words beside it, change nothing.
    room.sleeper(extra='# a remark\n[dependencies]\nafter = ["db"]\n[install]\nenable = false\n')
    assert room("apply", "web").out == "web: runs as its file says\n"
    assert room.pid() == pid and room.status()["service_file_changed"] is False


def test_an_invalid_file_changes_nothing(room):
    room.sleeper()
    room("start", "web")
    pid, pair = room.pid(), room.pair()
    room.sleeper(extra="[restart]\nlimt = 3\n")
    room("apply", "web", code=6)
    room.service("web", ["/no/such/program"])
    room("apply", "web", code=5)
    assert (room.pid(), room.pair()) == (pid, pair)


def test_what_does_not_run_is_not_started_and_what_has_no_file_is_left(room):
    room.sleeper()
    assert room("apply", "web").out == "web: is not running\n"
    room("start", "web")
    (room.etc / "web.toml").unlink()
    room("start", "--name", "nap", "--", "/bin/sleep", "1000")
    assert room("apply").out == ("nap: is left as it is: it was started without a file\n"
                                 "web: is left as it is: its service file is gone\n")
    assert room.pid_now("web") and room.pid_now("nap")
    room("apply", "nope", code=5)


def test_a_service_without_a_supervisor(room):
    room.sleeper(supervise=False)
    room("start", "web")
    pid = room.pid()
    room.sleeper(supervise=False, extra='[stop]\nsignal = "KILL"\n')
    assert room("apply", "web").out.endswith("web: applied live\n")
    assert room.pid() == pid and room.status()["service_file_changed"] is False
    assert room("apply", "web").out == "web: runs as its file says\n"
    room.sleeper(supervise=False, umask="027", extra='[stop]\nsignal = "KILL"\n')
    assert room("apply", "web").out.endswith("web: restarted\n")
    assert room.pid() != pid


def test_a_supervisor_that_is_gone_is_replaced_by_one_that_goes_by_the_new_file(room):
    room.sleeper()
    room("start", "web")
    pid = room.pid()
    room.kill_pair()
    assert room.status()["supervisor_alive"] is False
    room.sleeper(extra='[restart]\npolicy = "never"\n')
    assert room("apply", "web").out.endswith("web: applied by signal\n")
    assert room.pid() == pid and room.status()["supervisor_alive"] is True
    kill(pid)
    wait_until(lambda: room.status()["state"] == "failed", "the end of it")


def test_killed_half_way_the_next_one_finishes_it(room):
    room.sleeper()
    room("start", "web")
    pid = room.pid()
    for attempt in range(10):
        room.sleeper(extra=f"[restart]\nlimit = {attempt + 1}\n")
        process = room.spawn("apply", "web")
        wait_until(lambda: process.poll() is not None or f"limit = {attempt + 1}" in (room.run / "web/service.toml").read_text(), "that it began")
        process.kill()
        process.wait()
        room("apply", "web")
        assert room("apply", "web").out == "web: runs as its file says\n"
        assert room.pid() == pid and room.status()["service_file_changed"] is False


def test_in_the_foreground_steward_stays_and_goes_by_the_new_file(room):
    room.sleeper()
    process = room.spawn("run", "web")
    wait_until(lambda: room.status("web")["state"] == "running", "web")
    pid = room.pid()
    for attempt in range(20):
        room.sleeper(extra=f'[restart]\npolicy = "always"\ndelay = "{attempt + 1}ms"\n')
        assert room("apply", "web").out.endswith("web: applied by signal\n")
        status = room.status()
        assert (status["main_pid"], status["supervisor_pid"], status["service_file_changed"]) == (pid, process.pid, False)
    descriptors = os.listdir(f"/proc/{process.pid}/fd")
    kill(pid)
    wait_until(lambda: room.pid_now("web") not in (None, pid), "the start by the new policy")
    wait_until(lambda: room.status()["state"] == "running", "web")
    room.sleeper(extra='[restart]\npolicy = "never"\n')
    assert room("apply", "web").out.endswith("web: applied by signal\n")
    # What was just answered may still be connected.
    wait_until(lambda: len(os.listdir(f"/proc/{process.pid}/fd")) <= len(descriptors), "as few descriptors")
    # Its end is known as that of a child: the exit code goes on to who started steward.
    kill(room.pid(), 15)
    assert room.finish(process).code == 143


def test_of_several_in_the_foreground_one_is_told(room):
    log = '[log]\noutput = "file"\n'
    for name in ("web", "db"):
        room.service(name, ["/bin/sh", "-c", f"while :; do echo {name}; sleep 0.01; done"], extra=log)
    process = room.spawn("run", "web", "db")
    wait_until(lambda: all(room.status(name)["state"] == "running" for name in ("web", "db")), "both")
    wait_until(lambda: room.log_text("web") and room.log_text("db"), "what both say")
    pids = room.pid("web"), room.pid("db")
    lines = lambda name: (room.log / f"{name}.log").read_text().splitlines()
    for name in ("web", "db", "web"):
        room.service(name, ["/bin/sh", "-c", f"while :; do echo {name}; sleep 0.01; done"], extra=f'{log}max-size = "{30 + len(lines(name))}MiB"\n')
        assert room("apply", name).out.endswith(f"{name}: applied by signal\n")
        before = len(lines(name))
        wait_until(lambda: len(lines(name)) > before + 5, "more lines")
    assert (room.pid("web"), room.pid("db")) == pids
    assert all(line.endswith(" " + name) for name in ("web", "db") for line in lines(name)[:-1]), "no line is torn"
    room("stop", "web")
    wait_gone(pids[0])
    assert alive(pids[1])
    process.terminate()
    room.finish(process)


def test_another_users_service_is_not_permitted(room):
    if os.getuid() != 0:
        pytest.skip("needs root")
    room.sleeper()
    room("start", "web")
    room.sleeper(extra="[restart]\nlimit = 3\n")
    room("apply", "--system", "web", code=4, user=65534)
