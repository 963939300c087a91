"""The user scope, without root, where the XDG directories say."""

import os

import pytest

from harness import NOBODY, Room, alive, command_line, wait_until


@pytest.fixture
def at_home(make_room):
    """An unprivileged user's room: XDG directories, no STEWARD_*_DIR."""
    user = NOBODY if os.getuid() == 0 else None
    room = make_room(user=user)
    for name in list(room.env):
        if name.startswith("STEWARD_"):
            del room.env[name]
    places = {"XDG_CONFIG_HOME": ".config", "XDG_STATE_HOME": ".state", "XDG_RUNTIME_DIR": "runtime"}
    for variable, name in places.items():
        path = room.root / name
        path.mkdir(mode=0o700)
        if user is not None:
            os.chown(path, user, user)
        room.env[variable] = str(path)
    room.etc = room.root / ".config" / "steward"
    room.run = room.root / "runtime" / "steward"
    room.log = room.root / ".state" / "steward" / "log"
    room.etc.mkdir()
    if user is not None:
        os.chown(room.etc, user, user)
    return room


@pytest.mark.fallback
def test_the_life_of_a_user_s_service(at_home):
    room = at_home
    room.service("web", ["/bin/sh", "-c", "echo hello; exec sleep 1000"])
    assert [room(verb, "web", code=None).code for verb in ("status", "start", "status")] == [3, 0, 0]
    wait_until(lambda: room.log_text() == "hello\n")
    assert [room(verb, "web", code=None).code for verb in ("stop", "status")] == [0, 3]
    room("start", "web")
    assert room.status()["scope"] == "user"
    wait_until(lambda: room.log_text() == "hello\nhello\n")
    assert room.pid_file().exists() and (room.run / "web").is_dir()
    assert (room.log / "web.log").stat().st_mode & 0o777 == 0o640
    room("stop", "web")
    room.assert_nothing_left()


def test_user_can_be_said(at_home):
    at_home.sleeper()
    at_home("--user", "start", "web")
    at_home("--user", "status", "web", code=0)
    at_home("status", "--user", "web", code=0)
    at_home("--system", "status", "web", code=4)


def test_without_a_runtime_directory_the_state_directory_serves_and_never_tmp(at_home):
    room = at_home
    del room.env["XDG_RUNTIME_DIR"]
    room.sleeper()
    room("start", "web")
    assert room.status()["state"] == "running"
    files = [entry for entry in os.listdir("/tmp") if entry.startswith("steward") and not entry.startswith("steward-")]
    assert files == []
    pid_file = room.status()["pid_file"]
    assert pid_file.startswith((str(room.root), f"/run/user/{NOBODY if os.getuid() == 0 else os.getuid()}/"))
    room("stop", "web")
    room.assert_nothing_left()


@pytest.mark.parametrize("pair_dies", [False, True])
def test_double_forkers_of_a_user_are_ended_with_the_service(at_home, need, pair_dies):
    room = at_home
    room.service("web", ["/bin/sh", "-c", f"({need('setsid')} sh -c 'sleep 1003 & sleep 1004' &); exec sleep 1000"])
    room("start", "web")
    wait_until(lambda: {"sleep 1000", "sleep 1003", "sleep 1004"} <= {command_line(pid) for pid in room.living()}, "the whole family")
    if pair_dies:
        keeper, supervisor = room.pair()
        os.kill(supervisor, 9)
        wait_until(lambda: room.status()["supervisor_pid"] not in (supervisor, None) and room.status()["supervisor_alive"])
    room("stop", "web")
    room.assert_nothing_left()


@pytest.mark.root
def test_a_user_cannot_become_somebody_else(at_home):
    at_home.sleeper(user="daemon")
    finished = at_home("start", "web", code=4)
    assert "daemon" in finished.err
    at_home.assert_nothing_left()


@pytest.mark.root
def test_one_user_cannot_signal_another_s_service(at_home, make_room):
    at_home.sleeper()
    at_home("start", "web")
    pid = at_home.pid()
    stranger: Room = make_room(user=1)
    stranger.env = {**at_home.env}
    for verb in ("stop", "restart"):
        finished = stranger(verb, "web", code=None)
        assert finished.code in (4, 5), finished
    assert alive(pid)


@pytest.mark.root
def test_a_user_s_directories_come_from_xdg(at_home):
    room = at_home
    result = room.work / "result"
    room.service(
        "web",
        ["/bin/sh", "-c", f"env >{result}; exec sleep 1000"],
        "[directories]\nruntime = ['web']\nstate = ['web']\n",
    )
    room("start", "web")
    wait_until(lambda: result.exists() and "STATE_DIRECTORY" in result.read_text())
    environment = dict(line.split("=", 1) for line in result.read_text().splitlines() if "=" in line)
    assert environment["RUNTIME_DIRECTORY"] == room.env["XDG_RUNTIME_DIR"] + "/web"
    assert environment["STATE_DIRECTORY"] == room.env["XDG_STATE_HOME"] + "/web"
    assert os.stat(environment["STATE_DIRECTORY"]).st_uid == NOBODY
