"""The example package whose maintainer scripts call steward: it is as well-behaved as one of debhelper's."""

import os
import shutil

import pytest

from conftest import check
from test_deb import WANTS, asked, enabled_by_unit, install

UNIT = "/usr/local/lib/systemd/system/mydaemon.service"


@pytest.fixture(scope="session")
def debs(place, calling, steward_deb):
    return {"steward": steward_deb, **calling}


@pytest.fixture
def host(root, debs):
    """A root where nothing may start, and steward is installed."""
    root.policy(101)
    install(root, debs["steward"])
    return root


def test_the_service_is_installed_for_the_init_system_that_will_boot_and_a_purge_leaves_nothing(host, debs):
    before = host.files()
    told = install(host, debs["1.0"])
    assert host.file(UNIT).exists() and enabled_by_unit(host, "mydaemon")
    assert "left as it is, no start: policy-rc.d denies it" in told
    host("dpkg", "--purge", "mydaemon")
    assert host.files() == before


def test_policy_is_asked_before_anything_starts_restarts_and_stops(host, debs):
    install(host, debs["1.0"])
    assert asked(host, "mydaemon", "start")
    install(host, debs["2.0"])
    assert asked(host, "mydaemon", "restart")
    assert not asked(host, "mydaemon", "stop")
    host("dpkg", "--remove", "mydaemon")
    assert asked(host, "mydaemon", "stop")


def test_in_a_chroot_without_a_policy_nothing_starts(host, debs):
    host.file("/usr/sbin/policy-rc.d").unlink()
    told = install(host, debs["1.0"])
    assert "no init system runs here" in told
    assert enabled_by_unit(host, "mydaemon")
    assert not host.file("/run/steward/mydaemon").exists()


def test_what_the_administrator_disabled_or_masked_stays_so_over_an_upgrade(host, debs):
    install(host, debs["1.0"])
    host("systemctl", "disable", "mydaemon.service")
    install(host, debs["2.0"])
    assert not enabled_by_unit(host, "mydaemon")
    host("steward", "enable", "mydaemon")
    assert enabled_by_unit(host, "mydaemon")
    host("systemctl", "mask", "mydaemon.service")
    install(host, debs["1.0"])
    assert os.readlink(host.file("/etc/systemd/system/mydaemon.service")) == "/dev/null"


def test_what_the_administrator_edited_stays_over_an_upgrade_and_fails_no_package(host, debs):
    install(host, debs["1.0"])
    unit = host.file(UNIT)
    unit.write_text(unit.read_text() + "# mine\n")
    service = host.file("/etc/steward/mydaemon.toml.d/local.toml")
    service.parent.mkdir(parents=True)
    service.write_text('[service]\ndescription = "Mine"\n')
    told = install(host, debs["2.0"])
    assert "which was edited" in told
    assert unit.read_text().endswith("# mine\n")


def test_an_installation_that_fails_fails_the_package(host, debs):
    unit = host.file(UNIT)
    unit.parent.mkdir(parents=True)
    unit.write_text("somebody else's\n")
    assert "steward did not write it" in install(host, debs["1.0"], code=1)


def test_removed_and_installed_again_it_is_as_new(host, debs):
    install(host, debs["1.0"])
    whole = host.files()
    host("dpkg", "--remove", "mydaemon")
    assert not host.file(UNIT).exists() and not os.path.islink(host.file(f"{WANTS}/mydaemon.service"))
    install(host, debs["1.0"])
    assert host.files() == whole


def test_a_purge_succeeds_after_steward_itself_has_gone(root, debs):
    root.policy(101)
    before = root.files()
    install(root, debs["steward"])
    install(root, debs["1.0"])
    host_log = root.file("/var/log/steward/mydaemon.log")
    host_log.parent.mkdir(parents=True, exist_ok=True)
    host_log.write_text("a line\n")
    root("dpkg", "--remove", "mydaemon")
    root("dpkg", "--purge", "steward")
    root("dpkg", "--purge", "mydaemon")
    assert not host_log.exists()
    assert root.files() == before


def test_its_scripts_are_clean(calling):
    check("lintian", "--allow-root", "--fail-on", "error,warning,info,pedantic", next(calling["1.0"].parent.glob("*_1.0_*.changes")))
