"""Output that goes to the journal or to syslog: each line once, whoever is killed, and never a service that waits for a daemon."""

import os
import re
import signal
import socket
import struct
import subprocess
import time
from pathlib import Path

import pytest

from harness import alive, kill, wait_until

MESSAGE = re.compile(rb"<(\d+)>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d ([^ :\[]+)(?:\[(\d+)\])?: (.*)", re.DOTALL)


class Daemon:
    """Takes what is sent to a socket, as syslogd or journald does."""

    def __init__(self, path):
        self.path = path
        self.taken = []
        self.socket = None
        self.begin()

    def begin(self):
        self.path.unlink(missing_ok=True)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        self.path.chmod(0o666)
        self.socket.setblocking(False)

    def end(self):
        self.take()
        self.socket.close()
        self.path.unlink()

    def take(self):
        while True:
            try:
                message, descriptors, _, _ = socket.recv_fds(self.socket, 1 << 20, 1)
            except BlockingIOError:
                return self.taken
            for descriptor in descriptors:
                message = os.pread(descriptor, 1 << 24, 0)
                os.close(descriptor)
            self.taken.append(message)


class Syslog(Daemon):
    def lines(self):
        """(priority, tag, PID, text) of each message."""
        return [(int(m[1]), m[2].decode(), int(m[3] or 0), m[4].decode(errors="replace")) for m in map(MESSAGE.fullmatch, self.take())]

    def texts(self):
        return [line[3] for line in self.lines()]


class Journal(Daemon):
    def entries(self):
        return [fields_of(entry) for entry in self.take()]

    def texts(self):
        return [entry["MESSAGE"].decode(errors="replace") for entry in self.entries()]


def fields_of(entry):
    fields = {}
    while entry:
        line, _, entry = entry.partition(b"\n")
        if b"=" in line:
            name, _, value = line.partition(b"=")
        else:
            name, size = line, struct.unpack("<Q", entry[:8])[0]
            value, entry = entry[8 : 8 + size], entry[9 + size :]
        fields[name.decode()] = value
    return fields


def listening(room, kind, variable):
    daemon = kind(room.work / variable)
    room.env[variable] = str(room.work / variable)
    yield daemon
    daemon.socket.close()


@pytest.fixture
def syslog(room):
    yield from listening(room, Syslog, "STEWARD_SYSLOG_SOCKET")


@pytest.fixture
def journal(room):
    yield from listening(room, Journal, "STEWARD_JOURNAL_SOCKET")


@pytest.fixture(params=["syslog", "journal"])
def sink(request):
    return request.getfixturevalue(request.param)


def output_of(sink):
    return f"[log]\noutput = '{'syslog' if isinstance(sink, Syslog) else 'journal'}'\n"


def script(room, sink, text, extra="", **keys):
    return room.service("web", ["/bin/sh", "-c", text], output_of(sink) + extra, **keys)


NUMBERS = "i=0; while :; do echo line $i; i=$((i+1)); [ $((i % 50)) = 0 ] && sleep 0.02; done"


def test_a_message_of_syslog_has_the_services_name_its_pid_and_a_priority(room, syslog):
    script(room, syslog, "echo out; echo err >&2; echo '<5>notice'; exec sleep 1000")
    room("start", "web")
    wait_until(lambda: len(syslog.take()) == 3)
    main = room.pid()
    assert sorted(syslog.lines()) == [(27, "web", main, "err"), (29, "web", main, "notice"), (30, "web", main, "out")]


def test_an_entry_of_the_journal_has_fields_for_each(room, journal):
    script(room, journal, "echo out; echo err >&2; exec sleep 1000")
    room("start", "web")
    wait_until(lambda: len(journal.take()) == 2)
    common = {"SYSLOG_IDENTIFIER": b"web", "SYSLOG_FACILITY": b"3", "SYSLOG_PID": str(room.pid()).encode(), "STEWARD_SERVICE": b"web"}
    out, err = sorted(journal.entries(), key=lambda entry: entry["STEWARD_STREAM"], reverse=True)
    assert out == common | {"MESSAGE": b"out", "PRIORITY": b"6", "STEWARD_STREAM": b"stdout"}
    assert err == common | {"MESSAGE": b"err", "PRIORITY": b"3", "STEWARD_STREAM": b"stderr"}


def test_the_journal_gets_the_programs_own_bytes(room, journal):
    script(room, journal, r"printf 'a\000b\377\033[1m\n'; exec sleep 1000")
    room("start", "web")
    wait_until(lambda: journal.take())
    assert journal.entries()[0]["MESSAGE"] == b"a\0b\xff\x1b[1m"


def test_a_line_larger_than_a_datagram_comes_whole(room, journal):
    script(room, journal, "head -c 250000 /dev/zero | tr '\\0' x; echo; exec sleep 1000")
    room("start", "web")
    wait_until(lambda: journal.take())
    assert journal.texts() == ["x" * 250_000]


def test_no_file_is_made(room, sink):
    script(room, sink, "echo one; exec sleep 1000")
    room("start", "web")
    wait_until(lambda: sink.take())
    assert not (room.log / "web.log").exists()
    assert room.status()["log_file"] is None


