"""The real journal: what a service writes, as journalctl and `steward logs` read it back. journald runs in a mount namespace of its own."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from harness import Room, wait_until

JOURNALD = "/lib/systemd/systemd-journald"
MACHINE = f"mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/journal /run/log/journal && exec {JOURNALD}"


@pytest.fixture
def journal_room(orphans):
    """A room in which /run/systemd/journal is that of a journald."""
    if not os.access(JOURNALD, os.X_OK) or os.geteuid() != 0:
        pytest.skip("needs systemd-journald, and root")
    enter = ["unshare", "--mount", "--propagation", "private", "--", "sh", "-c", MACHINE]
    with open(os.devnull, "r+b") as null:
        journald = orphans.popen(enter, stdin=null, stdout=null, stderr=null)
    run = Path(f"/proc/{journald.pid}/root/run")

    def is_there():
        """In a /run of its own: before that, the socket is the one of the machine's journald."""
        try:
            return run.stat().st_dev != os.stat("/run").st_dev and (run / "systemd/journal/socket").exists()
        except FileNotFoundError:
            return False

    wait_until(lambda: is_there() or journald.poll() is not None, "the journal's socket")
    if journald.poll() is not None:
        pytest.skip("no mount namespace, or no journald, can be had here")
    room = Room(orphans, prefix=["nsenter", "--target", str(journald.pid), "--mount", "--"])
    yield room
    room.leave()
    journald.kill()
    journald.wait()


def journalctl(room, *words):
    told = subprocess.run([*room.prefix, "journalctl", "--no-pager", "--all", "--output=json", *words], capture_output=True, text=True, check=True)
    return [json.loads(line) for line in told.stdout.splitlines()]


def script(room, text, name="web", extra=""):
    return room.service(name, ["/bin/sh", "-c", text], "[log]\noutput = 'journal'\n" + extra)


def started(room, text, lines):
    script(room, text + "; exec sleep 1000")
    room("start", "web")
    wait_until(lambda: len(journalctl(room, "STEWARD_SERVICE=web")) == lines, "the lines are in the journal")


def test_journald_takes_every_kind_of_line(journal_room):
    room = journal_room
    started(room, r"echo out; echo '<4>warned'; printf 'a\000b\377\n'; head -c 250000 /dev/zero | tr '\0' x; echo; echo err >&2", 5)
    told = {(entry["PRIORITY"], entry["STEWARD_STREAM"], str(entry["MESSAGE"])) for entry in journalctl(room, "STEWARD_SERVICE=web")}
    assert told == {("6", "stdout", "out"), ("4", "stdout", "warned"), ("6", "stdout", str([97, 0, 98, 255])), ("6", "stdout", "x" * 250_000), ("3", "stderr", "err")}
    assert {entry["SYSLOG_PID"] for entry in journalctl(room, "SYSLOG_IDENTIFIER=web")} == {str(room.pid())}


def test_logs_reads_the_journal(journal_room):
    room = journal_room
    started(room, "seq 20", 20)
    texts = [str(number) for number in range(1, 21)]
    assert [line.split()[-1] for line in room("logs", "web").out.splitlines()] == texts
    assert [line.split()[-1] for line in room("logs", "-n", "3", "web").out.splitlines()] == ["18", "19", "20"]
    assert [line.split()[-1] for line in room("logs", "--grep", "^1.$", "-n", "2", "web").out.splitlines()] == ["18", "19"]
    assert room("logs", "--until", "yesterday", "web").out == ""
    assert len(room("logs", "--since", "-1h", "web").out.splitlines()) == 20
    document = json.loads(room("logs", "--json", "-n", "1", "web").out)
    assert (document["service"], document["text"], document["stream"]) == ("web", "20", "stdout")
    assert json.loads(room("status", "--json", "-n", "3", "web").out)["services"][0]["last_lines"] == ["18", "19", "20"]


def test_logs_follows_the_journal(journal_room):
    room = journal_room
    flag = room.work / "flag"
    started(room, f"seq 20; (while ! [ -e {flag} ]; do sleep 0.02; done; echo late) & true", 20)
    seen = room.work / "seen"
    with seen.open("w") as out:
        follower = room.spawn("logs", "-f", "web", stdout=out)
    wait_until(lambda: len(seen.read_text().splitlines()) == 10)
    flag.touch()
    wait_until(lambda: seen.read_text().endswith("late\n"))
    assert [line.split()[-1] for line in seen.read_text().splitlines()] == [*map(str, range(11, 21)), "late"]
    follower.terminate()
    follower.wait()


def test_a_follower_ends_when_nobody_reads_it(journal_room):
    room = journal_room
    started(room, "echo one", 1)
    follower = room.spawn("logs", "-f", "web")
    assert follower.stdout.readline().endswith("one\n")
    follower.stdout.close()
    wait_until(lambda: follower.poll() is not None, "the follower's end")
    follower.stderr.close()


def test_two_services_are_merged_and_told_apart(journal_room):
    room = journal_room
    script(room, "echo db1; exec sleep 1000", "db")
    started(room, "echo web1", 1)
    room("start", "db")
    wait_until(lambda: len(journalctl(room, "STEWARD_SERVICE=db")) == 1)
    lines = room("logs", "web", "db").out.splitlines()
    assert [line.split()[0] for line in lines] == ["web", "db"] and [line.split()[-1] for line in lines] == ["web1", "db1"]


def test_what_others_say_in_the_services_name_is_not_believed(journal_room):
    room = journal_room
    started(room, "echo mine", 1)
    forge = "import socket; s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.connect('/run/systemd/journal/socket'); s.send(b'STEWARD_SERVICE=web\\nMESSAGE=forged\\n')"
    subprocess.run([*room.prefix, "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "/usr/bin/python3", "-c", forge], check=True)
    wait_until(lambda: len(journalctl(room, "STEWARD_SERVICE=web")) == 2)
    assert [line.split()[-1] for line in room("logs", "web").out.splitlines()] == ["mine"]


def test_lines_in_the_journal_are_not_merged_with_files(journal_room):
    room = journal_room
    room.sleeper("db")
    room("start", "db")
    started(room, "echo one", 1)
    finished = room("logs", "web", "db", code=None)
    assert "its lines are in the journal, and those of the others in files" in finished.err
