"""The example packages, built by Debian's tools with the steward under test."""

import os
import shutil
import subprocess
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
STEWARD = Path(os.environ.get("STEWARD", TOP / "build" / "steward")).resolve()
VERSIONS = ("1.0", "2.0")


def check(*command, code=0, **options):
    """What a command prints on both streams; its exit code is asserted."""
    finished = subprocess.run([*map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, **options)
    assert finished.returncode == code, f"{command}: exit code {finished.returncode}\n{finished.stdout}"
    return finished.stdout


def build(place, directory):
    """That of a directory below packaging/, by version."""
    packages = {}
    for version in VERSIONS:
        source = place / directory / f"mydaemon-{version}"
        shutil.copytree(TOP / "packaging" / directory, source)
        changelog = source / "debian" / "changelog"
        changelog.write_text(changelog.read_text().replace("(1.0)", f"({version})"))
        # Build-Depends names the package of steward; the test has the binary.
        check("dpkg-buildpackage", "--build=binary", "--no-sign", "--no-check-builddeps", cwd=source, env={**os.environ, "STEWARD": str(STEWARD)})
        packages[version] = source.parent / f"mydaemon_{version}_{check('dpkg', '--print-architecture').strip()}.deb"
    return packages


def steward(place):
    """The steward under test as a package of that name."""
    tree = place / "steward"
    (tree / "usr/bin").mkdir(parents=True)
    shutil.copy(STEWARD, tree / "usr/bin/steward")
    (tree / "DEBIAN").mkdir(mode=0o755)
    control = ["Package: steward", "Version: 0", "Architecture: all", "Maintainer: Nobody <nobody@steward.invalid>", "Description: steward"]
    (tree / "DEBIAN/control").write_text("\n".join(control) + "\n")
    check("dpkg-deb", "--root-owner-group", "--build", tree, place / "steward.deb")
    return place / "steward.deb"