def test_every_line_is_sent_before_stop_returns_the_last_without_an_end_too(room, sink):
    script(room, sink, "exec 2>/dev/null; trap 'seq 1000; printf \"the end\"; exit' TERM; echo up; while :; do sleep 0.02; done")
    room("start", "web")
    wait_until(lambda: sink.texts() == ["up"])
    stop = room.spawn("stop", "web")
    wait_until(lambda: sink.take() is not None and stop.poll() is not None)
    assert sink.texts() == ["up", *map(str, range(1, 1001)), "the end"]


def test_so_it_is_when_nobody_supervises_any_more(room, sink):
    script(room, sink, "exec 2>/dev/null; trap 'seq 100; printf \"the end\"; exit' TERM; echo up; while :; do sleep 0.02; done")
    room("start", "web")
    wait_until(lambda: sink.texts() == ["up"])
    room.kill_pair()
    stop = room.spawn("stop", "web")
    wait_until(lambda: sink.take() is not None and stop.poll() is not None)
    assert sink.texts() == ["up", *map(str, range(1, 101)), "the end"]


def test_a_run_that_ends_has_its_last_line_sent(room, sink):
    script(room, sink, "printf going; exit 3", "[ready]\ndelay = '100s'\n[restart]\npolicy = 'never'\n")
    assert "going" in room("start", "web", code=1).err
    assert sink.texts() == ["going"]


def test_kills_lose_nothing_and_repeat_a_line_at_most(room, sink):
    script(room, sink, NUMBERS)
    room("start", "web")
    kills = 8
    for _ in range(kills):
        before = len(sink.take())
        wait_until(lambda before=before: len(sink.take()) > before + 100)
        pair = room.pair()
        kill(pair[1])
        wait_until(lambda old=pair: sink.take() is not None and (now := room.pair()) != old and all(now) and all(map(alive, now)))
    before = len(sink.take())
    wait_until(lambda: len(sink.take()) > before + 100)
    stop = room.spawn("stop", "web")
    wait_until(lambda: sink.take() is not None and stop.poll() is not None)
    numbers = [int(text.split()[1]) for text in sink.texts()]
    assert sorted(set(numbers)) == list(range(numbers[-1] + 1))
    assert numbers == sorted(numbers)
    assert len(numbers) - len(set(numbers)) <= kills


def test_a_service_starts_without_the_daemon_which_gets_its_lines_when_it_comes(room, sink):
    sink.end()
    script(room, sink, "seq 10; exec sleep 1000")
    room("start", "web")
    wait_until(lambda: "cannot send to" in room.steward_log())
    sink.begin()
    wait_until(lambda: len(sink.take()) == 10)
    assert sink.texts() == [str(number) for number in range(1, 11)]
    wait_until(lambda: "its log is written again: nothing was lost" in room.steward_log())
    assert room.steward_log().count("cannot send to") == 1


def test_a_daemon_that_is_restarted_is_found_again(room, sink):
    flag = room.work / "flag"
    script(room, sink, f"echo one; while ! [ -e {flag} ]; do sleep 0.02; done; echo two; exec sleep 1000")
    room("start", "web")
    wait_until(lambda: sink.texts() == ["one"])
    sink.end()
    sink.begin()
    flag.touch()
    wait_until(lambda: sink.texts() == ["one", "two"])
    assert "cannot send" not in room.steward_log()


def test_a_daemon_that_takes_nothing_holds_up_neither_service_nor_steward(room, sink):
    done = room.work / "done"
    lines = 60_000
    script(room, sink, f"seq -f 'line %.0f of very many that are all about the same' {lines}; echo done >{done}; exec sleep 1000")
    begun = time.monotonic()
    room("start", "web")
    wait_until(done.exists, "the service has written all")
    assert room.status()["state"] == "running"
    print("waited", time.monotonic() - begun)
    # Now it does: what was kept comes, then how much there was more, then what follows.
    wait_until(lambda: sink.take() and "its log is written again" in room.steward_log())
    wait_until(lambda: b"dropped here" in sink.take()[-1])
    texts = sink.texts()
    lost = int(re.fullmatch(r"steward: (\d+) lines \(\d+ bytes\) were dropped here: the log could not be written", texts[-1])[1])
    whole = [text for text in texts[:-1] if text.endswith("the same")]
    assert [int(text.split()[1]) for text in whole] == list(range(1, len(whole) + 1))
    assert lines - len(whole) <= lost + 1
    assert room.steward_log().count("cannot send to") == 1
    room("stop", "web")


def test_a_slow_daemon_gets_every_line(room, sink):
    script(room, sink, "seq 20000; exec sleep 1000")
    start = room.spawn("start", "web")  # not slower than a second, or it counts as one that takes nothing
    wait_until(lambda: len(sink.take()) >= 20_000)
    assert room.finish(start).code == 0
    assert sink.texts() == [str(number) for number in range(1, 20_001)]
    assert "cannot send" not in room.steward_log()


