"""Packages on the lab's machines, which run: what dpkg installs starts, what it upgrades starts anew, and what it removes is gone."""

import pytest

from container import Container
from front_ends import FRONT_ENDS
from machine import wait_until

PROGRAM = "/usr/sbin/mydaemon"


@pytest.fixture(scope="module", params=["systemd", "sysv"])
def machine(request):
    machine = Container(request.param)
    try:
        machine.boot()
        yield machine
    finally:
        machine.destroy()


def dpkg_install(machine, deb):
    with open(deb, "rb") as package:
        assert machine.spawn("sh", "-c", "cat >/root/package.deb", stdin=package).wait() == 0
    return machine.run("dpkg", "--install", "/root/package.deb")


def running(machine):
    """The daemon, which there is one of."""
    found = machine.processes(PROGRAM)
    return found[0] if len(found) == 1 else None


def comes(machine):
    return wait_until(lambda: running(machine), "the daemon")


def goes(machine):
    wait_until(lambda: not machine.processes(PROGRAM), "the end of the daemon")


@pytest.mark.parametrize("kind", ["example", "calling"])
def test_a_package_lives_as_any_other(machine, steward_deb, kind, request):
    dpkg_install(machine, steward_deb)
    versions = request.getfixturevalue(kind)
    front = FRONT_ENDS[machine.system][0]
    dpkg_install(machine, versions["1.0"])
    first = comes(machine)
    dpkg_install(machine, versions["2.0"])
    wait_until(lambda: running(machine) and running(machine).pid != first.pid, "the new one")
    machine.reboot()
    comes(machine)
    assert front.says(machine, "mydaemon") == "running"
    machine.run("dpkg", "--remove", "mydaemon")
    goes(machine)
    dpkg_install(machine, versions["1.0"])
    comes(machine)
    machine.run("dpkg", "--purge", "mydaemon")
    goes(machine)
    assert machine.sh("find /etc /usr/lib /usr/local /lib /var/lib/steward -name '*mydaemon*' 2>/dev/null", code=None).out == ""


def test_an_upgrade_leaves_alone_what_the_administrator_stopped(machine, steward_deb, calling):
    """Where the package's scripts call steward; debhelper's would start it."""
    dpkg_install(machine, steward_deb)
    dpkg_install(machine, calling["1.0"])
    comes(machine)
    FRONT_ENDS[machine.system][0](machine, "stop", "mydaemon")
    goes(machine)
    dpkg_install(machine, calling["2.0"])
    assert not machine.processes(PROGRAM)
    machine.run("dpkg", "--purge", "mydaemon")
