"""`logs`: what services wrote, out of every file, in order; followed while it is rotated."""

import gzip
import json
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from harness import DEADLINE, NOBODY, STEWARD, wait_until
from test_nginx import answer, nginx  # noqa: F401 (a fixture)
from test_redis import free_port
from test_terminal import on_terminal, without_colour


class Follower:
    """`logs -f` of something, its output in a file."""

    def __init__(self, room, *words):
        self.path = room.root / f"followed-{len(list(room.root.glob('followed-*')))}"
        # Whoever runs these tests in the background has them ignore SIGINT.
        interruptible = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}
        self.process = room.spawn("logs", "-f", "--json", *words, stdout=open(self.path, "w"), **interruptible)

    def lines(self):
        """The objects that are there as a whole."""
        text = self.path.read_text()
        return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]

    def texts(self):
        return [line["text"] for line in self.lines() if not line["event"]]

    def wait_for(self, text):
        wait_until(lambda: any(text in line for line in self.texts()), f"'{text}' in {self.path}")


def texts(room, *words):
    lines = [json.loads(line) for line in room("logs", "--json", *words).out.splitlines()]
    return [line["text"] for line in lines if not line["event"]]


def stamped(clock, text):
    return f"2026-11-21T{clock}.000000Z {text}\n"


@pytest.fixture
def web(room):
    """A service that need not run: its log is what the test writes."""
    room.sleeper()
    room.log.mkdir()
    return room.log / "web.log"


# --- real daemons ------------------------------------------------------------------------------------------------------------------


def test_redis_is_shown_and_followed_over_a_restart_and_to_its_end(room, need):
    room.service("redis", [need("redis-server"), "--port", free_port(), "--save", "", "--dir", room.work])
    room("start", "redis")
    wait_until(lambda: any("Ready to accept connections" in text for text in texts(room, "redis")), "redis is ready")
    assert all("DB loaded" in text or "Ready" in text for text in texts(room, "redis", "-n", "1", "--grep", "^.*(Ready|DB loaded)"))
    follower = Follower(room, "redis", "-n", "1000")
    follower.wait_for("Ready to accept connections")
    room("restart", "redis")
    wait_until(lambda: sum("Ready to accept" in text for text in follower.texts()) == 2, "the second redis")
    room("stop", "redis")
    wait_until(lambda: sum("bye bye" in text for text in follower.texts()) == 2, "the end")
    assert follower.texts() == texts(room, "redis")
    said = wait_until(lambda: (events := [line for line in follower.lines() if line["event"]]) and len(events) > 2 and events, "what steward did")
    assert all(line["stream"] is None for line in said)


def test_nginx_is_followed_while_its_log_is_moved_away(room, nginx):  # noqa: F811
    room("start", "nginx")
    wait_until(lambda: answer(room) == "one", "nginx answers")
    follower = Follower(room, "nginx", "-n", "1000")
    follower.wait_for("start worker process")
    (room.log / "nginx.log").rename(room.log / "nginx.log.1")
    nginx("two")
    room("reload", "nginx")
    follower.wait_for("reconfiguring")
    room("restart", "nginx")
    wait_until(lambda: answer(room) == "two", "nginx answers after its restart")
    room("stop", "nginx")
    written = texts(room, "nginx")
    wait_until(lambda: len(follower.texts()) >= len(written), "the end of the second nginx")
    assert follower.texts() == written
    assert (room.log / "nginx.log").exists() and (room.log / "nginx.log.1").exists()


# --- files -------------------------------------------------------------------------------------------------------------------------


def test_rotated_and_compressed_files_are_read_oldest_first(room, web, need):
    web.with_name("web.log.10.gz").write_bytes(gzip.compress(b"one\n"))
    web.with_name("web.log.9").write_text("two\n")
    subprocess.run([need("zstd"), "-q", "--rm", web.with_name("web.log.9")], check=True)
    web.with_name("web.log.1").write_text("three\n")
    web.with_name("web.log.bak").write_text("not a log\n")
    web.write_text("four\nfive")
    assert texts(room, "web") == ["one", "two", "three", "four", "five"]
    assert texts(room, "web", "-n", "4") == ["two", "three", "four", "five"]
    assert room("logs", "web").out == "one\ntwo\nthree\nfour\nfive\n"


def test_what_is_compressed_by_halves_is_told_and_the_rest_is_shown(room, web):
    web.with_name("web.log.1.gz").write_bytes(gzip.compress(os.urandom(100000))[:5000])
    web.write_text("one\n")
    finished = room("logs", "web", code=1)
    assert finished.out.endswith("one\n")
    assert "web.log.1.gz': it is cut short" in finished.err


