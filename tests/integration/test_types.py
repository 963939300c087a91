"""Programs that become daemons by themselves (type = forking), and those that do something and end (type = oneshot)."""

import os
import signal
import socket
import sys
import time

import pytest

from harness import alive, children, kill, wait_gone, wait_until
from test_nginx import CONFIGURATION, answer
from test_redis import free_port

# Forks and ends; the child waits for the file `go`, writes its PID and stays.
FORKER = """
import os, sys, time
pid_file, go, how = sys.argv[1:4]
if os.fork(): os._exit(0)
os.setsid()
if how == "child-dies": os._exit(5)
def dead():
    child = os.fork()
    if not child: os._exit(0)
    os.waitpid(child, 0)
    return child
while not os.path.exists(go): time.sleep(0.01)
pid = dead() if how == "names-dead" else int(how) if how.isdigit() else os.getpid()
open(pid_file + ".new", "w").write(f"{pid}\\n")
if how == "writable": os.chmod(pid_file + ".new", 0o666)
os.rename(pid_file + ".new", pid_file)
while True: time.sleep(1000)
"""


@pytest.fixture
def forker(room):
    """Makes a service `web` that forks; its PID file is not written before the file `go` is there."""
    room.go = room.root / "go"

    def make(how="well", extra="", **keys):
        script = room.root / "forker.py"
        script.write_text(FORKER)
        command = [sys.executable, script, room.root / "web.pid", room.go, how]
        room.service("web", command, extra, type="forking", pid_file=room.root / "web.pid", **keys)

    room.pid_file = lambda name="web": room.root / f"{name}.pid"
    return make


def test_nginx_in_its_daemon_mode_lives_its_whole_life(room, need, supervise):
    server, port = need("nginx"), free_port()
    place = room.root / "nginx"
    place.mkdir()
    text = CONFIGURATION.format(root=place, port=port, answer="one", user="user nobody nogroup;" if os.getuid() == 0 else "")
    (place / "nginx.conf").write_text(text.replace("daemon off;", "").replace("error_log stderr notice;", f"error_log {place}/error.log notice;"))
    room.service(
        "nginx",
        [server, "-p", place, "-c", place / "nginx.conf", "-e", place / "error.log"],
        "[stop]\nsignal = 'QUIT'\n[reload]\nsignal = 'HUP'\n",
        type="forking",
        pid_file=place / "nginx.pid",
        supervise=supervise,
    )
    room.url = f"http://127.0.0.1:{port}/"
    room("check", "nginx")
    room("start", "nginx")
    assert answer(room) == "one", "start returned before nginx served"
    master = int((place / "nginx.pid").read_text())
    assert room.status("nginx")["main_pid"] == master
    wait_until(lambda: len(children(master)) == 2)
    room("reload", "nginx")
    room("restart", "nginx")
    assert answer(room) == "one"
    second = room.status("nginx")["main_pid"]
    assert second != master and not alive(master)
    if supervise:
        kill(second)
        wait_until(lambda: room.status("nginx")["main_pid"] not in (0, None, second) and answer(room) == "one", "the next nginx")
        assert room.status("nginx")["restarts"] == 1
    room("stop", "nginx")
    assert answer(room) is None
    room("status", "nginx", code=3)
    room.assert_nothing_left()


def test_redis_that_daemonizes_lives_its_whole_life(room, need, supervise):
    server, port = need("redis-server"), free_port()
    user = {"user": "redis"} if os.getuid() == 0 else {}
    place = room.root / "redis"
    place.mkdir()
    if user:
        os.chown(place, *[__import__("pwd").getpwnam("redis")[i] for i in (2, 3)])
    configuration = room.root / "redis.conf"
    configuration.write_text(f'bind 127.0.0.1\nport {port}\nsave ""\ndir {place}\npidfile {place}/redis.pid\nlogfile {place}/log\n')
    room.service("redis", [server, configuration, "--daemonize", "yes"], type="forking", pid_file=place / "redis.pid", supervise=supervise, **user)

    def ping():
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(100) == b"+PONG\r\n"
        except OSError:
            return False

    room("start", "redis")
    pid = room.status("redis")["main_pid"]
    assert pid == int((place / "redis.pid").read_text())
    wait_until(ping, "PONG")
    kill(pid)
    if supervise:
        wait_until(lambda: room.status("redis")["main_pid"] not in (0, None, pid) and ping(), "the next redis")
        assert room.status("redis")["last_exit"]["signal"] == 9
    else:
        wait_until(lambda: room.code("redis") == 1)
        room("start", "redis")
        wait_until(ping, "PONG again")
    room("stop", "redis")
    assert not ping()
    room("status", "redis", code=3)
    room.assert_nothing_left()


def test_a_pid_file_that_comes_late_is_waited_for(room, forker, supervise):
    forker(supervise=supervise)
    process = room.spawn("start", "web")
    wait_until(lambda: room.status()["state"] == "starting" and len(room.living()) >= 2)
    time.sleep(0.2)
    assert process.poll() is None
    room.go.touch()
    assert room.finish(process).code == 0
    assert room.status()["main_pid"] == room.pid()
    room("stop", "web")
    room.assert_nothing_left()


