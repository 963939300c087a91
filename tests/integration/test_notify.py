"""sd_notify(3): what a service says of itself, and what is said by those who are not it."""

import os
import signal
import socket
import subprocess
import sys

import pytest

from harness import alive, kill, stat_of, wait_gone, wait_until

# Says what it is told to: each line of the FIFO is sent as one message (with "\\n" for a newline); "exit N" ends it.
PROGRAM = """
import os, socket, sys, signal
fifo = sys.argv[1]
address = os.environ["NOTIFY_SOCKET"]
sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
target = "\\0" + address[1:] if address[0] == "@" else address
def say(text): sender.sendto(text.replace("\\\\n", "\\n").encode("latin-1"), target)
def obey(words):
    if words.startswith("exit "): os._exit(int(words[5:]))
    elif words == "fork":
        child = os.fork()
        if child: say(f"MAINPID={child}")
        else: os.setsid(); signal.signal(signal.SIGTERM, signal.SIG_DFL)
    elif words == "hold": sender.sendmsg([b"FDSTORE=1"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, (0).to_bytes(4, "little"))], 0, target)
    elif words == "long": say("STATUS=" + "x" * 5000)
    elif words == "flood":
        for i in range(2000): say("STATUS=%d" % i)
    elif words == "hand over":
        child = os.fork()
        if child: say(f"MAINPID={child}"); os._exit(0)
        os.setsid()
    else: say(words)
print("waiting", flush=True)
while True:
    with open(fifo) as lines:
        for line in lines: obey(line.rstrip("\\n"))
"""


@pytest.fixture
def talker(room):
    """A service `web` that says what room.say() tells it to."""
    room.fifo = room.work / "fifo"
    os.mkfifo(room.fifo)
    room.fifo.chmod(0o666)
    script = room.root / "talker.py"
    script.write_text(PROGRAM)

    def say(*lines):
        # Without a reader nobody would hear it: opened for both, it waits for none.
        descriptor = os.open(room.fifo, os.O_RDWR)
        os.write(descriptor, "".join(line + "\n" for line in lines).encode())
        room.held.append(descriptor)

    def make(extra="", ready="[ready]\nnotify = true\n", **keys):
        room.service("web", [sys.executable, script, room.fifo], ready + extra, **keys)

    room.held = []
    room.say = say
    yield make
    for descriptor in room.held:
        os.close(descriptor)


def launch(room):
    process = room.spawn("start", "web")
    wait_until(lambda: room.run.joinpath("web", "record").exists() and room.status()["main_pid"] and "waiting" in room.log_text())
    return process


def start(room):
    process = launch(room)
    room.say("READY=1")
    assert room.finish(process).code == 0
    return room.status()["main_pid"]


def events(room):
    return room.steward_log()


def test_start_returns_when_it_says_ready_and_not_before(room, talker):
    talker()
    process = launch(room)
    room.say("STATUS=loading its data")
    wait_until(lambda: room.status()["status_text"] == "loading its data")
    assert room.status()["state"] == "starting" and process.poll() is None
    assert "loading its data" in room("status", "web").out
    room.say("READY=1\\nSTATUS=serving")
    assert room.finish(process).code == 0
    status = room.status()
    assert status["state"] == "running" and status["ready"] and status["status_text"] == "serving"
    room("stop", "web")
    room.assert_nothing_left()


def test_one_that_never_says_so_is_a_failed_start(room, talker):
    talker(ready="[ready]\nnotify = true\ntimeout = '700ms'\n")
    assert "it has not said READY=1" in room("start", "web", code=1).err
    room.assert_nothing_left()


def test_more_time_is_given_to_who_asks_for_it(room, talker):
    talker(ready="[ready]\nnotify = true\ntimeout = '15s'\n")
    process = launch(room)
    room.say("EXTEND_TIMEOUT_USEC=100000000")
    kill(room.pair()[1])  # and the next supervisor knows
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=16)
    room.say("READY=1")
    assert room.finish(process).code == 0
    room("stop", "web")


def test_reloading_and_stopping_are_shown(room, talker):
    talker("[restart]\npolicy = 'never'\n")
    start(room)
    room.say("RELOADING=1\\nMONOTONIC_USEC=1")
    wait_until(lambda: room.status()["state"] == "reloading")
    room.say("READY=1")
    wait_until(lambda: room.status()["state"] == "running")
    room.say("STOPPING=1")
    wait_until(lambda: room.status()["state"] == "stopping")
    room.say("exit 0")
    wait_until(lambda: room.status()["state"] == "finished")
    room.assert_nothing_left()


def test_one_that_says_it_is_stopping_and_does_not_is_ended(room, talker):
    talker("[stop]\ntimeout = '300ms'\n[restart]\npolicy = 'never'\n")
    pid = start(room)
    room.say("STOPPING=1")
    wait_gone(pid)
    wait_until(lambda: room.status()["state"] == "failed")
    assert "did not end in time" in room.status()["reason"]
    room.assert_nothing_left()


def test_the_error_it_told_of_is_in_the_reason(room, talker):
    talker("[restart]\npolicy = 'never'\n")
    start(room)
    room.say("ERRNO=98", "exit 3")
    wait_until(lambda: room.status()["state"] == "failed")
    assert "exit code 3 (it told of: Address already in use)" in room.status()["reason"]


