"""Services that share a supervisor share nothing else: one that behaves badly harms no other."""

import signal
import time

import pytest

from harness import alive, kill, wait_until

CALM = ["calm-1", "calm-2", "calm-3"]


@pytest.mark.parametrize("how", [["fork", "30"], ["close"], ["flood", "64"]], ids=["forks", "closes-its-pipes", "floods"])
def test_a_bad_neighbour_harms_no_other_service_of_the_same_supervisor(room, helper, how):
    for name in CALM:
        room.sleeper(name, extra="[restart]\ndelay = '1ms'\n[log]\noutput = 'file'\n")
    room.service("bad", [helper("bad_neighbour"), *how], "[stop]\ntimeout = '1s'\n[log]\noutput = 'file'\n")
    run = room.spawn("run", "bad", *CALM)
    for name in ["bad", *CALM]:
        wait_until(lambda name=name: room.code(name) == 0 and room.status(name)["state"] == "running", f"{name} runs")
    pids = [room.pid(name) for name in CALM]

    # Meanwhile the others are watched, restarted and stopped, each in its time.
    for name in CALM[:2]:
        pid = room.pid(name)
        kill(pid)
        wait_until(lambda name=name, pid=pid: alive(room.pid_now(name, unlike=pid)), f"the next {name}", deadline=60)
    begun = time.monotonic()
    room("stop", CALM[1])
    assert time.monotonic() - begun < 60
    assert room.code(CALM[1]) == 3
    assert room.pid(CALM[2]) == pids[2] and alive(pids[2]), "nobody has touched it"
    assert room.status("bad")["state"] == "running"

    run.send_signal(signal.SIGTERM)
    assert room.finish(run).code == 0
    room.assert_nothing_left()