def test_every_byte_is_kept_but_for_a_terminal(room, web):
    odd = b"a\x00b \xff\xfe \x1b]0;title\x07\r\n\n" + b"x" * 3_000_000 + b"\n"
    web.write_bytes(odd)
    with open(room.work / "out", "wb") as out:
        room.finish(room.spawn("logs", "web", stdout=out))
    assert (room.work / "out").read_bytes() == odd
    web.write_bytes(b"evil \x1b]0;title\x07 \x1b[31mred\x1b[0m\n")
    code, drawn = on_terminal(room, "logs", "web")
    assert code == 0 and drawn == "evil \\x1b]0;title\\x07 red\r\n"


def rotate(log):
    """As logrotate does with create, delaycompress and many to keep."""
    numbers = sorted({int(path.name.split(".")[2]) for path in log.parent.glob(log.name + ".*")}, reverse=True)
    for number in numbers:
        for ending in ("", ".gz"):
            path = log.with_name(f"{log.name}.{number}{ending}")
            if path.exists():
                path.rename(log.with_name(f"{log.name}.{number + 1}{ending}"))
    log.rename(log.with_name(f"{log.name}.1"))
    log.touch()
    second = log.with_name(f"{log.name}.2")
    if second.exists():
        packed = log.with_name(f"{log.name}.2.gz.tmp")
        packed.write_bytes(gzip.compress(second.read_bytes()))
        packed.rename(log.with_name(f"{log.name}.2.gz"))
        second.unlink()


def test_a_follower_sees_each_line_once_however_fast_the_log_is_rotated(room, web):
    web.write_text("line 0\n")
    follower = Follower(room, "web")
    follower.wait_for("line 0")
    expected = [f"line {number}" for number in range(8001)]
    for begin in range(1, len(expected), 200):
        with open(web, "a") as log:
            for text in expected[begin : begin + 200]:
                log.write(text + "\n")
                if text.endswith("7"):
                    log.flush()
        rotate(web)
    wait_until(lambda: len(follower.texts()) >= len(expected), "the last line")
    assert follower.texts() == expected
    assert texts(room, "web") == expected
    assert [line for line in follower.lines() if line["event"]] == [], "a gap was told where none is"


def test_a_follower_waits_for_a_log_that_is_not_there_yet(room, web):
    room.service("web", ["/bin/sh", "-c", "echo here I am; exec sleep 1000"])  # before anybody reads it
    follower = Follower(room, "web")
    room("start", "web")
    follower.wait_for("here I am")


# --- what is asked for -------------------------------------------------------------------------------------------------------------


def test_times_and_patterns_choose_lines(room, web):
    web.with_name("web.log.1").write_text(stamped("10:00:00", "GET /a 200") + stamped("11:00:00", "GET /b 500") + "  trace of b\n")
    web.write_text(stamped("12:00:00", "PUT /c 200") + stamped("13:00:00", "get /d 500"))
    day = "2026-11-21 "
    assert texts(room, "web", "--since", day + "11:00 UTC", "--until", day + "12:00 UTC") == ["GET /b 500", "  trace of b", "PUT /c 200"]
    assert texts(room, "web", "--since", "2026-11-21T13:00:00+01:00", "-n", "1") == ["get /d 500"]
    assert texts(room, "web", "--grep", "500$") == ["GET /b 500", "get /d 500"]
    assert texts(room, "web", "--grep", "(?i)^get", "-n", "2") == ["GET /b 500", "get /d 500"]
    assert texts(room, "web", "--until", "2026-11-20") == [] == texts(room, "web", "--grep", "DELETE")
    local = room.env | {"TZ": "Asia/Tokyo"}
    assert room("logs", "web", "--since", day + "22:00", env=local).out == stamped("13:00:00", "get /d 500")
    assert "missing" in room("logs", "web", "--grep", "(", code=2).err
    assert "soon" in room("logs", "web", "--since", "soon", code=2).err


