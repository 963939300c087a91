"""Units and scripts: read by the tools that judge such files, executed by the shell that will read them, never half written."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from harness import TOP, NOBODY, wait_until

GOLDEN = TOP / "tests" / "golden" / "init"
SYSTEMS = ["systemd", "sysv", "openrc", "runit", "s6", "dinit"]
HOSTILE = ["", "a b", "tab\there", '"d"', "'s'", "%n %% %", "$HOME ${HOME} $$", "back\\slash\\", ";", "#x", "*", "~", "`id`", "$(id)", "ünï ☃",
           "-", "--", "=", "a=b", "!", "@", "\\x41", "\\n", "@NAME@", "a\\ b", "&&", "|", "<x>", "{a,b}", "%"]
HOSTILE_ENV = {"A": "x y", "B": "%h $HOME \"q\" 'q' \\ ;#", "C": "", "D": "ü☃", "E": "@NAME@ `id`"}


def tool(name):
    return pytest.mark.skipif(shutil.which(name) is None, reason=f"{name} is not installed")


def generated(room, name, system, *options):
    """The files that are written below a directory, by their path there."""
    place = room.root / "dest" / f"{name}-{system}{''.join(options)}"
    room("generate", GOLDEN / f"{name}.toml", "--init", system, "--destdir", place, *options)
    return {str(path.relative_to(place)): path for path in place.rglob("*") if path.is_file()}


CASES = ["web", "hostile", "carried", "unsupervised", "ordered", "sockets"]
FORMS = [(), ("--without-steward",)]


def scripts(room):
    """Every script of every case."""
    for name in CASES:
        for system in SYSTEMS[1:]:
            for form in FORMS:
                for path in generated(room, name, system, *form).values():
                    if path.read_text().startswith("#!"):
                        assert os.access(path, os.X_OK)
                        yield path


def check(*command, env=None):
    finished = subprocess.run([*map(str, command)], capture_output=True, text=True, env=env)
    assert finished.returncode == 0, f"{command}\n{finished.stdout}{finished.stderr}"
    return finished


def test_every_script_is_read_by_dash(room):
    for path in [*scripts(room), *(path for path in (TOP / "init").rglob("*") if path.is_file() and path.read_text().startswith("#!"))]:
        check("dash", "-n", path)


@tool("shellcheck")
def test_shellcheck_finds_nothing_in_any_script_or_template(room):
    paths = [*scripts(room), *(path for path in (TOP / "init").rglob("*") if path.is_file() and path.read_text().startswith("#!"))]
    # Hostile values are meant to look like expansions (2016) and quotes (1003, 2089, 2090); a placeholder is no command (1083, 2194).
    check("shellcheck", "-s", "sh", "-e", "SC1003,SC2016,SC2089,SC2090,SC2034,SC1083,SC2194,SC2050,SC2317", *paths)


@tool("checkbashisms")
def test_checkbashisms_finds_nothing(room):
    for path in scripts(room):
        if "openrc" not in str(path) and "hostile" not in str(path):  # it takes what stands in quotes for code
            check("checkbashisms", "-f", "-x", path)


@tool("systemd-analyze")
@pytest.mark.parametrize("name", CASES + ["carried@x:1.a-b_c"])
@pytest.mark.parametrize("form", FORMS)
def test_systemd_finds_no_fault_in_a_unit(room, name, form):
    units = generated(room, name, "systemd", *form).values()
    # Read with the service that requires them, from where that will be.
    for socket in [path for path in units if path.suffix == ".socket"]:
        shutil.copy(socket, room.work)
    for path in units:
        if path.suffix != ".service":
            continue
        # Programs must be there to be verified, and are not what is verified here.
        text = path.read_text().replace("/usr/sbin/worker ", "/bin/true ").replace("/usr/sbin/worker\n", "/bin/true\n").replace("/usr/bin/steward ", "/bin/true ")
        path.write_text(text.replace("Documentation=man:hostile(8) ", "Documentation="))
        # To this tool, though not to systemd, what follows a colon is an alias.
        path = path.rename(room.work / path.name.replace(":", "-"))
        for needed in re.findall(r"^(?:Requires|Wants)=(.*)$", text, re.M):
            for unit in needed.split():
                if unit.endswith(".service"):
                    (path.parent / unit).write_text("[Service]\nExecStart=/bin/true\n")
        finished = check("systemd-analyze", "verify", "--man=no", path)
        assert finished.stderr == "" and finished.stdout == "", finished


# The program writes what it was given, and waits.
DUMPER = """import json, os, sys, time
with open(sys.argv[1] + ".new", "w") as file:
    json.dump([sys.argv[2:], dict(os.environ), os.getcwd(), os.getuid(), os.getpid()], file)
