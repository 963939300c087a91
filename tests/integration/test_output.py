"""Where the program's output goes."""

import grp
import gzip
import os
import stat

import pytest

from harness import NOBODY, wait_until, without_stamps

TALKER = ["/bin/sh", "-c", "echo to stdout; echo to stderr >&2; exec sleep 1000"]


@pytest.fixture(params=[True, False], ids=["supervised", "alone"])
def supervise(request):
    return request.param


def test_both_streams_go_to_the_log_file(room, supervise):
    room.service("web", TALKER, supervise=supervise)
    room("start", "web")
    wait_until(lambda: room.log_text() == "to stdout\nto stderr\n")
    mode = (room.log / "web.log").stat()
    assert stat.S_IMODE(mode.st_mode) == 0o640
    assert mode.st_uid == os.getuid()


@pytest.mark.root
def test_the_log_belongs_to_adm_where_there_is_such_a_group(room, supervise):
    room.service("web", TALKER, supervise=supervise, user=str(NOBODY))
    room("start", "web")
    info = wait_until(lambda: (room.log / "web.log").exists() and (room.log / "web.log").stat())
    assert info.st_uid == 0 and info.st_gid == grp.getgrnam("adm").gr_gid


def test_what_a_program_writes_alone_is_appended(room):
    room.service("web", TALKER, supervise=False)
    room("start", "web")
    # By the kernel: what somebody else writes is not overwritten.
    flags = [line for line in open(f"/proc/{room.pid()}/fdinfo/1") if line.startswith("flags")][0].split()[1]
    assert int(flags, 8) & os.O_APPEND


def test_a_second_start_appends(room, supervise):
    room.service("web", TALKER, supervise=supervise)
    for count in (1, 2):
        room("start", "web")
        wait_until(lambda expected=count: room.log_text().count("to stderr") == expected)
        room("stop", "web")


def test_a_log_that_is_a_symlink_is_refused(room, supervise):
    target = room.work / "target"
    target.write_text("precious\n")
    room.log.mkdir()
    (room.log / "web.log").symlink_to(target)
    room.service("web", TALKER, supervise=supervise)
    finished = room("start", "web", code=None)
    assert finished.code in (1, 4), finished
    assert "web.log" in finished.err
    assert target.read_text() == "precious\n"
    assert room.code() == 3
    room.assert_nothing_left()


@pytest.mark.parametrize("kind", ["fifo", "directory"])
def test_a_log_that_is_no_file_is_refused_without_hanging(room, kind, supervise):
    room.log.mkdir()
    path = room.log / "web.log"
    os.mkfifo(path) if kind == "fifo" else path.mkdir()
    room.service("web", TALKER, supervise=supervise)
    assert "web.log" in room("start", "web", code=None).err
    room.assert_nothing_left()


@pytest.mark.root
def test_a_log_in_a_directory_of_another_user_is_refused(room, supervise):
    place = room.root / "theirs"
    place.mkdir()
    os.chown(place, NOBODY, NOBODY)
    room.service("web", TALKER, f"[log]\nfile = '{place}/web.log'\n", supervise=supervise)
    finished = room("start", "web", code=None)
    assert finished.code in (1, 4) and str(place) in finished.err
    assert list(place.iterdir()) == []
    room.assert_nothing_left()


def test_a_log_file_of_ones_own_choice_and_another_for_stderr(room, supervise):
    place = room.root / "logs"
    room.service("web", TALKER, f"[log]\nfile = '{place}/out.log'\nstderr-file = '{place}/err.log'\n", supervise=supervise)
    room("start", "web")
    wait_until(lambda: (place / "err.log").exists() and without_stamps((place / "err.log").read_text()) == "to stderr\n")
    wait_until(lambda: without_stamps((place / "out.log").read_text()) == "to stdout\n")  # each has a way of its own
    assert stat.S_IMODE((place / "err.log").stat().st_mode) == 0o640
    assert not (room.log / "web.log").exists()


def test_output_null_writes_nothing(room, supervise):
    room.service("web", TALKER, "[log]\noutput = 'null'\n", supervise=supervise)
    room("start", "web")
    assert [os.readlink(f"/proc/{room.pid()}/fd/{number}") for number in (1, 2)] == ["/dev/null"] * 2
    assert not (room.log / "web.log").exists()


def test_output_file_is_kept_by_run_too(room):
    room.service("web", TALKER, "[log]\noutput = 'file'\n")
    run = room.spawn("run", "web")
    wait_until(lambda: "to stderr" in room.log_text())
    run.terminate()
    assert "to stdout" not in room.finish(run).out


def test_run_passes_the_output_through(room):
    room.service("web", ["/bin/sh", "-c", "echo to stdout; echo to stderr >&2"])
    finished = room("run", "web")
    assert "to stdout" in finished.out and "to stderr" in finished.err


def test_the_last_lines_are_shown_by_status(room):
    room.service("web", ["/bin/sh", "-c", "for i in $(seq 1 30); do echo line $i; done; exec sleep 1000"])
    room("start", "web")
    wait_until(lambda: "line 30" in room.log_text())
    assert [without_stamps(line) for line in room.status()["last_lines"]] == [f"line {number}" for number in range(21, 31)]
    out = room("status", "-n", "3", "web").out
    assert "line 30" in out and "line 28" in out and "line 27" not in out


def test_the_last_lines_are_shown_by_status_although_the_log_was_rotated_just_now(room):
    room.service("web", ["/bin/sh", "-c", "for i in $(seq 1 30); do echo line $i; done; exec sleep 1000"])
    room("start", "web")
    wait_until(lambda: "line 30" in room.log_text())
    room("stop", "web")
    log = room.log / "web.log"
    log.rename(room.log / "web.log.1")
    room.service("web", ["/bin/sh", "-c", "echo line 31; exec sleep 1000"])
    room("start", "web")
    wait_until(lambda: "line 31" in room.log_text())
    assert [line[-7:] for line in room.status()["last_lines"]] == [f"line {number}" for number in range(22, 32)]
    packed = gzip.compress((room.log / "web.log.1").read_bytes())
    (room.log / "web.log.1").unlink()
    (room.log / "web.log.1.gz").write_bytes(packed)
    assert [line[-7:] for line in room.status()["last_lines"]] == [f"line {number}" for number in range(22, 32)]


def test_control_characters_of_the_log_never_reach_the_terminal(room):
    room.service("web", ["/bin/sh", "-c", "printf 'evil \\033]0;title\\007 \\033[31mred\\n'; exec sleep 1000"])
    room("start", "web")
    wait_until(lambda: "evil" in room.log_text())
    out = room("status", "web").out
    assert "evil" in out and "\x1b" not in out and "\x07" not in out
