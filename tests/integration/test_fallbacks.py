"""The core of the suite again, as on an older kernel or under a container's filter: the modern system calls are not there."""

import pytest

import test_kill9
import test_lifecycle
import test_reload
import test_run
import test_stale
import test_stop
from harness import HELPERS

DENIED = "pidfd_open,pidfd_send_signal,clone3,openat2,close_range"
FILTERS = {
    "old-kernel": (DENIED,),
    "seccomp": ("--errno", "EPERM", DENIED),
}


@pytest.fixture(params=FILTERS.values(), ids=FILTERS.keys())
def prefix(request):
    return [HELPERS / "deny_syscalls", *request.param, "--"]


@pytest.fixture
def room(make_room, prefix):
    return make_room(prefix=prefix)


supervise = test_stop.supervise
catcher = test_reload.catcher


def is_fallback(function):
    return any(mark.name == "fallback" for mark in getattr(function, "pytestmark", []))


# What is marked `fallback` elsewhere is a test here too, under the filter.
for module in (test_lifecycle, test_stale, test_kill9, test_stop, test_reload, test_run):
    for name, function in list(vars(module).items()):
        if name.startswith("test_") and is_fallback(function):
            globals()[name] = function
del name, function, module


def test_the_filter_is_there(room):
    """Else all of the above would prove nothing."""
    finished = room("-c", "import os; os.pidfd_open(os.getpid())", program="/usr/bin/python3", code=1)
    assert "Error" in finished.err
