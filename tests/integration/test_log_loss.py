"""Numbered lines while keeper and supervisor are killed at random moments, and a stop in mid-flow: every line is there, once, in order, whole.

STEWARD_TEST_LOG_MIB and STEWARD_TEST_LOG_KILLS make it longer."""

import os
import random
import signal
import time

import pytest

from harness import STAMP_SIZES, alive, check_lines, kill, wait_until

MIB = int(os.environ.get("STEWARD_TEST_LOG_MIB", 40))
KILLS = int(os.environ.get("STEWARD_TEST_LOG_KILLS", 10))


@pytest.mark.parametrize("stamps", STAMP_SIZES)
def test_no_line_is_lost_doubled_or_torn(room, helper, stamps):
    signal.alarm(240 + MIB)
    room.service("web", [helper("number_lines"), str(max(20, MIB // 10))], f"[log]\ntimestamps = '{stamps}'\n")
    room("start", "web")
    chance = random.Random()
    print("seed", seed := chance.randrange(2**32))
    chance.seed(seed)
    log = room.log / "web.log"
    killed = 0
    while killed < KILLS or log.stat().st_size < MIB << 20:
        time.sleep(chance.uniform(0, 0.3))
        if killed == KILLS:
            continue
        pair = room.pair()
        # Now and then both: whoever starts it next goes on.
        victims = pair if chance.random() < 0.2 else [chance.choice(pair)]
        for pid in victims:
            kill(pid)
        killed += len(victims)
        if len(victims) == 2:
            wait_until(lambda both=victims: not any(alive(pid) for pid in both), "the end of both")
            room("start", "web")
        wait_until(lambda old=pair: (now := room.pair()) != old and all(now) and all(map(alive, now)), "a whole pair")
    main = room.pid()
    room("stop", "web")
    assert not alive(main)
    assert check_lines(helper, [log], stamps) > MIB * 1000
