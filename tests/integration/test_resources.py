"""[resources] where nothing can hold it: a limit that is written is kept, or the service does not run."""

import os
import re
from pathlib import Path

import pytest

from harness import NOBODY

LIMITS = pytest.mark.parametrize("key,limit", [("memory", '"64MiB"'), ("cpu", '"50%"'), ("tasks", "10")])


def controllers():
    """Those of the hierarchy of version 2; None where there is none."""
    for place in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified"):
        file = Path(place, "cgroup.controllers")
        if file.exists():
            return file.read_text().split()
    return None


@pytest.mark.root
@pytest.mark.parametrize("supervise", [True, False], ids=["supervised", "alone"])
@LIMITS
def test_without_a_cgroup_a_limited_service_is_not_started(make_room, supervise, key, limit):
    room = make_room(user=NOBODY)
    room.sleeper(supervise=supervise, extra=f"[resources]\n{key} = {limit}\n")
    finished = room("start", "web", code=1)
    assert re.search(r"cannot start web: .*\[resources\].* cgroup", finished.err), finished
    assert room.code() == 3
    room.assert_nothing_left()


@pytest.mark.skipif("memory" in (controllers() or []), reason="here it can be held")
@pytest.mark.parametrize("verb", ["check", "restart"])
def test_what_this_machine_cannot_hold_is_told_before_anything_is_done(room, verb):
    room.sleeper()
    room("start", "web")
    pid = room.pid()
    room.sleeper(extra='[resources]\nmemory = "64MiB"\n')
    finished = room(verb, "web", code=1)
    assert "cannot start web: [resources] memory: " in finished.err + finished.out, finished
    assert room.pid() == pid and os.path.exists(f"/proc/{pid}")
    room("stop", "web")
