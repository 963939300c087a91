"""[[socket]]: who holds them, who gets them, and that nobody who connects is turned away."""

import fcntl
import json
import os
import pwd
import signal
import socket
import stat
import sys

import pytest

from harness import NOBODY, STEWARD, alive, environment_of, kill, wait_gone, wait_until
from listening import SERVER, Clients, ask, free_port


def sockets(*tables):
    return "".join("[[socket]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items()) for table in tables)


def server(room, *tables, name="web", extra="", **keys):
    program = room.root / "server.py"
    program.write_text(SERVER)
    return room.service(name, [sys.executable, "-S", program], sockets(*tables) + extra, **keys)


def tcp(port, host="127.0.0.1"):
    return f"tcp://{host}:{port}"


def test_a_program_is_given_its_sockets_in_order_and_by_name(room):
    one, two, datagrams = free_port(), free_port(host="::1"), free_port(socket.SOCK_DGRAM)
    path = room.work / "socket"
    server(room, {"name": "http", "listen": tcp(one)}, {"listen": tcp(two, "[::1]")},
           {"name": "files", "listen": f"unix://{path}"}, {"name": "datagrams", "listen": f"udp://127.0.0.1:{datagrams}"})
    room("start", "web")
    pid = room.pid()
    assert environment_of(pid)["LISTEN_FDS"] == "4"
    assert environment_of(pid)["LISTEN_FDNAMES"] == "http:web:files:datagrams"
    assert environment_of(pid)["LISTEN_PID"] == str(pid)
    assert ask(("127.0.0.1", one)) == (pid, "http")
    assert ask(("::1", two)) == (pid, "web")
    assert ask(str(path)) == (pid, "files")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(60)
        client.sendto(b"?", ("127.0.0.1", datagrams))
        assert client.recv(100).decode() == f"{pid} datagrams"
    room("stop", "web")
    assert not path.exists()
    for address in (("127.0.0.1", one), str(path)):
        with pytest.raises((ConnectionRefusedError, FileNotFoundError)):
            ask(address)


@pytest.mark.fallback
def test_nobody_is_turned_away_while_anything_of_it_dies(room):
    port, path = free_port(), room.work / "socket"
    server(room, {"name": "tcp", "listen": tcp(port)}, {"name": "unix", "listen": f"unix://{path}"}, extra='[restart]\ndelay = "20ms"\n')
    room("start", "web")

    def answered_anew(clients):
        seen = clients.count()
        wait_until(lambda: clients.count() > seen + 4, "answers")

    with Clients(("127.0.0.1", port), str(path)) as clients:
        answered_anew(clients)
        for _ in range(3):
            before = room.pid()
            kill(before)
            wait_until(lambda: room.pid_now(unlike=before), "the next run")
            answered_anew(clients)
        for place in (1, 0, 1, 0):
            pair = room.pair()
            kill(pair[place])
            wait_gone(pair[place])
            wait_until(lambda: all(alive(pid) for pid in room.pair()) and room.pair() != pair, "the pair")
            answered_anew(clients)
        # Whatever the next run is given comes from a pair that is another one all through.
        before = room.pid()
        kill(before)
        wait_until(lambda: room.pid_now(unlike=before), "the next run")
        answered_anew(clients)
        for _ in range(3):
            room("restart", "web")
            answered_anew(clients)
        room("reexec", "web")
        kill(room.pid())
        answered_anew(clients)
    assert not clients.faults, clients.faults[:5]
    assert {name for _, name in clients.answers} == {"tcp", "unix"}
    room("stop", "web")
    assert not path.exists()


def test_a_start_takes_over_what_keeper_and_supervisor_left_with_the_program(room):
    port, path = free_port(), room.work / "socket"
    server(room, {"name": "tcp", "listen": tcp(port)}, {"name": "unix", "listen": f"unix://{path}"})
    room("start", "web")
    first = room.pid()
    with Clients(("127.0.0.1", port), str(path)) as clients:
        room.kill_pair()
        room("start", "web")
        assert room.pid() == first
        kill(first)
        wait_until(lambda: room.pid_now(unlike=first), "the next run")
        seen = clients.count()
        wait_until(lambda: clients.count() > seen + 4, "answers")
    assert not clients.faults, clients.faults[:5]
    room("stop", "web")
    assert not path.exists()


@pytest.mark.parametrize("runs", [True, False], ids=["alone", "dead"])
def test_a_stop_without_keeper_and_supervisor_leaves_no_file(room, runs):
    path = room.work / "socket"
    server(room, {"listen": f"unix://{path}"})
    room("start", "web")
    room.kill_pair()
    if not runs:
        program = room.pid()
        kill(program)
        wait_gone(program)
    assert path.exists()
    room("stop", "web")
    assert not path.exists()


def test_connections_wait_while_the_service_backs_off(room):
    port = free_port()
    server(room, {"listen": tcp(port)}, extra='[restart]\ndelay = "2s"\n')
    room("start", "web")
    before = room.pid()
    kill(before)
    wait_gone(before)
    pid, _ = ask(("127.0.0.1", port))
    assert pid == room.pid() != before


def test_a_port_in_use_is_told_with_who_has_it_and_nothing_runs(room):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server(room, {"name": "files", "listen": f"unix://{room.work}/socket"}, {"listen": tcp(port)})
        refused = room("start", "web", code=1)
        assert f"cannot start web: cannot listen on 127.0.0.1:{port}: PID {os.getpid()} (" in refused.err
        assert room.code() == 3
        assert not (room.work / "socket").exists()
        room.assert_nothing_left()
        assert f"PID {os.getpid()} (" in room("run", "web", code=1).err


def test_a_unix_socket_in_use_is_told_and_a_stale_one_replaced(room):
    path = room.work / "socket"
    server(room, {"listen": f"unix://{path}"})
    with socket.socket(socket.AF_UNIX) as taken:
        taken.bind(str(path))
        taken.listen()
        assert f"PID {os.getpid()} (" in room("start", "web", code=1).err
        assert path.exists()
    room("start", "web")
    assert ask(str(path))[0] == room.pid()


def test_what_is_no_socket_stays_where_it_is(room):
    path = room.work / "socket"
    server(room, {"listen": f"unix://{path}"})
    path.write_text("mine")
    assert "something else is there" in room("start", "web", code=1).err
    assert path.read_text() == "mine"
    path.unlink()
    path.symlink_to(room.work / "elsewhere")
    assert "something else is there" in room("start", "web", code=1).err
    assert path.is_symlink() and not (room.work / "elsewhere").exists()


def test_a_socket_that_somebody_else_put_in_its_place_is_left_at_the_stop(room):
    path = room.work / "socket"
    server(room, {"listen": f"unix://{path}"})
    room("start", "web")
    path.unlink()
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        room("stop", "web")
        assert path.exists()


def test_a_missing_directory_is_told(room):
    server(room, {"listen": f"unix://{room.work}/gone/socket"})
    refused = room("start", "web", code=1)
    assert f"cannot listen on '{room.work}/gone/socket': No such file or directory" in refused.err
    room.assert_nothing_left()


def test_the_file_of_a_unix_socket_has_the_mode_and_the_owner_that_it_should(room):
    path = room.work / "socket"
    account = {"user": "nobody"} if os.getuid() == 0 else {}
    server(room, {"listen": f"unix://{path}", "mode": "0620"}, **account)
    room("start", "web")
    found = path.stat()
    assert stat.S_IMODE(found.st_mode) == 0o620
    owner = pwd.getpwnam("nobody") if account else pwd.getpwuid(os.getuid())
    assert (found.st_uid, found.st_gid) == (owner.pw_uid, owner.pw_gid)


@pytest.mark.root
def test_a_port_that_takes_privilege_is_not_permitted_to_others(make_room):
    if int(open("/proc/sys/net/ipv4/ip_unprivileged_port_start").read()) <= 79:
        pytest.skip("here it takes none")
    room = make_room(user=NOBODY)
    server(room, {"listen": tcp(79)})
    assert "CAP_NET_BIND_SERVICE" in room("start", "web", code=4).err


@pytest.mark.parametrize(
    "table, told",
    [
        ('[[socket]]\nlisten = "8080"\n', "is no address to listen on"),
        ('[[socket]]\nlisten = "tcp://example.com:80"\n', "is no address to listen on"),
        ('[[socket]]\nlisten = "unix://socket"\n', "is not an absolute path"),
        ('[[socket]]\nlisten = "tcp://127.0.0.1:0"\n', "is no address to listen on"),
        ('[[socket]]\nlisten = "tcp://127.0.0.1:80"\nname = "a:b"\n', "is no name of a socket"),
        ('[[socket]]\nlisten = "tcp://127.0.0.1:80"\nname = "a\\nb"\n', "is no name of a socket"),
        ('[[socket]]\nname = "http"\n', "[[socket]] listen is missing"),
        ('[[socket]]\nlisten = "tcp://127.0.0.1:80"\nmode = "0600"\n', "[[socket]] mode has no effect but on a Unix socket"),
        ('[[socket]]\nlisten = "tcp://127.0.0.1:80"\n[[socket]]\nlisten = "tcp://127.0.0.1:80"\n', "another socket listens already"),
        ('[socket]\nlisten = "tcp://127.0.0.1:80"\n', "sockets are written [[socket]]"),
        ('[[socket]]\nlisten = "tcp://127.0.0.1:80"\n[ready]\nfd = 3\n', "[ready] fd is where the program finds a socket (try: 4)"),
        ('[[socket]]\nlisten = "tcp://127.0.0.1:80"\n[ready]\ntcp = "127.0.0.1:80"\n', "before the program does"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_runs(room, table, told):
    room.sleeper(extra=table)
    for verb in ("check", "start"):
        assert told in room(verb, "web", code=6).err
    room.assert_nothing_left()


def test_without_a_supervisor_nobody_would_hold_them(room):
    room.sleeper(extra=sockets({"listen": tcp(free_port())}), supervise=False)
    assert "needs a supervisor" in room("start", "web", code=6).err


def test_run_opens_them_and_takes_those_that_it_is_given(room):
    given, opened = free_port(), free_port()
    server(room, {"name": "given", "listen": tcp(given)}, {"name": "opened", "listen": tcp(opened)})
    with socket.create_server(("127.0.0.1", given)) as listener, socket.create_server(("127.0.0.1", 0)) as stranger:
        # As systemd does it: from descriptor 3 on, with the PID of the program that is executed.
        launcher = "import os, sys\nfor i, fd in enumerate(map(int, sys.argv[1:3])): os.dup2(fd, 3 + i)\n" \
            "os.environ |= {'LISTEN_PID': str(os.getpid()), 'LISTEN_FDS': '2', 'LISTEN_FDNAMES': 'given:stranger'}\n" \
            "os.execv(sys.argv[3], sys.argv[3:])\n"
        high = [fcntl.fcntl(fd.fileno(), fcntl.F_DUPFD, 100) for fd in (listener, stranger)]
        run = room.spawn("-c", launcher, *high, STEWARD, "run", "web", program=sys.executable, pass_fds=high)
        for fd in high:
            os.close(fd)
        wait_until(lambda: room.pid_now(), "the program")
        assert ask(("127.0.0.1", given)) == (room.pid(), "given")
        assert ask(("127.0.0.1", opened)) == (room.pid(), "opened")
        kill(room.pid())
        assert ask(("127.0.0.1", given))[1] == "given"
        run.send_signal(signal.SIGTERM)
        ended = room.finish(run)
        assert "sockets that it was given and that are no [[socket]] of its: 1" in ended.err
        # Those that it was given are not its own: they go on listening.
        socket.create_connection(("127.0.0.1", given), timeout=60).close()
        with pytest.raises(ConnectionRefusedError):
            ask(("127.0.0.1", opened))


NGINX = """daemon off;
pid {root}/nginx.pid;
error_log {root}/nginx.error;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {root}/1; proxy_temp_path {root}/2; fastcgi_temp_path {root}/3; uwsgi_temp_path {root}/4; scgi_temp_path {root}/5;
    server {{ listen 127.0.0.1:{port}; return 200 "hello"; }}
}}
"""


def fetch(port):
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        answer = b""
        while part := connection.recv(1000):
            answer += part
    return answer


class Browsers(Clients):
    def connect(self, address):
        while not self.over.is_set():
            try:
                if fetch(address[1]).endswith(b"hello"):
                    self.answers.append(address)
            except ConnectionResetError:
                pass  # it was taken, and its server died
            except OSError as fault:
                self.faults.append(repr(fault))


def test_nginx_is_restarted_under_its_clients(room, need):
    port = free_port()
    conf = room.root / "nginx.conf"
    conf.write_text(NGINX.format(root=room.work, port=port))
    room.service("web", [need("nginx"), "-c", conf], sockets({"listen": tcp(port)}), environment={"NGINX": "3;"})
    room("start", "web")
    with Browsers(("127.0.0.1", port)) as browsers:
        for act in (lambda: room("restart", "web"), lambda: kill(room.pid()), lambda: room("restart", "web")):
            before = room.pid()
            act()
            wait_until(lambda: room.pid_now(unlike=before), "the next run")
            seen = browsers.count()
            wait_until(lambda: browsers.count() > seen + 4, "answers")
    assert not browsers.faults, browsers.faults[:5]


def test_a_program_of_systemd_s_finds_its_socket(room):
    proxy = "/lib/systemd/systemd-socket-proxyd"
    if not os.access(proxy, os.X_OK):
        pytest.skip("systemd is not installed")
    front, back = free_port(), room.work / "back"
    server(room, {"name": "back", "listen": f"unix://{back}"}, name="back")
    room.service("web", [proxy, back], sockets({"listen": tcp(front)}))
    room("start", "back", "web")
    assert ask(("127.0.0.1", front)) == (room.pid("back"), "back")
    room("restart", "web")
    assert ask(("127.0.0.1", front)) == (room.pid("back"), "back")
