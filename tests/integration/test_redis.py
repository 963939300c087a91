"""A real redis-server, through its whole life."""

import itertools
import os
import random
import signal
import socket

import pytest

from harness import alive, command_line, kill, wait_gone, wait_until


# Below those that the kernel gives to whoever connects to somewhere; another worker begins elsewhere.
PORTS = itertools.cycle(random.Random(os.getpid()).sample(range(15_000, 32_000), 17_000))


def free_port():
    """One that nobody has, and that none of this process's tests has had lately."""
    while True:
        port = next(PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass


@pytest.fixture(params=[True, False], ids=["supervised", "alone"])
def redis(room, need, request):
    """A service `redis`; returns a function that asks it something."""
    server, _ = need("redis-server"), need("redis-cli")
    port = free_port()
    configuration = room.root / "redis.conf"
    users = room.root / "users.acl"
    users.write_text("user default on nopass ~* &* +@all\n")
    configuration.write_text(f'bind 127.0.0.1\nport {port}\nsave ""\ndir {room.work}\naclfile {users}\n')
    user = {"user": "redis"} if os.getuid() == 0 else {}
    room.service(
        "redis",
        [server, configuration],
        f'[reload]\ncommand = ["/usr/bin/redis-cli", "-p", "{port}", "ACL", "LOAD"]\n',
        supervise=request.param,
        **user,
    )
    room.port = port
    room.users = users

    def ask(*words):
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall((" ".join(words) + "\r\n").encode())
            return connection.recv(65536).decode()

    return ask


def answers(ask):
    try:
        return ask("PING") == "+PONG\r\n"
    except OSError:
        return False


def test_redis_lives_its_whole_life_under_steward(room, redis):
    room("check", "redis")
    room("status", "redis", code=3)
    room("start", "redis")
    wait_until(lambda: answers(redis), "PONG")
    pid = room.pid("redis")
    assert f"process_id:{pid}\r" in redis("INFO", "server")
    assert room.status("redis")["main_pid"] == pid

    room.users.write_text("user default on nopass ~* &* +@all\nuser guest on nopass ~* +@read\n")
    room("reload", "redis")
    assert "guest" in redis("ACL", "USERS")
    assert room.pid("redis") == pid

    redis("SET", "key", "value")
    room("restart", "redis")
    wait_until(lambda: answers(redis), "PONG after restart")
    assert room.pid("redis") != pid and not alive(pid)
    assert redis("GET", "key") == "$-1\r\n"

    room("stop", "redis")
    assert not answers(redis)
    assert "bye bye" in room.log_text("redis"), "redis was not asked politely"
    room("status", "redis", code=3)
    assert not [line for line in map(command_line, room.living()) if "redis" in line]
    room.assert_nothing_left()


def test_redis_on_a_port_that_is_taken_is_a_failed_start_with_its_reason(room, redis):
    with open(room.etc / "redis.toml", "a") as file:
        file.write("[ready]\ndelay = '100s'\n")  # it ends before that, however slow it is
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", room.port))
        taken.listen()
        finished = room("start", "redis", code=1)
    assert "exit code 1" in finished.err
    assert "Address already in use" in finished.err
    room.assert_nothing_left()


def test_a_crash_of_redis_is_mended(room, redis):
    room("start", "redis")
    wait_until(lambda: answers(redis))
    pid = room.pid("redis")
    if not room.status("redis")["supervised"]:
        kill(pid)
        wait_until(lambda: room.code("redis") == 1)
        room("start", "redis")
        wait_until(lambda: answers(redis))
        return
    room("signal", "SEGV", "redis")
    wait_until(lambda: room.pid_now("redis", unlike=pid) and answers(redis), "the next redis")
    assert room.status("redis")["restarts"] == 1


def test_redis_survives_the_death_of_steward(room, redis):
    room("start", "redis")
    wait_until(lambda: answers(redis))
    redis("SET", "key", "value")
    stewards = room.stewards()
    for number in (signal.SIGSTOP, signal.SIGKILL):  # or one makes the other anew
        for pid in stewards:
            kill(pid, number)
    wait_gone(*stewards)
    wait_until(lambda: answers(redis))
    room("start", "redis")
    assert redis("GET", "key") == "$5\r\nvalue\r\n"
    room("stop", "redis")
    assert not answers(redis)
    room.assert_nothing_left()
