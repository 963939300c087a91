"""An idle keeper and an idle supervisor wait, and do nothing else: not one wake-up, whatever they have been through."""

import signal
import time

import pytest

from harness import alive, kill, proc_status, stat_of, wait_gone, wait_until

SECONDS = 3


def switches(pid):
    """How often the kernel has taken the process from a processor: a process that sleeps all the time is never on one."""
    status = proc_status(pid)
    return int(status["voluntary_ctxt_switches"]), int(status["nonvoluntary_ctxt_switches"])


def count(pids):
    return {pid: switches(pid) for pid in pids}


def wait_at_rest(pids):
    """Until each of them has done what it was doing."""

    def asleep():
        """What waits for a processor has something to do, and does not switch either."""
        return all(stat_of(pid)[0] == "S" for pid in pids)

    def settled():
        before = count(pids)
        if not asleep():
            return False
        time.sleep(0.3)  # the measure itself: that nothing happens shows only in time
        return asleep() and count(pids) == before

    wait_until(settled, "the end of all work")


def assert_idle(pids):
    """Each of them sleeps through a few seconds, once what it was doing is done."""
    wait_at_rest(pids)
    before = count(pids)
    time.sleep(SECONDS)
    assert count(pids) == before, "an idle steward process woke up"


def running(room, name="web"):
    wait_until(lambda: room.code(name) == 0 and room.status(name)["state"] == "running", f"{name} runs")
    return room.pid(name)


def test_an_idle_pair_makes_no_wake_up(room):
    room.sleeper()
    room("start", "web")
    assert_idle(room.pair())


def test_a_pair_that_restarted_its_service_and_lost_its_supervisor_is_idle_again(room):
    room.sleeper(extra="[restart]\ndelay = '1ms'\n")
    room("start", "web")
    pid = room.pid()
    kill(pid)
    wait_until(lambda: alive(room.pid_now(unlike=pid)), "the next instance")
    keeper, supervisor = room.pair()
    kill(supervisor)
    wait_gone(supervisor)
    wait_until(lambda: room.status()["supervisor_alive"] and room.pair()[1] != supervisor, "the next supervisor")
    assert_idle([keeper, room.pair()[1]])


@pytest.mark.parametrize("count", [1, 50])
def test_an_idle_supervisor_of_many_services_makes_no_wake_up(room, count):
    names = [f"service-{number}" for number in range(count)]
    for name in names:
        room.sleeper(name)
    run = room.spawn("run", *names)
    for name in names:
        running(room, name)
    assert_idle([run.pid])
    run.send_signal(signal.SIGTERM)
    assert room.finish(run).code == 0
    room.assert_nothing_left()
