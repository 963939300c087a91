"""What a person sees: colours and width on a terminal, plain text elsewhere."""

import fcntl
import os
import pty
import re
import signal
import struct
import termios
import threading
import time

from harness import DEADLINE, STEWARD, stat_of, wait_until


class Terminal:
    """steward on a terminal, and what it draws there."""

    def __init__(self, room, *words, columns=80, stdout=None, **env):
        self.leader, follower = pty.openpty()
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.process = room.orphans.popen(
            [str(STEWARD), *map(str, words)],
            env=room.env | {"TERM": "xterm-256color"} | env,
            cwd="/",
            stdin=follower,
            stdout=follower if stdout is None else stdout,
            stderr=follower,
        )
        os.close(follower)
        self.drawn = b""
        self.looking = threading.Event()
        self.looking.set()
        self.leaving = False
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        while self.looking.wait(DEADLINE):
            try:
                piece = os.read(self.leader, 65536)
            except OSError:  # the end of a terminal is EIO
                return
            if not piece:
                return
            self.drawn += piece
            if self.leaving:
                return

    def leave(self):
        """The terminal goes away; something must still be written to it."""
        self.leaving = True
        self.reader.join(DEADLINE)
        os.close(self.leader)

    def text(self):
        return without_colour(self.drawn.decode(errors="replace")).replace("\r\n", "\n")

    def finish(self):
        """The exit code and all that was drawn."""
        self.looking.set()
        code = self.process.wait(DEADLINE)
        self.reader.join(DEADLINE)
        os.close(self.leader)
        return code, self.drawn.decode()


def on_terminal(room, *words, columns=80, **env):
    """Runs steward on a terminal and returns (exit code, what it drew)."""
    return Terminal(room, *words, columns=columns, **env).finish()


def without_colour(text):
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def test_status_is_coloured_on_a_terminal_and_plain_in_a_pipe(room):
    room.sleeper(description="A sleeper")
    room("start", "web")
    code, drawn = on_terminal(room, "status", "web")
    assert code == 0 and "\x1b[" in drawn
    assert "\x1b" not in room("status", "web").out
    assert "\x1b" not in on_terminal(room, "status", "web", NO_COLOR="1")[1]
    assert "\x1b" not in on_terminal(room, "status", "--color", "never", "web")[1]
    assert "\x1b[" in room("status", "--color", "always", "web").out
    for word in ("web", "A sleeper", "running", str(room.pid())):
        assert word in without_colour(drawn)


def test_a_table_keeps_within_the_terminal(room):
    for number in range(3):
        room.sleeper(f"a-service-with-quite-a-long-name-{number}", description="and a description that goes on and on and on for ever")
    room("start", "*-1")
    for columns in (60, 80, 132):
        _, drawn = on_terminal(room, "list", columns=columns)
        assert max(len(line) for line in without_colour(drawn).replace("\r", "").splitlines()) <= columns


def test_a_start_from_a_terminal_keeps_no_hold_of_it(room):
    """The terminal's end is seen when the last holder has closed it: the daemon has not got it."""
    room.service("web", ["/bin/sh", "-c", "echo to the log; exec sleep 1000"])
    code, drawn = on_terminal(room, "start", "web")
    assert code == 0 and "to the log" not in drawn
    wait_until(lambda: "to the log" in room.log_text())
    assert room.code() == 0


def test_a_failed_start_shows_cause_exit_and_last_lines(room):
    room.service("web", ["/bin/sh", "-c", "echo 'cannot bind to port 80' >&2; exit 9"], "[ready]\ndelay = '100s'\n")
    code, drawn = on_terminal(room, "start", "web")
    text = without_colour(drawn)
    assert code == 1
    assert "cannot start web" in text and "exit code 9" in text and "cannot bind to port 80" in text


def test_an_error_in_a_file_points_at_the_column(room):
    room.write("web", '[service]\ncommand = ["/bin/sleep", "1"]\numsk = "022"\n')
    _, drawn = on_terminal(room, "check", "web")
    lines = without_colour(drawn).replace("\r", "").splitlines()
    offending = next(number for number, line in enumerate(lines) if 'umsk = "022"' in line)
    assert "^" in lines[offending + 1]
    assert lines[offending + 1].index("^") == lines[offending].index("umsk")


# --- several services on one terminal -------------------------------------------------------------------------------------------------


