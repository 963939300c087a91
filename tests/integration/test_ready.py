"""[ready]: start returns when the service is ready, and fails with the reason when it is not in time."""

import os
import signal
import socket
import sys
import time

import pytest

from harness import kill, wait_until
from test_redis import free_port

# Becomes ready when the file `go` is there: `how` says by what.
PROGRAM = """
import os, signal, socket, sys, time
how, where, go = sys.argv[1:4]
print("waiting for go", flush=True)
while not os.path.exists(go): time.sleep(0.01)
if how == "tcp":
    server = socket.create_server(("127.0.0.1", int(where)))
elif how == "http":
    import http.server
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/health" else 404)
            self.end_headers()
    http.server.HTTPServer(("127.0.0.1", int(where)), Handler).serve_forever()
elif how == "tcp6":
    server = socket.create_server(("::1", int(where)), family=socket.AF_INET6)
elif how in ("unix", "seqpacket", "dgram"):
    kind = {"unix": socket.SOCK_STREAM, "seqpacket": socket.SOCK_SEQPACKET, "dgram": socket.SOCK_DGRAM}[how]
    server = socket.socket(socket.AF_UNIX, kind)
    server.bind(where)
    if how != "dgram": server.listen()
elif how == "file":
    os.makedirs(os.path.dirname(where), exist_ok=True)
    open(where, "w").close()
elif how == "fd":
    os.write(int(where), b"nearly")
    os.write(int(where), b"there\\n")
    if len(sys.argv) > 4: os.close(int(where))
elif how == "dies":
    sys.exit(7)
while True: time.sleep(1000)
"""


@pytest.fixture
def waiter(room):
    """Makes a service `web` that is ready by `how` at `where`, once the file `go` is there; starts it."""
    room.go = room.root / "go"
    script = room.root / "program.py"
    script.write_text(PROGRAM)

    def make(how, where, ready, *more, **keys):
        room.service("web", [sys.executable, script, how, where, room.go, *more], f"[ready]\n{ready}\n", **keys)

    return make


def is_launched(room):
    return room.run.joinpath("web", "record").exists() and room.status()["main_pid"] and "waiting for go" in room.log_text()


def ways(room):
    port = free_port()
    socket_path, file_path = room.root / "socket", room.root / "made" / "later" / "file"
    return {
        "tcp": ("tcp", port, f'tcp = "127.0.0.1:{port}"'),
        "port": ("tcp", port, f'tcp = "{port}"'),
        "tcp6": ("tcp6", port, f'tcp = "localhost:{port}"'),
        "http": ("http", port, f'http = "http://127.0.0.1:{port}/health"'),
        "unix": ("unix", socket_path, f'unix = "{socket_path}"'),
        "seqpacket": ("seqpacket", socket_path, f'unix = "{socket_path}"'),
        "dgram": ("dgram", socket_path, f'unix = "{socket_path}"'),
        "file": ("file", file_path, f'file = "{file_path}"'),
        "command": ("tcp", port, f'command = ["/bin/sh", "-c", "test -e {room.go} && kill -0 $MAINPID"]'),
        "fd": ("fd", 3, "fd = 3"),
        "fd-9": ("fd", 9, "fd = 9"),
    }


@pytest.mark.parametrize("way", ["tcp", "port", "tcp6", "http", "unix", "seqpacket", "dgram", "file", "command", "fd", "fd-9"])
def test_start_returns_when_the_service_is_ready_and_not_before(room, waiter, way, supervise):
    if way.startswith("fd") and not supervise:
        pytest.skip("needs a supervisor")
    waiter(*ways(room)[way], supervise=supervise)
    process = room.spawn("start", "web")
    wait_until(lambda: is_launched(room), "the launch")
    status = room.status()
    assert status["state"] == "starting" and status["ready"] is False and status["main_pid"]
    time.sleep(0.2)
    assert process.poll() is None, "start did not wait"
    room.go.touch()
    finished = room.finish(process)
    assert finished.code == 0, finished
    status = room.status()
    assert status["state"] == "running" and status["ready"] is True and status["ready_since"]
    room("stop", "web")
    room.assert_nothing_left()


