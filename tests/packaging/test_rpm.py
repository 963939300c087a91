"""The scriptlets of `generate --scripts rpm`, run by rpm in a scratch root."""

import os
import shutil

import pytest

from conftest import STEWARD, TOP, check

UNIT = "/usr/lib/systemd/system/mydaemon.service"
LINK = "/etc/systemd/system/multi-user.target.wants/mydaemon.service"


@pytest.fixture(scope="session")
def rpms(place):
    """The example package in two versions, built by Debian's rpm."""
    packages = {}
    for version in ("1.0", "2.0"):
        source = place / f"rpm-{version}"
        shutil.copytree(TOP / "packaging" / "example", source)
        spec = source / "mydaemon.spec"
        spec.write_text(spec.read_text().replace("Version: 1.0", f"Version: {version}"))
        check("rpmbuild", "-bb", "--build-in-place", f"--define=steward {STEWARD}", f"--define=_topdir {source}/out", f"--define=_unitdir {UNIT.rsplit('/', 1)[0]}", spec,
              cwd=source)
        packages[version], = (source / "out" / "RPMS").rglob("*.rpm")
    return packages


@pytest.fixture
def rpm(root):
    """rpm for a root without rpm: scriptlets run inside, nobody there provides libc by that name."""
    return lambda *words: check("rpm", "--root", root.path, "--nodeps", *words, env={**os.environ, "LC_ALL": "C.UTF-8"})


def enabled(root):
    return os.path.islink(root.file(LINK))


def test_presets_decide_at_installation_and_removal_leaves_nothing(root, rpms, rpm):
    before = set(root.files())
    rpm("--install", rpms["1.0"])
    assert root.file(UNIT).exists()
    assert enabled(root)
    rpm("--erase", "mydaemon")
    assert not os.path.lexists(root.file(LINK))
    assert {path for path in set(root.files()) - before if "rpmdb" not in path} == set()


def test_a_preset_that_disables_is_obeyed(root, rpms, rpm):
    root.file("/etc/systemd/system-preset").mkdir()
    root.file("/etc/systemd/system-preset/00-none.preset").write_text("disable mydaemon.service\n")
    rpm("--install", rpms["1.0"])
    assert not enabled(root)


def test_an_upgrade_keeps_what_the_administrator_disabled(root, rpms, rpm):
    rpm("--install", rpms["1.0"])
    root("systemctl", "disable", "mydaemon.service")
    rpm("--upgrade", rpms["2.0"])
    assert root.file(UNIT).exists()
    assert not enabled(root)
