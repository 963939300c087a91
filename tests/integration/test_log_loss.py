"""Numbered lines while keeper and supervisor are killed at random moments, and a stop in mid-flow: every line is there, once, in order, whole.

STEWARD_TEST_LOG_MIB and STEWARD_TEST_LOG_KILLS make it longer."""

import os
import random
import signal
import time

import pytest

from harness import UNPACKERS, alive, check_lines, kill, log_chain, wait_until

MIB = int(os.environ.get("STEWARD_TEST_LOG_MIB", 40))
KILLS = int(os.environ.get("STEWARD_TEST_LOG_KILLS", 10))


def written_by(pid):
    with open(f"/proc/{pid}/io") as counts:
        return next(int(line.split()[1]) for line in counts if line.startswith("wchar"))


@pytest.mark.parametrize(("stamps", "compress"), [("none", None), ("tai64n", None), ("none", "gzip"), ("iso8601", "zstd")])
def test_no_line_is_lost_doubled_or_torn(room, helper, stamps, compress):
    signal.alarm(240 + MIB)
    rotation = f"max-size = '{max(2, MIB // 128)}MiB'\nkeep = 100000\ncompress = '{compress}'\n" if compress else "max-size = 0\n"
    rate = max(20, MIB // 10)
    room.service("web", [helper("number_lines"), str(rate)], f"[log]\ntimestamps = '{stamps}'\n" + rotation)
    room("start", "web")
    main = room.pid()
    chance = random.Random()
    print("seed", seed := chance.randrange(2**32))
    chance.seed(seed)
    killed = 0
    while killed < KILLS or written_by(main) < MIB << 20:
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
    log = room.log / "web.log"
    if compress:
        # By their names alone: while it is being compressed, a file may be there in both forms.
        def rotated():
            return [path.suffixes for path in log.parent.glob("web.log.*")]

        wait_until(lambda: [".log", ".4"] in [each[:2] for each in rotated()] and any(each[-1] in UNPACKERS for each in rotated()), "a compressed file")
    assert room.pid() == main
    room("stop", "web")
    assert not alive(main)
    files = log_chain(log)
    assert (len(files) > 3) == bool(compress)
    assert check_lines(helper, files, stamps) > MIB * 1000
