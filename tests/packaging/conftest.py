"""Packages, built by Debian's tools and installed by dpkg into root file systems of their own. STEWARD is the built binary."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

import example_packages
from example_packages import STEWARD, TOP, check  # noqa: F401 (the tests have them from here)
from patience import watchdog_after

NO_QUESTIONS = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}


watchdog = watchdog_after(1800)


class Root:
    """A Debian of its own, entered by chroot in a PID namespace: what it starts ends with the command."""

    def __init__(self, path):
        self.path = path

    def __call__(self, *command, code=0, **environment):
        return check("unshare", "--pid", "--fork", "--kill-child", "--mount", "--mount-proc=" + str(self.path / "proc"), "chroot", self.path,
                     *command, code=code, env={**NO_QUESTIONS, **environment})

    def file(self, path):
        return self.path / str(path).lstrip("/")

    def policy(self, code):
        self.file("/usr/sbin/policy-rc.d").write_text(f'#!/bin/sh\necho "$@" >>/policy.log\nexit {code}\n')
        self.file("/usr/sbin/policy-rc.d").chmod(0o755)

    def files(self):
        """Every file and link but dpkg's own notes and what only tells that something happened."""
        ignored = ("/var/lib/dpkg", "/var/log", "/var/cache", "/tmp", "/packages", "/policy.log", "/proc", "/run")
        found = {}
        for directory, directories, files in os.walk(self.path):
            for name in [*files, *(name for name in directories if os.path.islink(os.path.join(directory, name)))]:
                path = os.path.join(directory, name)
                inside = path[len(str(self.path)):]
                if not inside.startswith(ignored):
                    found[inside] = os.readlink(path) if os.path.islink(path) else os.stat(path).st_size
        return found


def scratch(prefix):
    path = Path(tempfile.mkdtemp(prefix=prefix, dir="/var/tmp"))
    path.chmod(0o755)
    return path


def remove(path):
    subprocess.run(["rm", "-rf", "--one-file-system", str(path)], check=True)


@pytest.fixture(scope="session")
def place():
    path = scratch("steward-packages.")
    yield path
    remove(path)


@pytest.fixture(scope="session")
def base(place):
    """A bare Debian with what every Debian host has for the services of packages."""
    path = place / "base"
    check("mmdebstrap", "--quiet", "--variant=minbase", "--include=init-system-helpers,systemd,sysv-rc", "bookworm", path)
    return path


@pytest.fixture
def root(base):
    path = scratch("steward-root.")
    check("cp", "-a", "--reflink=auto", f"{base}/.", path)
    try:
        yield Root(path)
    finally:
        remove(path)


@pytest.fixture(scope="session")
def example(place):
    return example_packages.build(place, "example")


@pytest.fixture(scope="session")
def calling(place):
    """The one whose maintainer scripts call steward."""
    return example_packages.build(place, "example-steward")


@pytest.fixture(scope="session")
def steward_deb(place):
    return example_packages.steward(place)


def make_deb(place, version, scripts, files):
    """A package without debhelper, as fpm and nfpm make one: files and scripts. {"/path": (mode, text)}."""
    tree = place / f"plain-{version}"
    for path, (mode, text) in files.items():
        target = tree / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        target.chmod(mode)
    control = tree / "DEBIAN"
    control.mkdir(mode=0o755)
    (control / "control").write_text(f"Package: plain\nVersion: {version}\nArchitecture: all\nMaintainer: Nobody <nobody@steward.invalid>\n"
                                     "Pre-Depends: init-system-helpers (>= 1.54~)\nDescription: a package without debhelper\n")
    (control / "conffiles").write_text("".join(f"{path}\n" for path in files if path.startswith("/etc/")))
    for path in scripts.iterdir():
        shutil.copy(path, control / path.name)
    deb = place / f"plain_{version}.deb"
    check("dpkg-deb", "--root-owner-group", "--build", tree, deb)
    return deb


@pytest.fixture(scope="session")
def plain(place):
    """A package whose scripts are those of `generate --scripts`, in two versions."""
    service = place / "plaind.toml"
    service.write_text('[service]\ndescription = "A daemon"\ncommand = ["/usr/bin/sleep", "1000"]\npid-file = "/run/plaind.pid"\n')
    steward = [STEWARD, "generate", service]
    scripts = place / "scripts"
    check(STEWARD, "generate", "--scripts", "deb", "--destdir", scripts, service)
    files = {"/usr/lib/systemd/system/plaind.service": (0o644, check(*steward, "--init", "systemd", "--without-steward")),
             "/etc/init.d/plaind": (0o755, check(*steward, "--init", "sysv", "--without-steward"))}
    return {version: make_deb(place, version, scripts, files) for version in ("1.0", "2.0")}