@pytest.mark.parametrize("how, says", [("bystander", "which is not the service's"), ("1", "holds '1'"), ("names-dead", "which does not run"), ("writable", "can be written by other users"), ("child-dies", "nothing of it is left")])
def test_a_pid_file_that_names_no_process_of_the_service_is_a_failed_start(room, forker, supervise, bystander, how, says):
    how = str(bystander.pid) if how == "bystander" else how
    forker(how, "[ready]\ntimeout = '3s'\n", supervise=supervise)
    room.go.touch()
    finished = room("start", "web", code=1)
    assert says in finished.err, finished.err
    room.assert_nothing_left()


def test_a_stale_pid_file_is_not_taken_for_the_new_one(room, forker, bystander, supervise):
    forker(supervise=supervise)
    room.pid_file().write_text(f"{bystander.pid}\n")
    process = room.spawn("start", "web")
    wait_until(lambda: not room.pid_file().exists() or process.poll() is not None)
    room.go.touch()
    assert room.finish(process).code == 0
    assert room.status()["main_pid"] not in (0, bystander.pid)
    room("stop", "web")


def test_a_launched_process_that_fails_is_a_failed_start(room, supervise):
    room.service("web", ["/bin/sh", "-c", "echo broken; exit 3"], type="forking", pid_file=room.root / "web.pid", supervise=supervise)
    finished = room("start", "web", code=1)
    assert "exit code 3" in finished.err and "broken" in finished.err
    room.assert_nothing_left()


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_supervisor_killed_while_a_pid_file_is_awaited_is_replaced_by_one_that_waits_on(room, forker, when):
    forker()
    process = room.spawn("start", "web")
    wait_until(lambda: room.run.joinpath("web", "record").exists() and room.status()["state"] == "starting" and room.status()["supervisor_pid"])
    supervisor = room.pair()[1]
    if when == "after":
        room.go.touch()
    kill(supervisor)
    wait_until(lambda: room.pair()[1] not in (0, None, supervisor))
    room.go.touch()
    assert room.finish(process).code == 0
    status = room.status()
    assert status["state"] == "running" and status["main_pid"] == room.pid() and status["restarts"] == 0
    kill(room.pid(), signal.SIGKILL)
    wait_until(lambda: room.status()["restarts"] == 1 and room.status()["state"] == "running")
    room("stop", "web")
    room.assert_nothing_left()


def test_stop_overtakes_a_start_that_awaits_its_pid_file(room, forker):
    forker()
    process = room.spawn("start", "web")
    wait_until(lambda: room.run.joinpath("web", "record").exists() and room.status()["state"] == "starting" and room.status()["supervisor_pid"])
    room("stop", "web")
    assert room.finish(process).code == 1
    room.assert_nothing_left()


def test_forking_without_a_pid_file_is_refused(room):
    room.sleeper(type="forking")
    assert "needs [service] pid-file" in room("check", "web", code=6).err


# --- oneshot -----------------------------------------------------------------------------------------------------------------------


def test_a_oneshot_is_started_when_it_has_ended(room, supervise):
    room.service("once", ["/bin/sh", "-c", f"sleep 0.3; touch {room.root}/done"], type="oneshot", supervise=supervise)
    room("start", "once")
    assert (room.root / "done").exists()
    status = room.status("once")
    assert status["state"] == "finished" and status["last_exit"]["code"] == 0 and status["main_pid"] is None
    room("status", "once", code=3)
    room.assert_nothing_left()
    room("start", "once")  # again


def test_a_oneshot_that_fails_is_a_failed_start(room, supervise):
    room.service("once", ["/bin/sh", "-c", "echo no luck; exit 4"], type="oneshot", supervise=supervise)
    finished = room("start", "once", code=1)
    assert "exit code 4" in finished.err and "no luck" in finished.err
    assert room.status("once")["state"] == "failed"
    room.assert_nothing_left()


def test_a_oneshot_may_be_given_a_time(room, supervise):
    room.service("once", ["/bin/sleep", "1000"], "[ready]\ntimeout = '300ms'\n", type="oneshot", supervise=supervise)
    finished = room("start", "once", code=1)
    assert "300 ms" in finished.err
    room.assert_nothing_left()


def test_what_a_oneshot_leaves_is_ended(room, helper):
    room.service("once", [helper("double_fork"), "--exit", room.work / "pid"], type="oneshot")
    room("start", "once")
    wait_gone(int((room.work / "pid").read_text()))
    room.assert_nothing_left()


def test_a_oneshot_goes_on_under_the_next_supervisor(room):
    room.service("once", ["/bin/sh", "-c", f"while [ ! -e {room.root}/go ]; do sleep 0.05; done; exit 0"], type="oneshot")
    process = room.spawn("start", "once")
    wait_until(lambda: room.run.joinpath("once", "record").exists() and room.status("once")["main_pid"] and room.status("once")["supervisor_pid"])
    supervisor = room.pair("once")[1]
    kill(supervisor)
    wait_until(lambda: room.pair("once")[1] not in (0, None, supervisor))
    (room.root / "go").touch()
    assert room.finish(process).code == 0
    status = room.status("once")
    assert status["state"] == "finished" and status["last_exit"]["code"] == 0
    room.assert_nothing_left()


@pytest.mark.parametrize("extra, says", [("[restart]\npolicy = 'always'\n", "again and again"), ("[ready]\ntcp = '80'\n", "has no meaning for a oneshot"), ("[reload]\nsignal = 'HUP'\n", "has no meaning for a oneshot")])
def test_what_makes_no_sense_for_a_oneshot_is_refused(room, extra, says):
    room.service("once", ["/bin/true"], extra, type="oneshot")
    assert says in room("check", "once", code=6).err