def test_several_services_and_what_steward_did_stand_in_the_order_of_time(room, web):
    room.sleeper("api")
    (room.log / "api.log").write_text(stamped("12:00:01", "from api"))
    web.write_text(stamped("12:00:00", "from web") + stamped("12:00:03", "again"))
    (room.log / "steward.log").write_text(
        "2026-11-21T12:00:02.000Z info web: reloaded\n2026-11-21T12:00:02.500Z info other: started, PID 7\n2026-11-21T12:00:02.700Z info web\n"
    )
    assert room("logs", "web", "api").out == (
        "web | 2026-11-21T12:00:00.000000Z from web\n"
        "api | 2026-11-21T12:00:01.000000Z from api\n"
        "web | 2026-11-21T12:00:02.000000Z steward: reloaded\n"
        "web | 2026-11-21T12:00:03.000000Z again\n"
    )
    assert room("logs").out == room("logs", "api", "web").out
    assert room("logs", "-n", "2", "*").out.count("\n") == 2
    code, drawn = on_terminal(room, "logs", "web", "api")
    colours = dict(re.findall(r"\x1b\[(\d+)m(\w+) +\|", drawn))
    assert code == 0 and len(colours) == 2 and "\x1b[1msteward:\x1b[0m" in drawn
    assert without_colour(drawn).replace("\r\n", "\n") == room("logs", "web", "api").out
    assert "\x1b" not in on_terminal(room, "logs", "web", "api", NO_COLOR="1")[1]


def test_an_event_of_a_real_restart_is_marked(room):
    script = "echo up; while ! test -e $0; do sleep 0.02; done; exit 3"
    room.service("web", ["/bin/sh", "-c", script, room.work / "go"], "[restart]\nlimit = 1\ndelay = '1ms'\n")
    room("start", "web")
    (room.work / "go").touch()
    wait_until(lambda: room.status()["state"] == "failed", "the service is given up")
    lines = [json.loads(line) for line in room("logs", "--json", "web").out.splitlines()]
    said = [line["text"] for line in lines if line["event"]]
    assert any("exit code 3" in text for text in said), said
    shown = room("logs", "web").out
    assert all(f"steward: {text}" in shown for text in said), shown
    assert {line["schema"] for line in lines} == {"steward.log/1"} and {line["service"] for line in lines} == {"web"}


# --- what goes wrong ---------------------------------------------------------------------------------------------------------------


@pytest.mark.root
def test_a_log_that_may_not_be_read_names_the_way_to_it(room):
    room.service("web", ["/bin/sh", "-c", "echo secret; exec sleep 1000"])
    room("start", "web")
    wait_until(lambda: "secret" in room.log_text())
    for options in ([], ["-f"]):
        finished = room("logs", "--system", *options, "web", user=NOBODY, code=4)
        assert finished.out == ""
        assert finished.err == f"steward: cannot read log file '{room.log}/web.log': Permission denied (try: sudo steward logs web)\n"


def test_what_there_is_no_log_of_is_told(room):
    room.sleeper()
    finished = room("logs", "wbe", code=5)
    assert "no such service" in finished.err and "did you mean 'web'?" in finished.err
    room.sleeper("mute", "[log]\noutput = 'null'\n")
    finished = room("logs", "mute", "web", code=3)
    assert finished.err == "steward: cannot show the log of mute: its output is discarded\n"
    error = json.loads(room("logs", "--json", "mute", code=3).out)
    assert error["service"] == "mute" and error["error"]["code"] == "unsupported"
    assert room("logs", "web").both == ""


def test_a_reader_that_has_enough_ends_it_in_silence(room, web):
    web.write_text("".join(f"line {number}\n" for number in range(200_000)))
    for options in ("", "-f", "--json"):
        shell = ["/bin/sh", "-c", f"'{STEWARD}' logs {options} web 2>'{room.work}/err' | head -n 1"]
        assert "line " in subprocess.run(shell, env=room.env, capture_output=True, text=True, timeout=DEADLINE).stdout
        assert (room.work / "err").read_text() == ""


def test_a_follower_ends_with_its_reader_even_if_no_line_comes(room, web):
    web.write_text("ready to serve\n")
    shell = ["/bin/bash", "-c", f"set -o pipefail; '{STEWARD}' logs -f web | grep -m 1 ready"]
    done = subprocess.run(shell, env=room.env, capture_output=True, text=True, timeout=DEADLINE)
    assert (done.returncode, done.stdout, done.stderr) == (0, "ready to serve\n", "")


def test_an_interrupt_ends_following(room, web):
    web.write_text("one\n")
    follower = Follower(room, "web")
    follower.wait_for("one")
    follower.process.send_signal(signal.SIGINT)
    assert follower.process.wait(DEADLINE) == -signal.SIGINT
    assert follower.texts() == ["one"]


def test_following_while_nothing_happens_costs_nothing(room, web):
    web.write_text("one\n")
    follower = Follower(room, "web")
    follower.wait_for("one")

    def switches():
        return re.search(r"^voluntary_ctxt_switches:\t(\d+)", Path(f"/proc/{follower.process.pid}/status").read_text(), re.MULTILINE)[1]

    def is_idle():
        before = switches()
        assert texts(room, "web") == ["one"]  # takes a while
        return switches() == before

    wait_until(is_idle, "a sleeping follower")
