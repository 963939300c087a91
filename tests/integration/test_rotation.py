"""Full logs are put aside, kept so far, compressed; by steward and by others."""

import os
import signal
import stat
import subprocess
from pathlib import Path

import pytest

from harness import STEWARD, kill, wait_until, without_stamps

# On each line that it gets: COUNT TEXT writes COUNT lines of TEXT, and says so in a file.
ECHO = "while read -r count text; do i=0; while [ $i -lt $count ]; do echo $text; i=$((i+1)); done; echo $text >$0.said; done <>$0"


@pytest.fixture
def echo(room):
    """Starts a service with these keys in [log]; what it gives writes lines, and waits for the last one."""

    def start(keys):
        fifo = room.work / "say"
        os.mkfifo(fifo)
        os.chmod(fifo, 0o666)
        room.service("web", ["/bin/sh", "-c", ECHO, fifo], "[log]\n" + keys)
        room("start", "web")

        def say(count, text):
            fifo.write_text(f"{count} {text}\n{1} end-of-{text}\n")
            wait_until(lambda: f"end-of-{text}\n" in everything(room), text)

        return say

    return start


def names(room):
    return sorted(path.name for path in room.log.iterdir() if path.name.startswith("web.log"))


def content(path):
    tool = {".gz": ["gzip", "-dc"], ".zst": ["zstd", "-dcq"]}.get(path.suffix, ["cat"])
    return subprocess.run([*tool, path], capture_output=True, check=False).stdout.decode()


def everything(room):
    paths = sorted(room.log.glob("web.log.*"), key=lambda path: -int(path.name.split(".")[2]) if path.name.split(".")[2].isdigit() else 1)
    return without_stamps("".join(content(path) for path in [*paths, room.log / "web.log"] if path.suffix != ".packing"))


def supervisor_hangs_up(room):
    kill(room.pair()[1], signal.SIGHUP)


def test_a_full_log_is_rotated_and_the_oldest_go(room, echo):
    say = echo("max-size = '4KiB'\nkeep = 2\n")
    for text in ("a" * 80, "b" * 80, "c" * 80, "d" * 80):
        say(50, text)
    assert names(room) == ["web.log", "web.log.1", "web.log.2"]
    for name in names(room)[1:]:
        text = (room.log / name).read_text()
        assert 4096 <= len(text) < 4096 + 120 and text.endswith("\n")
        mode = (room.log / name).stat()
        assert stat.S_IMODE(mode.st_mode) == 0o640
    assert "a" * 80 not in everything(room)
    # The last lines stay where status looks for them.
    assert "end-of-d" in room("status", "web").out


@pytest.mark.parametrize(("compress", "suffix"), [("gzip", ".gz"), ("zstd", ".zst")])
def test_rotated_files_are_compressed_in_a_child_of_low_priority(room, echo, compress, suffix):
    say = echo(f"max-size = '1MiB'\nkeep = 9\ncompress = '{compress}'\n")
    say(1, "begin")
    for text in ("a", "b", "c"):
        say(12_000, text * 80)
    wait_until(lambda: names(room) == ["web.log", *(f"web.log.{number}{suffix}" for number in (1, 2, 3))], "three compressed files")
    text = everything(room)
    assert [text.count(letter * 80 + "\n") for letter in "abc"] == [12_001] * 3 and text.startswith("begin\n")
    for path in room.log.glob("web.log.*"):
        assert path.stat().st_size < 200_000 and stat.S_IMODE(path.stat().st_mode) == 0o640
    room("stop", "web")
    assert len(names(room)) == 4


def test_a_compression_that_was_cut_short_is_done_after_the_next_start(room, echo):
    say = echo("max-size = '1MiB'\nkeep = 9\ncompress = 'gzip'\n")
    say(10, "begin")
    (room.log / "web.log.1").write_text("older\n")
    (room.log / "web.log.1.gz").write_bytes(b"\x1f\x8b cut short")
    (room.log / "web.log.packing").write_bytes(b"\x1f\x8b")
    old = room.pair()
    kill(old[1])
    wait_until(lambda: names(room) == ["web.log", "web.log.1.gz"], "the whole file")
    assert content(room.log / "web.log.1.gz") == "older\n"


def test_a_log_that_was_renamed_is_written_on_until_sighup(room, echo):
    say = echo("")
    say(1, "one")
    os.rename(room.log / "web.log", room.log / "web.log.1")
    say(1, "two")
    assert not (room.log / "web.log").exists()
    pid = room.pid()
    supervisor_hangs_up(room)
    wait_until((room.log / "web.log").exists, "a new log")
    say(1, "three")
    assert without_stamps((room.log / "web.log").read_text()) == "three\nend-of-three\n"
    assert without_stamps((room.log / "web.log.1").read_text()) == "one\nend-of-one\ntwo\nend-of-two\n"
    assert room.pid() == pid