@pytest.mark.parametrize("way, says", [("tcp", "Connection refused"), ("http", "Connection refused"), ("unix", "No such file or directory"), ("file", "has not appeared"), ("command", "exit code 1"), ("fd", "no newline has come through descriptor 3")])
def test_a_service_that_is_not_ready_in_time_is_a_failed_start_with_its_reason_and_lines(room, waiter, way, says, supervise):
    if way == "fd" and not supervise:
        pytest.skip("needs a supervisor")
    how, where, ready = ways(room)[way]
    waiter(how, where, ready + "\ntimeout = '3s'", supervise=supervise)
    finished = room("start", "web", code=1)
    assert "not ready after 3 s" in finished.err and says in finished.err and "waiting for go" in finished.err, finished.err
    status = room.status()
    assert status["state"] == "failed" and says in status["reason"]
    room.assert_nothing_left()


def test_a_service_that_ends_before_it_is_ready_is_a_failed_start(room, waiter, supervise):
    waiter("dies", "-", f'tcp = "{free_port()}"', supervise=supervise)
    room.go.touch()
    finished = room("start", "web", code=1)
    assert ("exit code 7" in finished.err or "is not known" in finished.err) and "waiting for go" in finished.err
    room.assert_nothing_left()


def test_a_page_that_is_an_error_is_not_ready(room, waiter, supervise):
    port = free_port()
    waiter("http", port, f'http = "http://localhost:{port}/other"', supervise=supervise)
    room.go.touch()
    process = room.spawn("start", "--timeout", "100s", "web")
    wait_until(lambda: (room.log / "web.log").exists() and room.log_text().count("GET /other") >= 3)
    assert process.poll() is None and room.status()["state"] == "starting"
    kill(room.status()["main_pid"])
    assert room.finish(process).code == 1
    room.assert_nothing_left()


def test_delay_is_waited_out(room, supervise):
    room.sleeper(extra="[ready]\ndelay = '700ms'\n", supervise=supervise)
    began = time.monotonic()
    room("start", "web")
    assert time.monotonic() - began >= 0.7
    room("stop", "web")


def test_no_wait_returns_when_the_program_is_launched(room, waiter):
    waiter(*ways(room)["tcp"])
    room("start", "--no-wait", "web")
    assert room.status()["state"] == "starting"
    room.go.touch()
    wait_until(lambda: room.status()["state"] == "running")
    room("start", "web")
    room("stop", "web")


def test_the_callers_time_out_ends_the_start(room, waiter):
    waiter(*ways(room)["tcp"])
    finished = room("start", "--timeout", "500ms", "web", code=1)
    assert "500 ms" in finished.err
    assert room.status()["state"] == "stopped"
    room.assert_nothing_left()


def test_a_file_of_the_last_run_does_not_make_this_one_ready(room, waiter):
    path = room.root / "file"
    path.touch()
    os.utime(path, (1, 1))
    waiter("file", path, f'file = "{path}"\ntimeout = "500ms"')
    assert "has not appeared" in room("start", "web", code=1).err


