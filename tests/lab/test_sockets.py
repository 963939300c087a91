"""[[socket]] on a booted systemd: its socket unit comes and goes with the service, and nobody is turned away while that is restarted."""

import pytest

from machine import wait_until
from test_generated import REDIS
from test_install import put

only_systemd = pytest.mark.systems("systemd")

# A program that takes its sockets from whoever starts it, and a server behind it.
PROXY = """[service]
description = "A way to the server"
command = ["/lib/systemd/systemd-socket-proxyd", "127.0.0.1:7379"]
{more}
[[socket]]
listen = "tcp://127.0.0.1:{port}"

[[socket]]
listen = "unix:///run/proxy.socket"
mode = "0600"
"""
HOOK = '[hooks]\npre-start = ["/bin/true"]\n'


def proxy(machine, port=7500, more=""):
    put(machine, "/etc/steward/proxy.toml", PROXY.format(port=port, more=more))


def answers(machine, *where):
    return machine.run("redis-cli", *where, "ping", code=None).out.strip() == "PONG"


def pid(machine):
    return machine.run("systemctl", "show", "--value", "-p", "MainPID", "proxy").out.strip()


class Clients:
    """Within the machine: connect again and again, and write down who is turned away."""

    def __init__(self, machine, *where):
        self.machine, self.where = machine, " ".join(where)

    def __enter__(self):
        loop = f"rm -f /run/enough /run/told; while [ ! -e /run/enough ]; do redis-cli {self.where} ping >>/run/told 2>&1; done"
        self.process = self.machine.spawn("sh", "-c", loop)
        self.some()
        return self

    def told(self):
        return self.machine.run("cat", "/run/told", code=None).out.splitlines()

    def refused(self):
        return [line for line in self.told() if "efused" in line]

    def some(self):
        seen = len(self.told())
        wait_until(lambda: len(self.told()) > seen + 5, "answers")

    def __exit__(self, *_):
        self.machine.run("touch", "/run/enough")
        self.process.communicate()


@only_systemd
def test_a_socket_unit_is_installed_with_the_service(machine):
    machine.run("mkdir", "-p", "/etc/steward")
    machine.run("systemctl", "mask", "--now", "redis-server")
    put(machine, "/etc/steward/real.toml", REDIS)
    machine.run("steward", "install", "--now", "real")
    proxy(machine)
    told = machine.run("steward", "install", "--now", "proxy")
    assert "proxy.socket\n" in told.out and "proxy.service\n" in told.out
    wait_until(lambda: answers(machine, "-p", "7500"), "an answer")
    assert answers(machine, "-s", "/run/proxy.socket")
    assert machine.run("stat", "-c", "%a", "/run/proxy.socket").out == "600\n"
    assert machine.run("systemctl", "is-active", "proxy.socket", "proxy.service").out == "active\nactive\n"


@only_systemd
@pytest.mark.parametrize("form", ["native", "wrapped"])
def test_nobody_is_turned_away_while_it_restarts(machine, form):
    if form == "wrapped":
        proxy(machine, more=HOOK)
        machine.run("steward", "restart", "proxy")
        assert "steward run" in machine.run("systemctl", "show", "-p", "ExecStart", "proxy").out
    with Clients(machine, "-p", "7500") as clients:
        for command in (["systemctl", "restart", "proxy"], ["steward", "restart", "proxy"]):
            before = pid(machine)
            machine.run(*command)
            assert pid(machine) != before
            clients.some()
            assert not clients.refused(), command
        machine.run("systemctl", "kill", "-s", "KILL", "--kill-who=main", "proxy")
        clients.some()
    assert not clients.refused()


@only_systemd
def test_a_stop_closes_the_sockets_and_a_start_opens_them(machine):
    machine.run("steward", "stop", "proxy")
    assert machine.run("systemctl", "is-active", "proxy.socket", "proxy.service", code=None).out == "inactive\ninactive\n"
    assert not answers(machine, "-p", "7500")
    machine.run("test", "-e", "/run/proxy.socket", code=1)
    machine.run("systemctl", "start", "proxy")
    wait_until(lambda: answers(machine, "-p", "7500"), "an answer")


@only_systemd
@pytest.mark.parametrize("verb, port", [("restart", 7501), ("apply", 7502)])
def test_a_socket_that_the_file_has_elsewhere_is_opened_there(machine, verb, port):
    proxy(machine, port=port)
    machine.run("steward", verb, "proxy")
    wait_until(lambda: answers(machine, "-p", str(port)), "an answer at the new address")
    assert not answers(machine, "-p", str(port - 1))


@only_systemd
def test_after_a_boot_both_are_there_and_after_an_uninstall_neither(machine):
    machine.reboot()
    wait_until(lambda: answers(machine, "-p", "7502"), "an answer")
    machine.run("steward", "uninstall", "proxy")
    assert not answers(machine, "-p", "7502")
    assert machine.sh("ls /etc/systemd/system /usr/local/lib/systemd/system 2>/dev/null | grep proxy", code=1).out == ""
    assert machine.run("systemctl", "show", "--value", "-p", "LoadState", "proxy.socket").out == "not-found\n"
