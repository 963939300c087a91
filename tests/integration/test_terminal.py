"""What a person sees: colours and width on a terminal, plain text elsewhere."""

import fcntl
import os
import pty
import re
import struct
import termios

from harness import DEADLINE, STEWARD, wait_until


def on_terminal(room, *words, columns=80, **env):
    """Runs steward on a terminal and returns (exit code, what it drew)."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = room.orphans.popen(
        [str(STEWARD), *map(str, words)], env=room.env | {"TERM": "xterm-256color"} | env, cwd="/", stdin=follower, stdout=follower, stderr=follower
    )
    os.close(follower)
    drawn = b""
    while True:
        try:
            piece = os.read(leader, 65536)
        except OSError:  # the end of a terminal is EIO
            break
        if not piece:
            break
        drawn += piece
    os.close(leader)
    return process.wait(DEADLINE), drawn.decode()


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
    room.service("web", ["/bin/sh", "-c", "echo 'cannot bind to port 80' >&2; exit 9"])
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
