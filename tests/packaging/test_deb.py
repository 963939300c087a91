"""What dpkg does with packages that steward had a hand in: the same as with debhelper's own, and nothing is left of a purged one."""

import os
import shutil

import pytest

from conftest import STEWARD, TOP, check

WANTS = "/etc/systemd/system/multi-user.target.wants"


def links(root, name):
    return sorted(path.name for path in root.file("/etc").glob(f"rc?.d/*{name}"))


def enabled_by_unit(root, name):
    return os.path.islink(root.file(f"{WANTS}/{name}.service"))


def asked(root, service, action):
    """Whether policy-rc.d was asked; an action stands in parentheses where the runlevel is not known."""
    return any(line.startswith(f"{service} ") and action in line for line in root.file("/policy.log").read_text().splitlines())


def install(root, deb, **environment):
    (root.file("/packages")).mkdir(exist_ok=True)
    shutil.copy(deb, root.file("/packages"))
    return root("dpkg", "--install", f"/packages/{deb.name}", **environment)


@pytest.fixture(params=["debhelper", "generated"])
def package(request):
    """A package's name, its service, and its debs by version: scripts of debhelper, and of `generate --scripts deb`."""
    if request.param == "debhelper":
        return "mydaemon", "mydaemon", request.getfixturevalue("example")
    return "plain", "plaind", request.getfixturevalue("plain")


def test_an_installed_service_is_enabled_for_every_init_system_and_a_purged_one_leaves_nothing(root, package):
    name, service, debs = package
    root.policy(101)
    before = root.files()
    install(root, debs["1.0"])
    assert enabled_by_unit(root, service)
    assert links(root, service)[-1].startswith("S")
    assert len(links(root, service)) == 7
    root("dpkg", "--purge", name)
    assert root.files() == before


def test_policy_is_asked_before_anything_starts(root, package):
    name, service, debs = package
    root.policy(101)
    install(root, debs["1.0"])
    assert asked(root, service, "start")
    root("dpkg", "--remove", name)
    assert asked(root, service, "stop")


def test_a_chroot_without_an_init_system_is_given_the_files_and_nothing_starts(root, package):
    name, service, debs = package
    shutil.copy(debs["1.0"], root.file("/deb"))
    told = root("sh", "-c", f"dpkg --install /deb && ! /etc/init.d/{service} status && echo installed")
    assert told.endswith("installed\n")
    assert links(root, service)


def test_where_the_policy_allows_it_the_script_starts_and_removal_stops(root, package):
    name, service, debs = package
    root.policy(104)
    shutil.copy(debs["1.0"], root.file("/deb"))
    # No init system runs in a chroot; the script needs none.
    told = root("sh", "-ec", f"""
        dpkg --install /deb
        /etc/init.d/{service} status
        pid=$(cat /run/{service}.pid)
        kill -0 "$pid" && echo runs
        dpkg --remove {name}
        kill -0 "$pid" 2>/dev/null || echo gone""")
    assert "runs\n" in told and told.endswith("gone\n")


def test_what_the_administrator_disabled_stays_disabled_over_an_upgrade(root, package):
    name, service, debs = package
    root.policy(101)
    install(root, debs["1.0"])
    root("systemctl", "disable", f"{service}.service")
    root("update-rc.d", service, "disable")
    assert not enabled_by_unit(root, service)
    disabled = links(root, service)
    assert all(link.startswith("K") for link in disabled)
    install(root, debs["2.0"])
    assert not enabled_by_unit(root, service)
    assert links(root, service) == disabled


def test_what_the_administrator_masked_stays_masked_over_an_upgrade(root, package):
    name, service, debs = package
    root.policy(101)
    install(root, debs["1.0"])
    root("systemctl", "mask", f"{service}.service")
    install(root, debs["2.0"])
    assert os.readlink(root.file(f"/etc/systemd/system/{service}.service")) == "/dev/null"


def test_removed_and_installed_again_it_is_as_new(root, package):
    name, service, debs = package
    root.policy(101)
    install(root, debs["1.0"])
    whole = root.files()
    root("dpkg", "--remove", name)
    assert not os.access(root.file(f"/etc/init.d/{service}"), os.X_OK)
    install(root, debs["1.0"])
    assert root.files() == whole
    assert os.access(root.file(f"/etc/init.d/{service}"), os.X_OK)
    assert enabled_by_unit(root, service)


def test_an_upgrade_restarts(root, package):
    name, service, debs = package
    root.policy(101)
    install(root, debs["1.0"])
    root.file("/policy.log").unlink()
    install(root, debs["2.0"])
    assert asked(root, service, "restart")
    assert not asked(root, service, "stop")


def test_lintian_finds_nothing_in_the_example(example):
    check("lintian", "--allow-root", "--fail-on", "error,warning,info,pedantic", example["1.0"].with_suffix("").parent.glob("*_1.0_*.changes").__next__())


def test_scripts_for_several_services_hold_them_all(place):
    for name in ("a", "b"):
        (place / f"{name}.toml").write_text('[service]\ncommand = ["/usr/bin/true"]\n')
    for form in ("deb", "rpm"):
        directory = place / f"several-{form}"
        check(STEWARD, "generate", "--scripts", form, "--destdir", directory, place / "a.toml", place / "b.toml")
        for script in directory.iterdir():
            assert "services='a b'" in script.read_text()
            check("shellcheck", script)
            check("checkbashisms", script)


def test_every_library_of_the_build_is_a_build_dependency_of_the_package():
    listed = check("bash", "-c", "sed -n \"/\\[build\\]=/,/'$/p\" scripts/install-build-deps", cwd=TOP)
    wanted = {word.strip("'") for word in listed.split("=", 1)[1].split()} - {"g++"}
    control = (TOP / "packaging" / "debian" / "control").read_text()
    declared = {line.strip().split()[0].rstrip(",") for line in control.split("Build-Depends:")[1].split("Standards-Version")[0].splitlines()}
    assert {"pkgconf" if name == "pkg-config" else name for name in wanted} <= declared