def chatter(room, name, script, extra=""):
    return room.service(name, ["/bin/sh", "-c", script], "[restart]\npolicy = 'never'\n" + extra)


def lines_of(text):
    """What the services said, without steward's own events."""
    return [line for line in text.splitlines() if " | " in line]


def test_the_lines_of_several_services_stand_behind_their_names(room):
    chatter(room, "web", "echo one; echo two >&2; printf 'not whole, '; sleep 0.1; echo but one line; printf 'no end'")
    chatter(room, "database", "echo up")
    code, drawn = on_terminal(room, "run", "web", "database")
    assert code == 0
    lines = lines_of(without_colour(drawn).replace("\r", ""))
    assert [line for line in lines if line.startswith("web")] == ["web      | one", "web      | two", "web      | not whole, but one line", "web      | no end"]
    assert "database | up" in lines
    web, database = (re.search(rf"\x1b\[0;(\d+)m{name} +\|", drawn)[1] for name in ("web", "database"))
    assert web != database  # each has a colour of its own


def test_names_are_plain_without_colour(room):
    for name in ("a", "b"):
        chatter(room, name, "echo said")
    _, drawn = on_terminal(room, "run", "a", "b", NO_COLOR="1")
    assert "\x1b" not in drawn and sorted(lines_of(drawn.replace("\r", ""))) == ["a | said", "b | said"]


def test_one_service_or_no_terminal_has_no_names(room):
    for name in ("a", "b"):
        chatter(room, name, "echo said; echo complained >&2")
    _, drawn = on_terminal(room, "run", "a")
    assert "said\r\n" in drawn and " | " not in drawn
    finished = room("run", "a", "b", code=0)
    assert finished.out == "said\nsaid\n" and finished.err.count("complained\n") == 2


def test_only_the_stream_that_is_a_terminal_is_labelled(room):
    for name in ("a", "b"):
        chatter(room, name, "echo said; echo complained >&2")
    with open(room.work / "out", "w+") as out:
        _, drawn = Terminal(room, "run", "a", "b", stdout=out, NO_COLOR="1").finish()
    assert (room.work / "out").read_text() == "said\nsaid\n"
    assert sorted(lines_of(drawn.replace("\r", ""))) == ["a | complained", "b | complained"]


def test_a_service_with_a_log_of_its_own_is_not_shown(room):
    chatter(room, "a", "echo said", "[log]\noutput = 'file'\n")
    chatter(room, "b", "echo said")
    _, drawn = on_terminal(room, "run", "a", "b", NO_COLOR="1")
    assert lines_of(drawn.replace("\r", "")) == ["b | said"]
    assert room.log_text("a") == "said\n"


def test_a_terminal_that_takes_nothing_holds_up_who_writes_and_nobody_else(room):
    chatter(room, "loud", "trap '' PIPE; while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done")
    room.service("web", ["/bin/sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.02; done"], "[restart]\npolicy = 'never'\n")
    terminal = Terminal(room, "run", "loud", "web")
    wait_until(lambda: "loud | xxx" in terminal.text())
    terminal.looking.clear()  # the reader ends its last read, then nobody reads
    wait_until(lambda: waits_to_write(room.pid("loud")), "the loud one waits")
    room("stop", "web")  # the supervisor hears
    assert room.code("web") == 3 and room.code("loud") == 0
    terminal.process.send_signal(signal.SIGTERM)
    terminal.looking.set()
    assert terminal.finish()[0] == 0
    room.assert_nothing_left()


def waits_to_write(pid):
    """Its CPU time stands still."""
    first = stat_of(pid)[11:13]
    time.sleep(0.2)
    return stat_of(pid)[11:13] == first


def test_a_terminal_that_goes_away_takes_no_service_along(room):
    for name in ("a", "b"):
        room.service(name, ["/bin/sh", "-c", f"trap '' HUP; while :; do echo said; echo x >>{room.work / name}; sleep 0.02; done"])
    terminal = Terminal(room, "run", "a", "b")
    wait_until(lambda: "b | said" in terminal.text() and (room.work / "a").exists())
    pids = [room.pid("a"), room.pid("b")]
    terminal.leave()
    size = (room.work / "a").stat().st_size
    wait_until(lambda: (room.work / "a").stat().st_size > size + 20)
    assert [room.pid("a"), room.pid("b")] == pids
    room("stop", "a", "b")
    assert terminal.process.wait(DEADLINE) == 0
    room.assert_nothing_left()