def test_what_a_stop_could_not_bring_on_the_next_start_does(room, sink):
    sink.end()
    script(room, sink, "echo kept; exec sleep 1000")
    room("start", "web")
    wait_until(lambda: "cannot send to" in room.steward_log())
    room("stop", "web")
    sink.begin()
    room("start", "web")
    wait_until(lambda: len(sink.take()) == 2)
    assert sink.texts() == ["kept", "kept"]


def test_the_last_lines_of_a_failure_are_told_with_the_daemon_and_without(room, sink):
    script(room, sink, "echo fine; echo no licence >&2; exit 3", "[ready]\ndelay = '100s'\n[restart]\npolicy = 'never'\n")
    assert "no licence" in room("start", "web", code=1).err
    sink.end()
    assert "no licence" in room("start", "web", code=1).err


def test_a_run_in_the_foreground_sends_too(room, sink):
    script(room, sink, "echo out; echo err >&2; exec sleep 1000")
    run = room.spawn("run", "web")
    wait_until(lambda: len(sink.take()) == 2)
    run.send_signal(signal.SIGTERM)
    finished = room.finish(run)
    assert finished.code == 0 and "out" not in finished.out


def test_a_rate_limit_holds(room, sink):
    script(room, sink, "seq 1000; exec sleep 1000", "rate-limit = '10/1min'\n")
    room("start", "web")
    wait_until(lambda: len(sink.take()) == 10)
    stop = room.spawn("stop", "web")
    wait_until(lambda: stop.poll() is not None)
    assert sink.texts() == [*map(str, range(1, 11)), "steward: 990 lines (3872 bytes) were dropped here: more than 10 lines in 60 s"]


def test_an_idle_supervisor_makes_no_wake_up_for_it(room, sink):
    script(room, sink, "printf 'no end'; exec sleep 1000")
    room("start", "web")

    def switches():
        return [open(f"/proc/{pid}/status").read().partition("voluntary_ctxt_switches:")[2].split()[0] for pid in room.pair()]

    def is_idle():
        seen = switches()
        time.sleep(1.5)
        return switches() == seen

    wait_until(is_idle, "both sleep")  # what belongs to the start may not be over yet


def test_after_reexec_lines_go_on(room, sink):
    script(room, sink, NUMBERS)
    room("start", "web")
    wait_until(lambda: len(sink.take()) > 100)
    room("reexec", "web")
    before = len(sink.take())
    wait_until(lambda: len(sink.take()) > before + 100)
    numbers = [int(text.split()[1]) for text in sink.texts()]
    assert sorted(set(numbers)) == list(range(numbers[-1] + 1))


@pytest.mark.parametrize("output", ["journal", "syslog"])
@pytest.mark.parametrize("key", ["file = '/var/log/x'", "max-size = '1MiB'", "keep = 3", "compress = 'gzip'", "timestamps = 'none'"])
def test_keys_of_files_are_refused(room, output, key):
    room.sleeper(extra=f"[log]\noutput = '{output}'\n{key}\n")
    assert 'has no effect unless output is "file" or "auto"' in room("check", "web", code=6).err


@pytest.mark.parametrize("output", ["journal", "syslog"])
def test_it_needs_a_supervisor(room, output):
    room.sleeper(extra=f"[log]\noutput = '{output}'\n", supervise=False)
    assert "need a supervisor, and [service] supervise is false" in room("check", "web", code=6).err


def test_logs_says_where_the_lines_are(room, sink):
    script(room, sink, "exec sleep 1000")
    room("start", "web")
    assert "syslog" in room("logs", "web", code=None).both or isinstance(sink, Journal)
    assert "its output goes into no file" in room("logs", "--rotate", "web", code=3).err


RSYSLOGD = Path(os.environ.get("STEWARD_RSYSLOGD", "/usr/sbin/rsyslogd"))
RSYSLOG = """module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="{socket}")
template(name="plain" type="string" string="%syslogpriority% %syslogfacility-text% %programname% %procid%|%msg%\\n")
*.* action(type="omfile" file="{file}" template="plain")
"""


@pytest.mark.skipif(not os.access(RSYSLOGD, os.X_OK), reason="rsyslog is not installed (or set STEWARD_RSYSLOGD)")
def test_rsyslog_reads_it(room, syslog, orphans):
    syslog.end()
    configuration, file = room.work / "rsyslog.conf", room.work / "messages"
    configuration.write_text(RSYSLOG.format(socket=syslog.path, file=file))
    modules = next(RSYSLOGD.parents[1].glob("lib/*/rsyslog"))
    daemon = orphans.popen([str(RSYSLOGD), "-n", "-iNONE", "-M", str(modules), "-f", str(configuration)], stdin=subprocess.DEVNULL)
    wait_until(syslog.path.exists, "rsyslog's socket")
    script(room, syslog, "echo 'out: a b'; echo err >&2; exec sleep 1000")
    room("start", "web")

    def lines():
        return sorted(line for line in file.read_text().splitlines() if " web " in line) if file.exists() else []

    wait_until(lambda: len(lines()) >= 2)  # beside them rsyslog has its own
    assert lines() == [f"3 daemon web {room.pid()}| err", f"6 daemon web {room.pid()}| out: a b"]
    daemon.terminate()
    daemon.wait()
