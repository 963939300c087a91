"""A PID is never trusted by number: what is dead is said to be dead, and a stranger is never signalled."""

import os
import sys
import textwrap

import pytest

from harness import NOBODY, STEWARD, alive, kill, snapshot, wait_gone, wait_until

fallback = pytest.mark.fallback


@fallback
def test_an_unsupervised_service_that_was_killed_is_dead_and_status_changes_nothing(room):
    room.sleeper(supervise=False)
    room("start", "web")
    pid = room.pid()
    kill(pid)
    wait_gone(pid)
    before = snapshot(room.root)
    for _ in range(3):
        room("status", "web", code=1)
        room("status", "--json", "web", code=1)
        room("status", code=0)
        room("list", code=0)
    assert snapshot(room.root) == before


@fallback
def test_a_dead_service_without_its_pid_file_is_2(room):
    room.sleeper(supervise=False)
    room("start", "web")
    pid = room.pid()
    kill(pid)
    wait_gone(pid)
    room.pid_file().unlink()
    room("status", "web", code=2)


def test_a_dead_service_starts_again_and_stops(room):
    room.sleeper(supervise=False)
    for verb, code in (("start", 0), ("stop", 3)):
        room("start", "web")
        pid = room.pid()
        kill(pid)
        wait_gone(pid)
        room(verb, "web")
        assert room.code() == code
        room("stop", "web")
        assert room.code() == 3


@fallback
@pytest.mark.parametrize("supervise", [True, False])
def test_a_pid_file_with_the_pid_of_a_stranger_is_stale(room, bystander, supervise):
    room.sleeper(supervise=supervise)
    room("start", "web")
    room("stop", "web")
    room.pid_file().write_text(f"{bystander.pid}\n")
    room("status", "web", code=1)
    room("stop", "web")
    assert bystander.poll() is None
    room.pid_file().write_text(f"{bystander.pid}\n")
    room("start", "web")
    assert room.pid() != bystander.pid
    room("status", "web", code=0)
    room("stop", "web")


def test_a_pid_file_of_a_never_started_service_with_the_pid_of_a_stranger_is_stale(room, bystander):
    room.sleeper()
    room.run.mkdir()
    room.pid_file().write_text(f"{bystander.pid}\n")
    room("status", "web", code=1)
    assert room("signal", "TERM", "web", code=None).code == 7
    room("stop", "web")
    room.pid_file().write_text(f"{bystander.pid}\n")
    room("start", "web")
    assert alive(room.pid()) and room.pid() != bystander.pid


def test_a_pid_file_that_was_overwritten_while_the_service_runs_misleads_nobody(room, bystander):
    room.sleeper()
    room("start", "web")
    pid = room.pid()
    room.pid_file().write_text(f"{bystander.pid}\n")
    assert room.status()["main_pid"] == pid
    room("start", "web")
    assert len(room.stewards()) == 2
    room("stop", "web")
    assert not alive(pid)
    room.assert_nothing_left()


def test_a_pid_file_that_was_removed_while_the_service_runs_misleads_nobody(room):
    room.sleeper()
    room("start", "web")
    pid = room.pid()
    room.pid_file().unlink()
    assert room.code() == 0
    room("start", "web")
    assert room.status()["main_pid"] == pid
    room("stop", "web")
    room.assert_nothing_left()


REFUSED = {
    "abc": b"abc\n",
    "minus one": b"-1\n",
    "minus five": b"-5\n",
    "zero": b"0\n",
    "one": b"1\n",
    "plus": b"+7\n",
    "hexadecimal": b"0x1\n",
    "fraction": b"1.5\n",
    "digits and letters": b"12abc\n",
    "2^32 + 1": b"4294967297\n",
    "10^11": b"100000000000\n",
    "thirty digits": b"1" * 30 + b"\n",
    "nul": b"12\0\n",
    "binary": bytes(range(128, 160)),
}


@pytest.mark.parametrize("content", REFUSED.values(), ids=REFUSED.keys())
def test_a_pid_file_that_makes_no_sense_is_refused(room, content):
    room.sleeper()
    room.run.mkdir()
    room.pid_file().write_bytes(content)
    room("status", "web", code=4)
    for verb in ("start", "stop"):
        finished = room(verb, "web", code=None)
        assert finished.code in (1, 4), finished
        assert "web.pid" in finished.err
    assert room.pid_file().read_bytes() == content
    room.assert_nothing_left()


@pytest.mark.parametrize("content", [b"", b" \n", b"\n\n"], ids=["empty", "blank", "newlines"])
def test_an_empty_pid_file_is_stale(room, content):
    room.sleeper()
    room.run.mkdir()
    room.pid_file().write_bytes(content)
    room("status", "web", code=1)
    room("start", "web")
    assert alive(room.pid())


def test_a_pid_above_the_kernels_limit_is_stale(room):
    room.sleeper()
    room.run.mkdir()
    room.pid_file().write_text("4194305\n")
    room("status", "web", code=1)
    room("start", "web")


