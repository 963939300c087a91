"""Many services below one supervisor: none costs the others, and what steward does to hold so many is not theirs."""

import os
import re
import resource
from pathlib import Path

import pytest

from harness import NOBODY, children, kill, wait_until

MANY = 60  # from 50 on, programs are launched without a copy of the supervisor's descriptors
HARD = 2000


def few_descriptors(soft, hard):
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def running(room, names):
    wait_until(lambda: all(map(room.pid_now, names)), "all have a PID file")
    return {name: room.pid(name) for name in names}


def open_in(pid):
    return sorted(int(fd) for fd in os.listdir(f"/proc/{pid}/fd"))


def own_group(pid):
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[2])


def end(room, run):
    run.terminate()
    assert room.finish(run).code == 0
    room.assert_nothing_left()


def test_each_of_many_services_is_launched_as_if_it_were_alone(room):
    names = [f"s{number:02}" for number in range(MANY)]
    for name in names:
        room.sleeper(name, "[restart]\ndelay = '1ms'\n", working_directory=str(room.work), umask="027")
    run = room.spawn("run", "--all")
    pids = running(room, names)
    assert set(children(run.pid)) == set(pids.values())
    for name, pid in pids.items():
        wait_until(lambda name=name: room.status(name)["state"] == "running", f"{name} runs")
        assert open_in(pid) == [0, 1, 2]
        assert os.readlink(f"/proc/{pid}/cwd") == str(room.work)
        assert own_group(pid) == pid
        status = Path(f"/proc/{pid}/status").read_text()
        assert re.search(r"^Umask:\s*0027$", status, re.MULTILINE), status
        assert re.search(r"^SigBlk:\s*0+$", status, re.MULTILINE), status
    # What was lent for a launch was taken back: no descriptor more after many.
    before = len(open_in(run.pid))
    for name in names[::6]:
        kill(pids[name])
        wait_until(lambda name=name: room.pid_now(name, unlike=pids[name]), f"the next instance of {name}")
        wait_until(lambda name=name: room.status(name)["state"] == "running", f"{name} runs again")
    wait_until(lambda: len(open_in(run.pid)) == before, "as many descriptors as before")
    room("stop", names[1])
    assert [room.code(name) for name in names[:3]] == [0, 3, 0]
    end(room, run)


@pytest.mark.root
def test_among_many_another_users_service_and_one_with_descriptors_of_its_own(room):
    for number in range(MANY):
        room.sleeper(f"s{number:02}")
    room.sleeper("other", user="nobody")
    room.service("ready", ["/bin/sh", "-c", "echo >&7; exec sleep 1000"], "[ready]\nfd = 7\n")
    room.service("written", ["/bin/sh", "-c", "echo out; echo err >&2; exec sleep 1000"], "[log]\noutput = 'file'\n")
    run = room.spawn("run", "--all")
    pids = running(room, ["other", "ready", "written"])
    wait_until(lambda: room.status("ready")["state"] == "running", "it has said that it is ready")
    wait_until(lambda: room.log_text("written") == "out\nerr\n", "its lines are in its log")
    assert Path(f"/proc/{pids['other']}").stat().st_uid == NOBODY
    assert open_in(pids["other"]) == [0, 1, 2]
    # The supervisor is none of that user's.
    assert Path(f"/proc/{run.pid}/status").stat().st_uid == 0
    end(room, run)


def test_a_program_that_cannot_be_executed_among_many_is_told(room):
    for number in range(MANY):
        room.sleeper(f"s{number:02}")
    broken = room.work / "broken"
    broken.write_text("#!/nowhere/interpreter\n")
    broken.chmod(0o755)
    room.service("broken", [broken], "[restart]\npolicy = 'never'\n")
    run = room.spawn("run", "--all")
    wait_until(lambda: room.code("broken") == 3 and room.status("broken")["state"] == "failed", "it has failed")
    assert "/nowhere/interpreter" in room.status("broken")["reason"]
    running(room, [f"s{number:02}" for number in range(MANY)])
    end(room, run)


def test_the_limit_on_descriptors_is_raised_for_the_supervisor_alone(room):
    names = [f"s{number:02}" for number in range(20)]
    for name in names[1:]:
        room.sleeper(name)
    room.sleeper(names[0], "[limits]\nnofile = 50\n")
    run = room.spawn("run", "--all", preexec_fn=few_descriptors(64, HARD))
    pids = running(room, names)
    assert resource.prlimit(run.pid, resource.RLIMIT_NOFILE)[0] > 64
    assert {resource.prlimit(pids[name], resource.RLIMIT_NOFILE) for name in names[1:]} == {(64, HARD)}
    assert resource.prlimit(pids[names[0]], resource.RLIMIT_NOFILE) == (50, 50)
    end(room, run)


def test_too_few_descriptors_are_told_before_anything_is_started(make_room):
    room = make_room(user=NOBODY) if os.geteuid() == 0 else make_room()
    for number in range(20):
        room.sleeper(f"s{number:02}")
    failed = room("run", "--all", code=1, preexec_fn=few_descriptors(100, 100))
    assert failed.err.splitlines() == [
        "steward: cannot run 20 services: they take 164 descriptors or more, and this process may have no more than 100 (try: ulimit -n 384)"
    ]
    assert not list(room.run.glob("*/record"))