def test_another_process_of_the_service_may_become_the_main_one(room, talker):
    talker()
    first = start(room)
    room.say("fork")
    second = wait_until(lambda: room.status()["main_pid"] not in (first, None) and room.status()["main_pid"])
    assert int(stat_of(second)[1]) == first
    wait_until(lambda: room.pid_now() == second, "its PID in the PID file")
    supervisor = room.pair()[1]
    kill(supervisor)
    wait_until(lambda: room.pair()[1] not in (None, supervisor), "the next supervisor")
    wait_until(lambda: room.status()["state"] == "running")
    assert room.status()["main_pid"] == second and room.status()["restarts"] == 0
    kill(second)
    wait_until(lambda: room.status()["restarts"] == 1)
    assert not alive(first), "the rest of the service is ended with its main process"
    room("stop", "web")
    room.assert_nothing_left()


def test_the_last_word_of_the_main_process_may_name_its_successor(room, talker):
    talker()
    first = start(room)
    room.say("hand over")
    wait_until(lambda: room.status()["main_pid"] not in (first, None))
    wait_gone(first)
    status = room.status()
    assert status["state"] == "running" and status["restarts"] == 0 and alive(status["main_pid"])
    room("stop", "web")
    room.assert_nothing_left()


@pytest.mark.parametrize("words, says", [("MAINPID=1", "impossible MAINPID=1"), ("MAINPID={bystander}", "is not the service's"), ("READY=maybe", "impossible READY=maybe"), ("nonsense", "is no assignment"), ("long", "longer than 4096 bytes")])
def test_what_cannot_be_true_is_not_obeyed_and_told_once(room, talker, bystander, words, says):
    talker()
    pid = start(room)
    for _ in range(3):
        room.say(words.format(bystander=bystander.pid))
    room.say("STATUS=after it")
    wait_until(lambda: room.status()["status_text"] == "after it")
    assert room.status()["main_pid"] == pid and room.status()["state"] == "running"
    assert says in events(room) and events(room).count("is not obeyed") == 1
    assert alive(bystander.pid)
    room("stop", "web")


def test_a_stranger_is_not_heard(room, talker):
    talker()
    process = launch(room)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as stranger:
        for _ in range(20):
            stranger.sendto(b"READY=1\nSTATUS=strange", str(room.run / "web" / "notify"))
    wait_until(lambda: "the sender is not the service's" in events(room))
    assert room.status()["state"] == "starting" and room.status()["status_text"] is None
    room.say("READY=1")
    assert room.finish(process).code == 0
    room("stop", "web")


def test_any_process_of_the_service_is_heard(room, talker):
    talker()
    start(room)
    room.say("hold", "flood", "STATUS=done")
    wait_until(lambda: room.status()["status_text"] == "done")
    assert events(room).count("FDSTORE") == 1
    room("stop", "web")


def test_systemd_notify_of_a_script_is_heard(room, need):
    tool = need("systemd-notify")
    room.service("web", ["/bin/sh", "-c", f"{tool} --ready --status='from a script'; exec sleep 1000"], "[ready]\nnotify = true\n")
    room("start", "web")
    assert room.status()["status_text"] == "from a script"
    room("stop", "web")
    room.assert_nothing_left()


@pytest.mark.parametrize("who", ["supervisor", "both"])
def test_what_is_said_while_nobody_listens_is_heard_by_the_next(room, talker, who):
    talker()
    process = launch(room)
    keeper, supervisor = room.pair()
    kill(supervisor, signal.SIGSTOP)
    if who == "both":
        kill(keeper, signal.SIGSTOP)
        kill(supervisor)
        kill(keeper)
        room.finish(process)
        process = room.spawn("start", "web")
        wait_until(lambda: room.status()["supervisor_alive"] and room.status()["supervisor_pid"] != supervisor)
        room.say("READY=1")
    else:
        room.say("READY=1")
        wait_until(lambda: "waiting" in room.log_text())
        kill(supervisor)
    assert room.finish(process).code == 0
    status = room.status()
    assert status["state"] == "running" and status["restarts"] == 0
    room("stop", "web")
    room.assert_nothing_left()


def test_a_reexec_keeps_the_socket_and_what_is_in_it(room, talker):
    talker()
    pid = start(room)
    place = room.run / "web" / "notify"
    socket_before = place.stat().st_ino
    for number in range(3):
        replacing = room.spawn("reexec", "web")
        room.say(f"STATUS=said {number}")
        assert room.finish(replacing).code == 0
        wait_until(lambda: room.status()["status_text"] == f"said {number}")
    assert place.stat().st_ino == socket_before, "a program that has connected to it stays connected"
    kill(room.pair()[0])  # and the keeper of that keeper's supervisor has it as well
    room.say("STATUS=again")
    wait_until(lambda: room.status()["status_text"] == "again")
    status = room.status()
    assert status["main_pid"] == pid and status["state"] == "running" and status["restarts"] == 0
    room("stop", "web")
    room.assert_nothing_left()


def test_run_has_it_too(room, talker):
    talker()
    run = room.spawn("run", "web")
    wait_until(lambda: room.run.joinpath("web", "record").exists() and room.status()["main_pid"])
    room.say("READY=1")
    wait_until(lambda: room.status()["state"] == "running")
    run.terminate()
    assert room.finish(run).code == 0
    room.assert_nothing_left()


@pytest.mark.parametrize("keys, says", [({"supervise": False}, "needs a supervisor"), ({"root_directory": "/srv"}, "cannot be reached from below root-directory"), ({"type": "oneshot"}, "has no meaning for a oneshot")])
def test_where_it_cannot_be_it_is_refused(room, talker, keys, says):
    talker(**keys)
    assert says in room("check", "web", code=6).err