@pytest.mark.parametrize("kind", ["symlink", "fifo", "directory", "writable"])
def test_an_object_that_is_no_honest_pid_file_is_refused_without_hanging(room, kind, bystander):
    room.sleeper()
    room.run.mkdir()
    path = room.pid_file()
    if kind == "symlink":
        (room.work / "target").write_text(f"{bystander.pid}\n")
        path.symlink_to(room.work / "target")
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    else:
        path.write_text(f"{bystander.pid}\n")
        path.chmod(0o666)
    room("status", "web", code=4)
    for verb in ("start", "stop"):
        assert room(verb, "web", code=None).code in (1, 4)
    if kind == "symlink":
        assert (room.work / "target").read_text() == f"{bystander.pid}\n"


@pytest.mark.root
def test_a_pid_file_of_another_user_is_refused(room, bystander):
    room.sleeper()
    room.run.mkdir()
    room.pid_file().write_text(f"{bystander.pid}\n")
    os.chown(room.pid_file(), NOBODY, NOBODY)
    room("status", "web", code=4)
    assert room("stop", "web", code=None).code in (1, 4)


def test_a_pid_file_in_a_world_writable_directory_is_refused(room):
    place = room.work / "open"
    place.mkdir()
    place.chmod(0o1777)
    room.sleeper(pid_file=place / "web.pid")
    finished = room("start", "web", code=None)
    assert finished.code in (1, 4) and "web.pid" in finished.err
    room.assert_nothing_left()


def test_a_pid_file_of_ones_own_choice_is_written_and_removed(room):
    place = room.root / "pids"
    place.mkdir()
    room.sleeper(pid_file=place / "own.pid")
    room("start", "web")
    pid = int((place / "own.pid").read_text())
    assert room.status()["main_pid"] == pid
    assert not room.pid_file().exists()
    room("stop", "web")
    assert list(place.iterdir()) == []


REUSE = textwrap.dedent(
    """
    import os, signal, subprocess, sys, time
    steward, supervise = sys.argv[1], sys.argv[2] == "True"
    call = lambda *words: subprocess.run([steward, *words], stdin=subprocess.DEVNULL).returncode
    def reap():
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass
    assert call("start", "web") == 0
    pid = int(open(os.environ["STEWARD_RUNTIME_DIR"] + "/web.pid").read())
    # Everything dies, as when the power goes: a keeper or supervisor that sees the other die is quick to start another.
    others = lambda: [int(entry) for entry in filter(str.isdigit, os.listdir("/proc")) if int(entry) not in (1, os.getpid())]
    while others() if supervise else os.path.exists(f"/proc/{pid}"):
        for victim in others() if supervise else [pid]:
            try:
                os.kill(victim, signal.SIGKILL)
            except ProcessLookupError:
                pass
        reap()
        time.sleep(0.005)
    for _ in range(1000):
        open("/proc/sys/kernel/ns_last_pid", "w").write(str(pid - 1))
        stranger = subprocess.Popen(["/bin/sleep", "1000"])
        if stranger.pid == pid:
            break
        stranger.kill()
        stranger.wait()
    else:
        sys.exit("the PID could not be had again")
    codes = [call("status", "web"), call("signal", "TERM", "web"), call("stop", "web")]
    assert stranger.poll() is None, "the stranger was signalled"
    codes += [call("start", "web"), call("status", "web"), call("stop", "web"), call("status", "web")]
    assert stranger.poll() is None, "the stranger was signalled"
    print("codes", codes)
    """
)


@pytest.mark.root
@fallback
@pytest.mark.parametrize("supervise", [True, False])
def test_a_record_whose_pid_now_belongs_to_another_process_is_stale(room, supervise, need):
    """Real reuse of the PID, in a PID namespace where the next PID can be chosen."""
    unshare = need("unshare")
    room.sleeper(supervise=supervise)
    words = ["--pid", "--fork", "--kill-child", "--mount-proc", sys.executable, "-c", REUSE]
    finished = room.finish(room.spawn(*words, STEWARD, supervise, program=unshare))
    assert finished.code == 0, finished
    assert finished.out.splitlines()[-1] == "codes [1, 7, 0, 0, 0, 0, 3]"


def test_a_zombie_is_not_running(room):
    """A main process that nobody has reaped yet answers kill(pid, 0), and is dead all the same."""
    room.sleeper(supervise=False)
    room("start", "web")
    pid = room.pid()
    room.orphans.own.add(pid)  # so that it is not reaped
    kill(pid)
    wait_until(lambda: not alive(pid))
    assert os.path.exists(f"/proc/{pid}")
    room("status", "web", code=1)
    room("start", "web")
    assert room.pid() != pid
    room.orphans.own.discard(pid)
    room.orphans.reap()


def test_a_record_that_outlived_its_service_is_stale(room):
    """A record put back from a moment at which the service ran: what ran before the machine went down is not running now."""
    room.sleeper(supervise=False)
    room("start", "web")
    pid = room.pid()
    state = room.run / "web"
    kept = {path.name: path.read_bytes() for path in state.iterdir() if path.is_file()}
    room("stop", "web")
    for name, content in kept.items():
        (state / name).write_bytes(content)
    assert not alive(pid)
    room("status", "web", code=2)
    room("start", "web")
    assert alive(room.pid())
