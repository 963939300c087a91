"""Machines as fixtures: one of each init system for a module, gone afterwards whatever happened."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

import roots
from container import Container
from patience import watchdog_after
from virtual import VirtualMachine

TOP = Path(__file__).resolve().parents[2]
STEWARD = Path(os.environ.get("STEWARD", TOP / "build" / "steward")).resolve()
HELPERS = Path(os.environ.get("STEWARD_HELPERS", TOP / "build" / "tests" / "helpers")).resolve()
SYSTEMS = list(roots.PACKAGES)


def pytest_addoption(parser):
    parser.addoption("--systems", default=",".join(SYSTEMS), metavar="A,B", help="boot only these machines")
    parser.addoption("--share", default="1/1", metavar="K/N", help="boot only the K-th of N shares of them")


def pytest_configure(config):
    # So that the machines are cleared away when the run is terminated, too.
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("terminated", returncode=128 + signal.SIGTERM))
    config.addinivalue_line("markers", "systems(NAME...): only under these init systems")
    # A lab that cannot boot has proved nothing: it fails.
    if os.getuid() != 0:
        raise pytest.UsageError("the lab boots machines, and has to be root for it")
    if not os.access(STEWARD, os.X_OK):
        raise pytest.UsageError(f"no steward at {STEWARD} (try: ninja -C build, or set STEWARD)")


def pytest_generate_tests(metafunc):
    if "machine" not in metafunc.fixturenames:
        return
    share, shares = map(int, metafunc.config.getoption("--share").split("/"))
    wanted = metafunc.config.getoption("--systems").split(",")
    marker = metafunc.definition.get_closest_marker("systems")
    only = marker.args if marker else SYSTEMS
    systems = [system for system in [system for system in SYSTEMS if system in wanted][share - 1 :: shares] if system in only or roots.INIT[system] in only]
    if "front" in metafunc.fixturenames:
        from front_ends import FRONT_ENDS

        cases = [pytest.param(system, front, id=f"{system}-{front.name}") for system in systems for front in FRONT_ENDS[roots.INIT[system]]]
        metafunc.parametrize("machine,front", cases, indirect=["machine"], scope="module")
    else:
        metafunc.parametrize("machine", systems, indirect=True, scope="module")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """All of a module's tests of one machine, in their order, before the next is booted."""
    # A test of an init system that is not in this share has no machine.
    items[:] = [item for item in items if item.callspec.params.get("machine") in SYSTEMS]
    items.sort(key=lambda item: (item.path, SYSTEMS.index(item.callspec.params["machine"]), item.function.__code__.co_firstlineno))


watchdog = watchdog_after(1800)


def needed_libraries(program):
    told = subprocess.run(["ldd", str(program)], capture_output=True, text=True, check=True).stdout
    return [Path(word) for line in told.splitlines() for word in line.split() if word.startswith("/")]


def equip(machine):
    """Brings steward and the small daemon, and makes sure that they can run there."""
    for source, name in ((STEWARD, "usr/bin/steward"), (HELPERS / "catch_hup", "usr/bin/small_daemon")):
        machine.write(name, source.read_bytes(), 0o755)
    for library in needed_libraries(STEWARD):
        # Debian merges /lib with /usr/lib: either name finds it.
        assert any((machine.base / str(path).lstrip("/")).exists() for path in (library, Path("/usr") / str(library).lstrip("/"))), library


@pytest.fixture(scope="module")
def machine(request):
    """A booted machine. A module's function prepare(machine) is called before it boots."""
    made = (VirtualMachine if request.param == "vm" else Container)(request.param)
    try:
        equip(made)
        getattr(request.module, "prepare", lambda _: None)(made)
        made.boot()
        yield made
    finally:
        made.destroy()