def test_logs_are_rotated_by_request(room, echo):
    say = echo("max-size = 0\nkeep = 2\n")
    assert room("logs", "--rotate", "web").out == "web: log rotated\n"
    assert names(room) == ["web.log"]  # an empty one is left as it is
    for text in ("one", "two", "three"):
        say(1, text)
        room("logs", "--rotate", "web")
    assert names(room) == ["web.log", "web.log.1", "web.log.2"]
    assert everything(room) == "two\nend-of-two\nthree\nend-of-three\n"


def test_a_renamed_log_is_reopened_by_request(room, echo):
    say = echo("")
    say(1, "one")
    os.rename(room.log / "web.log", room.log / "web.log.1")
    say(1, "two")
    assert room("logs", "--reopen", "web").out == "web: log reopened\n"
    assert (room.log / "web.log").exists()
    say(1, "three")
    room("logs", "--reopen", "web")
    assert without_stamps((room.log / "web.log").read_text()) == "three\nend-of-three\n"
    assert without_stamps((room.log / "web.log.1").read_text()) == "one\nend-of-one\ntwo\nend-of-two\n"


def test_rotation_by_request_is_for_what_runs_and_writes_a_log(room):
    room.sleeper()
    assert "cannot rotate the log of web: it is not running" in room("logs", "--rotate", "web", code=7).err
    assert room("logs", "--reopen", "web").err == ""
    room.sleeper("silent", extra="[log]\noutput = 'null'\n")
    room("start", "silent")
    assert "cannot rotate the log of silent: its output goes into no file" in room("logs", "--rotate", "silent", code=3).err
    room.sleeper("alone", supervise=False)
    room("start", "alone")
    assert "it writes its log itself (supervise = false)" in room("logs", "--reopen", "alone", code=3).err
    assert "no such service" in room("logs", "--rotate", "nobody", code=5).err


@pytest.mark.root
def test_the_sample_for_logrotate_does_what_it_says(room, echo, need):
    say = echo("max-size = 0\n")
    sample = (Path(__file__).parents[2] / "etc" / "logrotate" / "web").read_text()
    rules = room.root / "logrotate.conf"
    rules.write_text(sample.replace("/var/log/steward", str(room.log)).replace("steward logs", f"{STEWARD} logs"))
    rules.chmod(0o644)

    def rotate():
        words = [need("logrotate"), "--force", "--state", room.root / "logrotate.state", rules]
        done = subprocess.run(words, env=room.env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    for text in ("one", "two", "three"):
        say(1, text)
        rotate()
    say(1, "four")
    room("stop", "web")
    assert names(room) == ["web.log", "web.log.1.gz", "web.log.2.gz", "web.log.3.gz"]
    assert everything(room) == "".join(f"{text}\nend-of-{text}\n" for text in ("one", "two", "three", "four"))


def test_a_log_that_cannot_be_rotated_is_written_on_and_that_is_told_once(room, echo):
    say = echo("max-size = '1KiB'\nkeep = 1\n")
    (room.log / "web.log.1").mkdir()
    (room.log / "web.log.1" / "file").touch()
    for text in ("a" * 80, "b" * 80, "c" * 80):
        say(50, text)
    text = without_stamps((room.log / "web.log").read_text())
    assert [text.count(letter * 80 + "\n") for letter in "abc"] == [51] * 3
    events = room.steward_log()
    assert events.count("cannot rotate log file") == 1


def test_what_comes_too_fast_is_dropped_and_counted(room, echo):
    say = echo("rate-limit = '100/1s'\n")
    fifo = room.work / "say"
    fifo.write_text("5000 line\n")
    wait_until(lambda: (room.work / "say.said").exists() and (room.work / "say.said").read_text() == "line\n", "the last line")
    wait_until(lambda: "lines in 1 s" in everything(room), "the count")
    assert room.steward_log().count("more lines than its rate-limit") == 1
    room("stop", "web")
    lines = everything(room).splitlines()
    dropped = sum(int(line.split()[1]) for line in lines if line.startswith("steward: "))
    assert dropped + lines.count("line") == 5000 and lines.count("line") >= 100
    del say


@pytest.mark.parametrize("key", ["max-size = '1MiB'", "keep = 3", "max-total = '1GiB'", "compress = 'gzip'", "rate-limit = '1/1s'"])
def test_rotation_needs_a_supervisor(room, key):
    room.sleeper(extra=f"[log]\n{key}\n", supervise=False)
    assert "needs a supervisor" in room("check", "web", code=6).err
