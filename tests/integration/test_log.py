"""The way of each line from the program into its log: stamped, whole, once, and there before stop returns."""

import os
import random
import re
import resource
import signal
import stat
import subprocess
import time

import pytest

from harness import NOBODY, STAMP, alive, kill, wait_gone, wait_until, without_stamps

NUMBERS = """
import os, signal, time
asked = []
signal.signal(signal.SIGTERM, lambda *_: asked.append(1))
number = 0
while not asked or number < {more}:
    os.write(1, b'%d {text}\\n' % number)
    number += 1
    if not asked: {pause}
"""


def numbers(more=0, text="." * 60, pause="pass"):
    """A program that writes numbered lines; told to end, it goes on to line `more` first."""
    return ["/usr/bin/python3", "-c", NUMBERS.format(more=more, text=text, pause=pause)]


def assert_whole(text, text_of_line="." * 60):
    """Each line from 0 on, once, in order."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        assert line == f"{number} {text_of_line}", f"line {number} of {len(lines)}: {line!r} after {lines[number - 1]!r}"
    return len(lines)


def whole_lines(room):
    """The log as far as its last line that has an end: a reader may come between two pages of what is being written."""
    text = room.log_text()
    return text[: text.rfind("\n") + 1]


def wait_for_lines(room, more_than=0):
    """Until so many are there. With the first one a program of `numbers` obeys SIGTERM as it should; before, Python just ends."""
    wait_until(lambda: whole_lines(room).count("\n") > more_than, f"more than {more_than} lines")


def test_each_line_has_the_time_in_utc(room):
    room.service("web", ["/bin/sh", "-c", "echo one; echo two; exec sleep 1000"])
    before = time.time()
    room("start", "web")
    wait_until(lambda: "two" in room.log_text())
    lines = (room.log / "web.log").read_text().splitlines()
    assert len(lines) == 2 and all(STAMP.match(line) for line in lines)
    stamp = time.strptime(lines[0][:19] + "UTC", "%Y-%m-%dT%H:%M:%S%Z")
    assert -2 < time.mktime(stamp) - time.timezone - before < 60


def test_tai64n_is_what_tai64nlocal_reads(room):
    room.service("web", ["/bin/sh", "-c", "echo one; exec sleep 1000"], "[log]\ntimestamps = 'tai64n'\n")
    room("start", "web")
    wait_until(lambda: "one" in room.log_text())
    label = re.fullmatch(r"@([0-9a-f]{16})([0-9a-f]{8}) one\n", (room.log / "web.log").read_text())
    assert abs(int(label[1], 16) - 2**62 - 10 - time.time()) < 60


def test_without_stamps_the_bytes_are_the_programs(room):
    room.service("web", ["/bin/sh", "-c", r"printf 'a\000b\377\n\r\n'; exec sleep 1000"], "[log]\ntimestamps = 'none'\n")
    room("start", "web")
    wait_until(lambda: (room.log / "web.log").exists() and (room.log / "web.log").read_bytes() == b"a\0b\xff\n\r\n")


def test_stamps_need_a_supervisor(room):
    room.sleeper(extra="[log]\ntimestamps = 'iso8601'\n", supervise=False)
    assert "timestamps needs a supervisor" in room("check", "web", code=6).err


@pytest.mark.parametrize("stamps", ["none", "iso8601"])
def test_every_byte_is_in_the_log_before_stop_returns(room, stamps):
    room.service("web", numbers(more=30_000), f"[log]\ntimestamps = '{stamps}'\nmax-size = 0\n[stop]\ntimeout = '100s'\n")
    room("start", "web")
    wait_for_lines(room)
    room("stop", "web")
    assert assert_whole(room.log_text()) >= 30_000


@pytest.mark.parametrize("stamps", ["none", "iso8601"])
def test_so_it_is_when_nobody_supervises_any_more(room, stamps):
    """Much more than a FIFO holds: it is taken while the program ends."""
    room.service("web", numbers(more=30_000, pause="time.sleep(0.01)"), f"[log]\ntimestamps = '{stamps}'\nmax-size = 0\n[stop]\ntimeout = '100s'\n")
    room("start", "web")
    wait_for_lines(room)
    room.kill_pair()
    room("stop", "web")
    assert assert_whole(room.log_text()) >= 30_000


def test_what_was_written_while_nobody_supervised_is_there_after_the_next_start(room):
    room.service("web", numbers(pause="time.sleep(0.005)"))
    room("start", "web")
    room.kill_pair()
    before = assert_whole(whole_lines(room))
    assert "adopted" in room("start", "web").both or room.status()["state"] == "running"
    wait_until(lambda: assert_whole(whole_lines(room)) > before + 5)
    room("stop", "web")
    assert_whole(room.log_text())


@pytest.mark.parametrize("stamps", ["none", "iso8601"])
def test_kills_of_keeper_and_supervisor_lose_and_double_nothing(room, stamps):
    room.service("web", numbers(), f"[log]\ntimestamps = '{stamps}'\nmax-size = 0\n")
    room("start", "web")
    chance = random.Random(1)
    for _ in range(12):
        time.sleep(chance.uniform(0, 0.05))
        keeper, supervisor = room.pair()
        kill(chance.choice([keeper, supervisor]))
        wait_until(lambda old=(keeper, supervisor): (now := room.pair()) != old and all(now) and all(map(alive, now)), "a whole pair")
    wait_for_lines(room, more_than=1000)
    room("stop", "web")
    assert assert_whole(room.log_text()) > 1000


def test_program_and_supervisor_killed_together_lose_nothing(room):
    """The keeper holds what the program had written."""
    room.service("web", ["/bin/sh", "-c", "read go <$0; echo written; kill -KILL $PPID $$", room.work / "go"], "[restart]\npolicy = 'never'\n")
    os.mkfifo(room.work / "go")
    os.chmod(room.work / "go", 0o666)
    room("start", "web")
    _, supervisor = room.pair()
    kill(supervisor, signal.SIGSTOP)  # it will not read what is written now
    (room.work / "go").write_text("\n")
    wait_gone(supervisor)
    wait_until(lambda: room.log_text() == "written\n")


def test_the_first_lines_of_the_next_run_begin_a_line(room):
    script = "printf 'no end'; while ! test -e $0; do sleep 0.02; done"
    room.service("web", ["/bin/sh", "-c", script, room.work / "go"], "[restart]\npolicy = 'always'\ndelay = '10ms'\n")
    room("start", "web")
    (room.work / "go").touch()
    wait_until(lambda: room.log_text().startswith("no end\nno end"))


def test_a_failed_start_quotes_its_lines_without_stamps(room):
    room.service("web", ["/bin/sh", "-c", "echo what is wrong >&2; exit 3"], "[ready]\ndelay = '100s'\n")
    error = room("start", "web", code=1).err
    assert re.search(r"\| what is wrong$", error, re.MULTILINE), error
    assert STAMP.match((room.log / "web.log").read_text())


@pytest.mark.root
def test_a_program_reopens_its_output_as_its_own_user(room):
    room.service("web", ["/bin/sh", "-c", "echo one >/dev/stdout; echo two >/dev/stderr; exec sleep 1000"], user=str(NOBODY))
    room("start", "web")
    wait_until(lambda: room.log_text() == "one\ntwo\n")
    fifo = (room.run / "web" / "stdout.fifo").stat()
    assert (fifo.st_uid, stat.S_IMODE(fifo.st_mode)) == (NOBODY, 0o600)
    for name in ("stdout.spool", "service.toml"):
        assert stat.S_IMODE((room.run / "web" / name).stat().st_mode) == 0o600
    log = (room.log / "web.log").stat()
    assert log.st_uid == 0 and stat.S_IMODE(log.st_mode) == 0o640


NGINX = """
daemon off;
{user}
worker_processes 1;
pid {root}/nginx.pid;
error_log /dev/stderr notice;
events {{ worker_connections 64; }}
http {{
    access_log /dev/stdout;
    client_body_temp_path {root}/1; proxy_temp_path {root}/2; fastcgi_temp_path {root}/3; uwsgi_temp_path {root}/4; scgi_temp_path {root}/5;
    server {{ listen unix:{root}/socket; location / {{ return 200 "hello"; }} }}
}}
"""


def test_nginx_writes_and_reopens_dev_stdout_and_dev_stderr(room, need):
    server, curl = need("nginx"), need("curl")
    place = room.root / "nginx"
    place.mkdir()
    (place / "nginx.conf").write_text(NGINX.format(root=place, user="user nobody nogroup;" if os.getuid() == 0 else ""))
    room.service("nginx", [server, "-p", place, "-c", place / "nginx.conf", "-e", "stderr"], f"[log]\nstderr-file = '{room.log}/nginx.err'\n")
    room("start", "nginx")

    def get(path):
        words = [curl, "-s", "--unix-socket", place / "socket", f"http://x/{path}"]
        return subprocess.run(words, check=False, stdout=subprocess.DEVNULL).returncode == 0

    wait_until(lambda: get("one"), "nginx listens")  # its socket is there a moment before
    wait_until(lambda: "GET /one" in room.log_text("nginx"))
    room("signal", "USR1", "nginx")
    wait_until(lambda: "reopening logs" in (room.log / "nginx.err").read_text())
    assert get("two")
    wait_until(lambda: "GET /two" in room.log_text("nginx"))
    room("stop", "nginx")
    assert "exit" in without_stamps((room.log / "nginx.err").read_text())


def tells(room, text):
    log = room.log / "steward.log"
    return log.exists() and text in log.read_text()


@pytest.mark.parametrize("instead", ["symlink", "directory"])
def test_a_log_replaced_by_something_else_is_told_once_and_written_again_afterwards(room, instead):
    target = room.work / "target"
    target.write_text("precious\n")
    place = room.root / "logs"
    room.service("web", numbers(pause="time.sleep(0.02)"), f"[log]\nfile = '{place}/web.log'\n")
    room("start", "web")
    path = place / "web.log"
    wait_until(lambda: path.exists() and path.stat().st_size > 0)
    pid = room.pid()
    os.rename(path, place / "old")
    path.symlink_to(target) if instead == "symlink" else path.mkdir()
    os.unlink(place / "old")
    wait_until(lambda: tells(room, "output is kept in memory"))
    path.unlink() if instead == "symlink" else path.rmdir()
    wait_until(lambda: tells(room, "its log is written again: nothing was lost"))
    wait_until(lambda: path.exists() and path.stat().st_size > 0)
    assert target.read_text() == "precious\n" and room.pid() == pid
    assert room.steward_log().count("output is kept in memory") == 1
    room("stop", "web")
    lines = without_stamps(path.read_text()).splitlines()
    first = int(lines[0].split()[0])
    assert [int(line.split()[0]) for line in lines] == list(range(first, first + len(lines)))


@pytest.mark.root
def test_a_permission_that_is_withdrawn_is_told_once(make_room):
    room = make_room(user=NOBODY)
    place = room.root / "logs"
    room.service("web", numbers(pause="time.sleep(0.02)"), f"[log]\nfile = '{place}/web.log'\n")
    room("start", "web")
    path = place / "web.log"
    wait_until(lambda: path.exists() and path.stat().st_size > 0)
    os.chown(place, 0, 0)
    path.unlink()
    wait_until(lambda: tells(room, "output is kept in memory"))
    assert not path.exists()
    os.chown(place, NOBODY, NOBODY)
    wait_until(lambda: tells(room, "its log is written again: nothing was lost"))
    assert room.steward_log().count("output is kept in memory") == 1
    room("stop", "web")
    assert path.stat().st_size > 0


def test_a_log_directory_that_is_removed_is_made_again(room):
    place = room.root / "logs"
    room.service("web", numbers(pause="time.sleep(0.02)"), f"[log]\nfile = '{place}/web.log'\n")
    room("start", "web")
    wait_until(lambda: (place / "web.log").exists())
    gone = place.rename(room.root / "gone")  # in one step: a log that is missed is made again in its directory
    os.unlink(gone / "web.log")
    os.rmdir(gone)
    wait_until(lambda: (place / "web.log").exists() and (place / "web.log").stat().st_size > 0)
    room("stop", "web")


def test_a_limit_on_the_size_of_files_is_a_fault_of_the_log_and_ends_nobody(room):
    def limited():
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    # One write too many loses the whole of it, however much that is: half of what fits is there before.
    go = room.work / "go"
    room.service("web", numbers(pause=f"number == 500 and [time.sleep(0.01) for _ in iter(lambda: os.path.exists('{go}'), True)]"))
    room("start", "web", preexec_fn=limited)
    wait_for_lines(room, more_than=499)
    pair, pid = room.pair(), room.pid()
    go.touch()
    wait_until(lambda: tells(room, f"cannot write to log file '{room.log}/web.log': File too large"))
    assert room.pair() == pair and room.pid() == pid
    room("stop", "web")
    assert assert_whole(room.log_text()) >= 500


@pytest.fixture
def small_disk(room):
    place = room.root / "disk"
    place.mkdir()
    if os.getuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k,mode=755", "none", place], capture_output=True).returncode != 0:
        pytest.skip("may not mount a file system")
    yield place
    room.leave()
    subprocess.run(["umount", "-l", place], check=True)


@pytest.mark.parametrize("stamps", ["none", "iso8601"])
def test_a_full_disk_leaves_the_service_alive_and_the_loss_counted(room, small_disk, stamps):
    done = room.work / "done"
    script = f"i=0; while [ $i -lt 40000 ]; do echo $i {'.' * 60}; i=$((i+1)); done; touch {done}; exec sleep 1000"
    room.service("web", ["/bin/sh", "-c", script], f"[log]\nfile = '{small_disk}/web.log'\ntimestamps = '{stamps}'\n")
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(200_000))
    room("start", "web")
    # It writes 2.6 MB: more than disk and memory bound have together. It is not held up.
    wait_until(done.exists, "the service's last line")
    assert tells(room, "No space left on device")
    assert room.steward_log().count("output is kept in memory") == 1
    subprocess.run(["mount", "-o", "remount,size=8m", small_disk], check=True)
    wait_until(lambda: tells(room, "its log is written again: "))
    loss = re.search(r"written again: (\d+) lines \((\d+) bytes\) were lost", room.steward_log())
    room("stop", "web")
    lines = without_stamps((small_disk / "web.log").read_text()).splitlines()
    notice = [number for number, line in enumerate(lines) if line.startswith("steward: ")]
    assert len(notice) == 1 and f"steward: {loss[1]} lines ({loss[2]} bytes) were dropped here" in lines[notice[0]]
    kept = [line for number, line in enumerate(lines) if number not in notice]
    whole = [int(line.split()[0]) for line in kept if line.endswith("." * 60)]
    assert whole == sorted(set(whole)) and len(kept) - len(whole) <= 1
    assert len(whole) > 10_000 and abs(len(whole) + int(loss[1]) - 40_000) <= 1


def test_a_full_runtime_directory_costs_no_line(room, small_disk):
    room.run = small_disk / "run"
    room.env["STEWARD_RUNTIME_DIR"] = str(room.run)
    go, done = room.work / "go", room.work / "done"
    script = f"while test ! -e {go}; do sleep 0.02; done; i=0; while [ $i -lt 5000 ]; do echo $i {'.' * 60}; i=$((i+1)); done; touch {done}; exec sleep 1000"
    room.service("web", ["/bin/sh", "-c", script])
    room("start", "web")
    ballast = small_disk / "ballast"
    with pytest.raises(OSError, match="No space left"), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    go.touch()
    wait_until(done.exists, "the service's last line")
    wait_until(lambda: "\n4999 " in without_stamps(room.log_text()))
    ballast.unlink()
    room("stop", "web")
    assert [int(line.split()[0]) for line in without_stamps(room.log_text()).splitlines()] == list(range(5000))
    assert "output is kept in memory" not in room.steward_log()


def processor_time(pid):
    with open(f"/proc/{pid}/stat") as stat_file:
        user, system = stat_file.read().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def test_a_count_of_dropped_lines_that_cannot_be_written_is_waited_with(room):
    """Its log has gone wrong before it could be told how much the rate limit has dropped, and nothing more comes."""
    place = room.root / "logs"
    room.service("web", ["/bin/sh", "-c", r"printf '1\n2\n3\n'; exec sleep 1000"], f"[log]\nfile = '{place}/web.log'\nrate-limit = '1/5s'\n")
    room("start", "web")
    path = place / "web.log"
    wait_until(lambda: tells(room, "more lines than its rate-limit"))
    # In this order: one that has gone is made again.
    os.rename(path, place / "old")
    path.mkdir()
    os.unlink(place / "old")
    wait_until(lambda: tells(room, "output is kept in memory"))
    supervisor = room.pair()[1]
    before = processor_time(supervisor)
    time.sleep(1.5)  # the measure itself
    assert processor_time(supervisor) - before < 0.1
    path.rmdir()
    wait_until(lambda: path.is_file() and "steward: 2 lines (4 bytes) were dropped here" in path.read_text())
    wait_until(lambda: tells(room, "its log is written again: nothing was lost"))
