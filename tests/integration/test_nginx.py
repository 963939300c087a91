"""A real nginx: a master with workers, reloaded by HUP, stopped by QUIT."""

import os
import urllib.request

import pytest

from harness import children, command_line, kill, wait_gone, wait_until
from test_redis import free_port

CONFIGURATION = """
daemon off;
{user}
worker_processes 2;
pid {root}/nginx.pid;
error_log stderr notice;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {root}/tmp-body; proxy_temp_path {root}/tmp-proxy; fastcgi_temp_path {root}/tmp-fastcgi;
    uwsgi_temp_path {root}/tmp-uwsgi; scgi_temp_path {root}/tmp-scgi;
    server {{ listen 127.0.0.1:{port}; location / {{ default_type text/plain; return 200 "{answer}"; }} }}
}}
"""


@pytest.fixture(params=[True, False], ids=["supervised", "alone"])
def nginx(room, need, request):
    """A service `nginx` in a prefix of its own; returns a function that writes its configuration."""
    server = need("nginx")
    port = free_port()
    place = room.root / "nginx"
    place.mkdir()

    def configure(answer):
        text = CONFIGURATION.format(root=place, port=port, answer=answer, user="user nobody nogroup;" if os.getuid() == 0 else "")
        (place / "nginx.conf").write_text(text)

    configure("one")
    room.service(
        "nginx",
        [server, "-p", place, "-c", place / "nginx.conf", "-e", "stderr"],
        "[stop]\nsignal = 'QUIT'\ntimeout = '100s'\n\n[reload]\nsignal = 'HUP'\n",
        supervise=request.param,
    )
    room.url = f"http://127.0.0.1:{port}/"
    return configure


def answer(room):
    try:
        with urllib.request.urlopen(room.url, timeout=5) as reply:
            return reply.read().decode()
    except OSError:
        return None


def test_nginx_lives_its_whole_life_under_steward(room, nginx):
    room("check", "nginx")
    room("start", "nginx")
    wait_until(lambda: answer(room) == "one", "nginx answers")
    master = room.pid("nginx")
    workers = wait_until(lambda: len(children(master)) == 2 and children(master))
    assert "master process" in command_line(master)
    assert room.status("nginx")["tasks"] >= 3

    nginx("two")
    room("reload", "nginx")
    wait_until(lambda: answer(room) == "two", "the new configuration")
    assert room.pid("nginx") == master
    wait_gone(*workers)

    room("restart", "nginx")
    wait_until(lambda: answer(room) == "two", "nginx answers after its restart")
    assert room.pid("nginx") != master

    assert "kill" not in room("stop", "nginx").both.lower(), "QUIT was not obeyed"
    assert answer(room) is None
    assert "gracefully shutting down" in room.log_text("nginx")
    assert not [line for line in map(command_line, room.living()) if "nginx" in line]
    room.assert_nothing_left()


def test_a_wrong_configuration_is_a_failed_start_with_its_reason(room, nginx):
    path = room.root / "nginx" / "nginx.conf"
    path.write_text(path.read_text().replace("http {", "htp {"))
    with open(room.etc / "nginx.toml", "a") as file:
        file.write("[ready]\ndelay = '100s'\n")  # it ends before that, however slow it is
    finished = room("start", "nginx", code=1)
    assert 'unknown directive "htp"' in finished.err
    room.assert_nothing_left()


def test_the_workers_of_a_killed_master_do_not_hold_the_port_against_its_successor(room, nginx, request):
    if "alone" in request.node.name and os.getuid() != 0:
        pytest.skip("without a cgroup or a keeper nobody can tell whose they are")
    room("start", "nginx")
    wait_until(lambda: answer(room) == "one")
    master = room.pid("nginx")
    kill(master)
    wait_gone(master)
    if not room.status("nginx")["supervised"]:
        room("start", "nginx")
    wait_until(lambda: room.pid_now("nginx", unlike=master) and answer(room) == "one", "the next nginx")
    room("stop", "nginx")
    assert answer(room) is None
    room.assert_nothing_left()
