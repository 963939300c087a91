"""Fixtures: a room for each test, the machine's own directories watched, sanitizer reports turned into failures."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from harness import HELPERS, SANITIZER_REPORTS, STEWARD, Orphans, Room
from patience import watchdog_after

MACHINE = ["/run/steward", "/etc/steward", "/var/log/steward", "/var/lib/steward", "/usr/lib/steward", "/usr/local/lib/steward"]


def pytest_configure(config):
    config.addinivalue_line("markers", "root: needs root")
    config.addinivalue_line("markers", "fallback: runs again with modern system calls denied")
    if not os.access(STEWARD, os.X_OK):
        raise pytest.UsageError(f"no steward at {STEWARD} (try: ninja -C build, or set STEWARD)")


def pytest_addoption(parser):
    parser.addoption("--share", default="1/1", metavar="K/N", help="run only the K-th of N shares of the tests")


def pytest_collection_modifyitems(config, items):
    share, shares = map(int, config.getoption("--share").split("/"))
    items[:] = items[share - 1 :: shares]
    for item in items:
        if item.get_closest_marker("root") and os.getuid() != 0:
            item.add_marker(pytest.mark.skip(reason="needs root"))


@pytest.fixture(scope="session")
def orphans():
    return Orphans()


def listing():
    """What the machine's own places of steward hold, as names and times."""
    return {str(path): path.lstat().st_mtime_ns for place in MACHINE for path in [Path(place), *Path(place).rglob("*")] if path.exists()}


@pytest.fixture(scope="session", autouse=True)
def machine_is_left_alone():
    before = listing()
    yield
    assert listing() == before, "a test wrote into the machine's own directories"


watchdog = watchdog_after(240)


def take_reports():
    """What sanitizers have written since the last look."""
    texts = []
    for report in Path(SANITIZER_REPORTS).iterdir() if SANITIZER_REPORTS else []:
        # The other worker's reports fail that worker's test or this one: a report is never lost, at worst told beside the wrong test.
        try:
            text = report.read_text(errors="replace")
            if not text:
                continue  # it is about to be written
            report.unlink()
        except FileNotFoundError:
            continue
        texts.append(text)
    return texts


@pytest.fixture
def make_room(orphans):
    """Makes rooms; at the test's end nothing that was started in them may be left."""
    rooms = []

    def make(**options):
        rooms.append(Room(orphans, **options))
        return rooms[-1]

    yield make
    for room in rooms:
        room.leave()
    reports = take_reports()
    assert not reports, "\n".join(reports)


@pytest.fixture
def room(make_room, request):
    return make_room(prefix=getattr(request, "param", ()))


@pytest.fixture(params=[True, False], ids=["supervised", "alone"])
def supervise(request):
    """The key of that name: what steward does with a supervisor and without one is tested in both ways."""
    return request.param


@pytest.fixture
def helper():
    """The path of a helper program, built beside steward."""

    def find(name):
        path = HELPERS / name
        assert os.access(path, os.X_OK), f"no helper program {path}"
        return str(path)

    return find


@pytest.fixture
def need():
    """Skips where a program is missing."""

    def find(name):
        path = shutil.which(name, path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        if path is None:
            pytest.skip(f"{name} is not installed")
        return path

    return find


@pytest.fixture
def bystander(orphans):
    """A process that has nothing to do with any service: it must never be signalled."""
    process = orphans.popen(["/bin/sleep", "1000"], stdin=subprocess.DEVNULL)
    orphans.protected.add(process.pid)
    yield process
    assert process.poll() is None, "the bystander was signalled"
    orphans.protected.discard(process.pid)
    process.kill()
    process.wait()