@pytest.mark.parametrize("way", ["tcp", "unix", "file", "command", "fd"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_the_next_supervisor_waits_on_for_what_its_predecessor_waited_for(room, waiter, way, when):
    how, where, ready = ways(room)[way]
    waiter(how, where, ready, "close")
    process = room.spawn("start", "web")
    wait_until(lambda: is_launched(room), "the launch")
    pid, supervisor = room.status()["main_pid"], room.pair()[1]
    if when == "before":
        kill(supervisor)
    else:
        kill(supervisor, signal.SIGSTOP)
        room.go.touch()
        time.sleep(0.2)  # it says that it is ready, and nobody listens
        kill(supervisor)
    wait_until(lambda: room.pair()[1] not in (0, None, supervisor))
    if when == "before":
        time.sleep(0.1)
        assert room.status()["state"] == "starting" and process.poll() is None
    room.go.touch()
    assert room.finish(process).code == 0
    status = room.status()
    assert status["state"] == "running" and status["main_pid"] == pid and status["restarts"] == 0
    room("stop", "web")
    room.assert_nothing_left()


def test_keeper_and_supervisor_killed_during_a_start_the_next_start_waits_on(room, waiter):
    waiter(*ways(room)["fd"])
    process = room.spawn("start", "web")
    wait_until(lambda: is_launched(room), "the launch")
    pid = room.status()["main_pid"]
    keeper, supervisor = room.pair()
    kill(keeper, signal.SIGSTOP)
    kill(supervisor)
    kill(keeper)
    room.finish(process)
    again = room.spawn("start", "web")
    wait_until(lambda: room.status()["supervisor_alive"])
    assert again.poll() is None
    room.go.touch()
    assert room.finish(again).code == 0
    assert room.status()["main_pid"] == pid
    room("stop", "web")
    room.assert_nothing_left()


def test_a_restarted_service_that_is_not_ready_in_time_is_restarted_again(room):
    path = room.root / "up"
    room.service("web", ["/bin/sh", "-c", f"[ -e {room.root}/broken ] || touch {path}; sleep 1000"], f"[ready]\nfile = '{path}'\ntimeout = '2s'\n")
    room("start", "web")
    (room.root / "broken").touch()
    path.unlink()
    kill(room.pid())
    wait_until(lambda: room.status()["restarts"] >= 2, "the second restart")
    (room.root / "broken").unlink()
    wait_until(lambda: room.status()["state"] == "running")
    room("stop", "web")


def test_a_descriptor_needs_a_supervisor(room):
    room.sleeper(extra="[ready]\nfd = 3\n", supervise=False)
    assert "needs a supervisor" in room("check", "web", code=6).err


def test_run_tells_whoever_started_it_when_its_services_are_ready(room, waiter):
    waiter(*ways(room)["tcp"])
    room.sleeper("other")
    told = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as listener:
        listener.bind(str(room.root / "notify"))

        def hear():
            try:
                told.extend(listener.recv(4096).decode().splitlines())
            except BlockingIOError:
                pass
            return told

        run = room.spawn("run", "web", "other", env=room.env | {"NOTIFY_SOCKET": str(room.root / "notify")})
        wait_until(lambda: "STATUS=other: running" in hear())
        assert "READY=1" not in told
        room.go.touch()
        wait_until(lambda: "READY=1" in hear())
        run.terminate()
        assert room.finish(run).code == 0
        wait_until(lambda: "STATUS=web: stopped" in hear())
        assert told.count("READY=1") == 1 and told.count("STOPPING=1") == 1
    room.assert_nothing_left()


def test_a_oneshot_under_run_is_ready_when_it_has_ended(room):
    room.service("once", ["/bin/true"], type="oneshot")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind("\0" + str(room.root))  # an abstract name
        room("run", "once", env=room.env | {"NOTIFY_SOCKET": "@" + str(room.root)})
        listener.settimeout(0)
        told = []
        while "finished" not in "".join(told):
            told.append(listener.recv(4096).decode())
    assert told[-1] == "READY=1\nSTATUS=once: finished" and "READY" not in "".join(told[:-1])


def test_an_idle_service_that_is_ready_wakes_nobody(room, waiter):
    waiter(*ways(room)["tcp"])
    room.go.touch()
    room("start", "web")

    def switches():
        lines = open(f"/proc/{room.pair()[1]}/status").read()
        return sum(int(line.split()[1]) for line in lines.splitlines() if "ctxt_switches" in line)

    def is_idle():
        before = switches()
        time.sleep(1.5)
        return switches() == before

    wait_until(is_idle, "a sleeping supervisor")  # what belongs to the start may not be over yet
    room("stop", "web")