os.rename(sys.argv[1] + ".new", sys.argv[1])
time.sleep(1000)
"""


@pytest.fixture
def dumper(room):
    """A service that is given everything hostile; its dump, once it is there."""
    program = room.work / "dumper.py"
    program.write_text(DUMPER)
    dump = room.work / "dump"
    room.service("dumper", [sys.executable, "-I", program, dump, *HOSTILE], environment=HOSTILE_ENV, pid_file=room.run / "d.pid",
                 working_directory=room.work, umask="027")

    def read():
        wait_until(dump.exists, "the dump")
        arguments, environment, directory, uid, pid = json.loads(dump.read_text())
        assert arguments == HOSTILE
        assert {name: environment.get(name) for name in HOSTILE_ENV} == HOSTILE_ENV
        assert directory == str(room.work)
        return uid, pid

    return read


def make(room, system, *options, name="dumper"):
    place = room.root / "dest"
    room("generate", name, "--init", system, "--destdir", place, *options)
    return place


@pytest.mark.parametrize("system,path", [("runit", "etc/sv/dumper/run"), ("s6", "etc/s6/sv/dumper/run"), ("dinit", "etc/dinit.d/scripts/dumper")])
def test_a_run_script_becomes_the_program_with_everything_byte_for_byte(room, dumper, system, path):
    room.run.mkdir(exist_ok=True)
    script = make(room, system, "--without-steward") / path
    process = room.spawn(program=script)
    _, pid = dumper()
    assert pid == process.pid
    if system != "dinit":
        assert (room.run / "d.pid").read_text() == f"{pid}\n"
    process.kill()
    room.finish(process)


@pytest.mark.skipif(os.getuid() != 0, reason="start-stop-daemon is for root")
@tool("start-stop-daemon")
def test_the_script_without_steward_starts_reports_and_stops(room, dumper):
    room.run.mkdir(exist_ok=True)
    script = make(room, "sysv", "--without-steward") / "etc/init.d/dumper"

    def act(verb):
        return room.finish(room.spawn(verb, program=script)).code

    assert act("status") == 3
    assert act("start") == 0
    _, pid = dumper()
    assert (room.run / "d.pid").read_text() == f"{pid}\n"
    assert act("status") == 0
    assert act("start") == 0
    assert act("reload") == 3
    assert act("stop") == 0
    assert act("status") == 3
    assert act("stop") == 0
    assert act("nonsense") == 2


@pytest.mark.skipif(os.getuid() != 0, reason="start-stop-daemon is for root")
@tool("start-stop-daemon")
def test_the_script_without_steward_changes_the_user(room, dumper):
    room.run.mkdir(exist_ok=True)
    with (room.etc / "dumper.toml").open("a") as file:
        file.write('user = "nobody"\n')
    script = make(room, "sysv", "--without-steward") / "etc/init.d/dumper"
    assert room.finish(room.spawn("start", program=script)).code == 0
    uid, _ = dumper()
    assert uid == NOBODY
    assert room.finish(room.spawn("stop", program=script)).code == 0


@tool("runsv")
@pytest.mark.parametrize("policy,code,again", [("on-failure", 0, False), ("on-failure", 3, True), ("always", 0, True), ("never", 1, False)])
def test_runit_restarts_by_the_policy_without_steward(room, policy, code, again):
    count = room.work / "count"
    room.service("ends", ["/bin/sh", "-c", f"echo >>{count}; exit {code}"], f'[restart]\npolicy = "{policy}"\n')
    place = make(room, "runit", "--without-steward", name="ends") / "etc/sv/ends"
    shutil.rmtree(place / "log")
    process = room.spawn(place, program=shutil.which("runsv"))
    if again:
        wait_until(lambda: count.exists() and count.stat().st_size >= 2, "a second run")
    else:
        status = place / "supervise" / "status"
        wait_until(lambda: status.exists() and status.read_bytes()[17:18] == b"d", "that it is wanted down")
        assert count.stat().st_size == 1
    process.terminate()
    room.finish(process)


def test_what_is_lost_is_told_and_refused_when_strict(room):
    room.sleeper(extra="[restart]\nlimit = 3\n")
    finished = room("generate", "web", "--init", "systemd")
    assert finished.err == "web: systemd: restart.limit has no equal there: the service runs under steward\n"
    assert "ExecStart=/usr/bin/steward run --here --system web\n" in finished.out
    finished = room("generate", "web", "--init", "systemd", "--without-steward")
    assert finished.err == "web: systemd: restart.limit has no equal there: lost\n"
    place = room.root / "dest"
    finished = room("generate", "web", "--init", "systemd", "--without-steward", "--strict", "--destdir", place, code=3)
    assert "restart.limit would be lost" in finished.err
    assert not place.exists()
    room("generate", "web", "--init", "systemd", "--strict")
    assert "restart.limit" in room("check", "web", "--init", "systemd", "--strict").out


def test_a_newline_is_refused_before_anything_is_written(room):
    room.service("web", ["/bin/echo", "a\nExecStart=/bin/evil"])
    place = room.root / "dest"
    for system in SYSTEMS:
        finished = room("generate", "web", "--init", system, "--destdir", place, code=6)
        assert "newline" in finished.err
    assert not place.exists()


@pytest.mark.parametrize("name", ["a b", "a;b", "-x", "a\nb", "a$b", ".x"])
def test_a_hostile_name_is_refused_before_anything_is_written(room, name):
    path = room.write(name, '[service]\ncommand = ["/bin/true"]\n')
    place = room.root / "dest"
    room("generate", path, "--init", "systemd,runit", "--destdir", place, code=6)
    assert not place.exists()


def test_the_service_file_comes_along_where_the_files_call_steward(room):
    assert "usr/lib/steward/web.toml" not in generated(room, "web", "systemd")
    files = generated(room, "carried", "systemd")
    assert files["usr/lib/steward/carried.toml"].read_bytes() == (GOLDEN / "carried.toml").read_bytes()
    assert oct(files["usr/lib/systemd/system/carried.service"].stat().st_mode & 0o777) == "0o644"


def test_two_init_systems_do_not_write_one_file(room):
    room.sleeper()
    finished = room("generate", "web", "--init", "sysv,openrc", code=6)
    assert "both want /etc/init.d/web" in finished.err


def test_an_ordinary_user_makes_a_packages_files_for_the_system(make_room):
    room = make_room(user=NOBODY)
    room.sleeper()
    place = room.work / "dest"
    room("generate", room.etc / "web.toml", "--init", "systemd,sysv", "--destdir", place)
    assert (place / "usr/lib/systemd/system/web.service").exists()
    assert os.access(place / "etc/init.d/web", os.X_OK)


def test_a_destination_that_cannot_be_written_is_told(room):
    room.sleeper()
    (room.root / "dest").write_text("a file")
    finished = room("generate", "web", "--init", "systemd", "--destdir", room.root / "dest", code=1)
    assert "cannot" in finished.err
