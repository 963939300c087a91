"""Root file systems with a real init system each, from Debian's packages: made once and kept in a cache."""

import fcntl
import hashlib
import inspect
import os
import re
import shutil
import subprocess
from pathlib import Path

import disk_images

SUITE = "bookworm"
# procps: units and scripts call kill and pidof, as on any Debian that is more than minimal.
COMMON = ["procps", "redis-server"]
PACKAGES = {
    "systemd": ["systemd", "systemd-sysv", "dbus", "libpam-systemd"],
    "sysv": ["sysvinit-core", "sysv-rc"],
    "openrc": ["sysvinit-core", "openrc"],
    "runit": ["runit-init", "sysv-rc"],
    # A whole machine, with a kernel of its own. Python: what acts in it for the tests, and these tests themselves.
    "vm": ["systemd", "systemd-sysv", "dbus", "libpam-systemd", "udev", "linux-image-cloud-amd64", "busybox-static", "cpio", "python3-pytest"],
}
# The init system that is in each, by steward's name for it.
INIT = {system: system for system in PACKAGES} | {"vm": "systemd"}
MACHINE_ID = "5e1fd0c0ffee4b1d8a7e0123456789ab"
BOOTED = "/run/lab-booted"  # made when the default runlevel has been reached


def cache():
    """Where root file systems are kept: $STEWARD_LAB_CACHE, or below $XDG_CACHE_HOME."""
    given = os.environ.get("STEWARD_LAB_CACHE")
    return Path(given or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "steward-lab")


def base(system):
    """The root file system of an init system, made now if the cache has none of these packages; and what keeps it there while it is open."""
    packages = sorted(COMMON + PACKAGES[system])
    recipe = [SUITE, *packages, MACHINE_ID, BOOTED, inspect.getsource(make)]
    if system == "vm":
        recipe.append(inspect.getsource(disk_images))
    key = hashlib.sha256("\n".join(recipe).encode()).hexdigest()[:12]
    place = cache()
    place.mkdir(parents=True, exist_ok=True)
    root = place / f"{system}-{key}"
    lock = (place / f"{root.name}.lock").open("w")
    if not root.exists():
        fcntl.flock(lock, fcntl.LOCK_EX)
        forget_others(root)
        if not root.exists():
            made = place / f"{root.name}.new"
            make(system, packages, made)
            if system == "vm":
                disk_images.make(made)
            made.rename(root)
    fcntl.flock(lock, fcntl.LOCK_SH)
    return root, lock


def forget_others(root):
    """Earlier roots of the same init system that nobody uses; what a builder that was killed left, too."""
    system = root.name.rpartition("-")[0]
    for old in root.parent.glob(f"{system}-*.lock"):
        with old.open("w") as lock:
            if old.stem != root.name and not locked(lock):
                continue
            for directory in (old.with_suffix(".new"), *([] if old.stem == root.name else [old.with_suffix("")])):
                if directory.exists():
                    shutil.rmtree(directory)


def locked(lock):
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except BlockingIOError:
        return False


def make(system, packages, root):
    command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(packages)}", SUITE, str(root)]
    made = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert made.returncode == 0, f"{' '.join(command)}\n{made.stdout}{made.stderr}"
    # A machine that was never booted would enable everything first.
    (root / "etc/machine-id").write_text(MACHINE_ID + "\n")
    (root / "etc/hostname").write_text("lab\n")
    (root / "etc/hosts").write_text("127.0.0.1 localhost lab\n")
    # The program is wanted, not Debian's own service of it.
    for pattern in ("etc/init.d/*redis*", "etc/rc?.d/*redis*", "etc/runlevels/*/*redis*", "etc/systemd/system/**/*redis*", "usr/lib/systemd/system/*redis*"):
        for path in list(root.glob(pattern)):
            path.unlink()
    inittab = root / "etc/inittab"
    if inittab.exists():
        # No terminal is there. What is waited for comes in the order of the lines.
        kept = [line for line in inittab.read_text().splitlines() if not re.search("getty", line)]
        inittab.write_text("\n".join([*kept, f"lb:2345:wait:/bin/touch {BOOTED}"]) + "\n")
    for run in (root / "etc/sv").glob("getty-*"):
        (root / "etc/runit/runsvdir/default" / run.name).unlink(missing_ok=True)

