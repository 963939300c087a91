"""One restarter, one truth: what the booted init system knows steward leaves to it, and both say the same, whoever acted last."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from conftest import STEWARD as STEWARD_PROGRAM
from front_ends import FRONT_ENDS, STEWARD, enable, forget_starts
from machine import wait_until
from test_generated import FORMS, daemon, gone, hups, prepare as prepare_generated, started
from test_install import put

only_systemd = pytest.mark.systems("systemd")
FAILING = {"missing": '["/usr/bin/true"]', "ending": '["/bin/sh", "-c", "echo it has no licence >&2; exit 7"]'}

# As somebody may write them, who does not know of --here.
HANDMADE = {
    "systemd": ("/etc/systemd/system/handmade.service", 0o644, """[Service]
Type=forking
ExecStart=/usr/bin/steward start handmade
ExecReload=/usr/bin/steward reload handmade
ExecStop=/usr/bin/steward stop handmade
[Install]
WantedBy=multi-user.target
"""),
    "sysv": ("/etc/init.d/handmade", 0o755, """#!/bin/sh
### BEGIN INIT INFO
# Provides:          handmade
# Required-Start:    $remote_fs
# Required-Stop:     $remote_fs
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
### END INIT INFO
exec /usr/bin/steward "$1" handmade
"""),
    "openrc": ("/etc/init.d/handmade", 0o755, """#!/sbin/openrc-run
extra_started_commands="reload"
start() { /usr/bin/steward start handmade; }
stop() { /usr/bin/steward stop handmade; }
reload() { /usr/bin/steward reload handmade; }
status() { /usr/bin/steward status handmade; }
"""),
    "runit": ("/etc/sv/handmade/run", 0o755, "#!/bin/sh\nexec /usr/bin/steward run handmade\n"),
}


def prepare(machine):
    prepare_generated(machine)
    for name, command in FAILING.items():
        machine.write(f"/etc/steward/{name}.toml", f'[service]\ncommand = {command}\n[restart]\npolicy = "never"\n')
        if machine.system == "systemd":
            program = "/usr/bin/no-such-program" if name == "missing" else '/bin/sh -c "echo it has no licence >&2; exit 7"'
            kind = "exec" if name == "missing" else "oneshot"
            machine.write(f"/usr/lib/systemd/system/{name}.service", f"[Service]\nType={kind}\nExecStart={program}\n")
        else:
            file = Path(machine.root) / f"etc/steward/{name}.toml"
            subprocess.run([STEWARD_PROGRAM, "generate", file, "--init", machine.system, "--destdir", machine.root], check=True, capture_output=True)
            # Gone since then.
            if name == "missing":
                file.write_text(file.read_text().replace("/usr/bin/true", "/usr/bin/no-such-program"))
    path, mode, text = HANDMADE[machine.system]
    machine.write(path, text, mode)
    machine.write("/etc/steward/handmade.toml", '[service]\ncommand = ["/usr/bin/small_daemon", "/var/tmp/handmade.events"]\n[reload]\nsignal = "HUP"\n')


def status(machine, name, *options, code=None):
    finished = machine.run("steward", "status", "--json", *options, name, code=code)
    document = json.loads(finished.out)
    return document["services"][0] if "services" in document else document


def test_services_are_enabled(machine):
    for name in FORMS:
        enable(machine, name)
        assert status(machine, name)["init_system"] == machine.system
        assert status(machine, name)["boot"] == "enabled"


@pytest.mark.parametrize("name", FORMS)
def test_steward_acts_through_the_init_system(machine, name):
    forget_starts(machine, name)
    front = FRONT_ENDS[machine.system][0]
    STEWARD(machine, "stop", name)
    gone(machine, name)
    assert front.says(machine, name) == STEWARD.says(machine, name) == "stopped"

    STEWARD(machine, "start", name)
    first = started(machine, name)
    for other in [*FRONT_ENDS[machine.system], STEWARD]:
        wait_until(lambda: other.says(machine, name) == "running", f"that {other.name} says running")
    assert "already running" in STEWARD(machine, "start", name).out
    assert started(machine, name).pid == first.pid

    # Scripts do not tell the PID of what they start.
    if machine.system in ("systemd", "runit") or name != "alone":
        assert status(machine, name)["main_pid"] == first.pid
    before = hups(machine, name)
    STEWARD(machine, "reload", name)
    wait_until(lambda: hups(machine, name) > before, "the reload")
    STEWARD(machine, "restart", name)
    wait_until(lambda: (process := daemon(machine, name)) and process.pid != first.pid, "the restart")
    wait_until(lambda: front.says(machine, name) == "running", f"that {front.name} says running")
    STEWARD(machine, "stop", name)
    gone(machine, name)
    for other in [*FRONT_ENDS[machine.system], STEWARD]:
        wait_until(lambda: other.says(machine, name) == "stopped", f"that {other.name} says stopped")
    assert "was not running" in STEWARD(machine, "stop", name).out


@pytest.mark.parametrize("name", FORMS)
def test_any_front_end_undoes_what_another_did(machine, name):
    fronts = [*FRONT_ENDS[machine.system], STEWARD]
    for starts in fronts:
        for stops in fronts:
            forget_starts(machine, name)
            starts(machine, "start", name)
            started(machine, name)
            for front in fronts:
                wait_until(lambda: front.says(machine, name) == "running", f"that {front.name} says running after {starts.name}")
            stops(machine, "stop", name)
            gone(machine, name)
            for front in fronts:
                wait_until(lambda: front.says(machine, name) == "stopped", f"that {front.name} says stopped after {stops.name}")


@pytest.mark.parametrize("name", FORMS)
def test_here_is_never_left_to_the_init_system(machine, name):
    """What is started beside the init system is known and ended all the same, and never started twice."""
    STEWARD(machine, "stop", name)
    machine.run("steward", "start", "--here", name)
    first = started(machine, name)
    assert STEWARD.says(machine, name) == "running"
    STEWARD(machine, "start", name)
    assert started(machine, name).pid == first.pid
    STEWARD(machine, "stop", name)
    gone(machine, name)
    assert STEWARD.says(machine, name) == FRONT_ENDS[machine.system][0].says(machine, name) == "stopped"


def test_a_script_that_calls_steward_back_is_not_called_back(machine):
    enable(machine, "handmade")
    running = lambda: daemon(machine, "handmade")
    fronts = [*FRONT_ENDS[machine.system], STEWARD]
    for front in fronts:
        forget_starts(machine, "handmade")
        front(machine, "stop", "handmade")
        wait_until(lambda: not running(), "the end")
        front(machine, "start", "handmade")
        first = wait_until(running, f"the start by {front.name}")
        for other in fronts:
            wait_until(lambda: other.says(machine, "handmade") == "running", f"that {other.name} says running after {front.name}")
        before = hups(machine, "handmade")
        front(machine, "reload", "handmade")
        wait_until(lambda: hups(machine, "handmade") > before, f"the reload by {front.name}")
        front(machine, "restart", "handmade")
        wait_until(lambda: (now := running()) and now.pid != first.pid, f"the restart by {front.name}")
    STEWARD(machine, "stop", "handmade")
    wait_until(lambda: not running(), "the end")
    for front in fronts:
        wait_until(lambda: front.says(machine, "handmade") == "stopped", f"that {front.name} says stopped")


def test_what_steward_installs_it_leaves_to_the_init_system(machine):
    fronts = [*FRONT_ENDS[machine.system], STEWARD]
    put(machine, "/root/mine.toml", '[service]\ncommand = ["/usr/bin/small_daemon", "/var/tmp/mine.events"]\n[reload]\nsignal = "HUP"\n')
    machine.run("steward", "install", "--now", "/root/mine.toml")
    for stops, starts in zip(fronts, reversed(fronts)):
        forget_starts(machine, "mine")
        stops(machine, "stop", "mine")
        wait_until(lambda: not daemon(machine, "mine"), f"the end by {stops.name}")
        for front in fronts:
            wait_until(lambda: front.says(machine, "mine") == "stopped", f"that {front.name} says stopped")
        starts(machine, "start", "mine")
        wait_until(lambda: daemon(machine, "mine"), f"the start by {starts.name}")
        for front in fronts:
            wait_until(lambda: front.says(machine, "mine") == "running", f"that {front.name} says running")
    told = status(machine, "mine", code=0)
    assert (told["init_system"], told["boot"]) == (machine.system, "enabled")
    machine.run("steward", "uninstall", "--purge", "mine")
    assert daemon(machine, "mine") is None
    assert "no such service" in machine.run("steward", "status", "mine", code=4).err


def test_the_killed_is_started_again_by_one_restarter(machine):
    forget_starts(machine, "wrapped")
    STEWARD(machine, "start", "wrapped")
    first = started(machine, "wrapped")
    machine.kill(first)
    wait_until(lambda: (process := daemon(machine, "wrapped")) and process.pid != first.pid, "the restart")
    for front in [*FRONT_ENDS[machine.system], STEWARD]:
        wait_until(lambda: front.says(machine, "wrapped") == "running", f"that {front.name} says running")
    STEWARD(machine, "stop", "wrapped")
    gone(machine, "wrapped")


def test_several_at_once_all_have_what_they_want(machine):
    for verb, is_there in (("start", True), ("stop", False)):
        forget_starts(machine, "wrapped")
        asked = [machine.spawn("steward", verb, "wrapped") for _ in range(4)]
        told = [(process.communicate(), process.returncode) for process in asked]
        assert [code for _, code in told] == [0] * 4, told
        assert (daemon(machine, "wrapped") is not None) == is_there
    gone(machine, "wrapped")


@only_systemd
def test_a_delegated_unit_gives_the_service_a_group_of_its_own(machine):
    forget_starts(machine, "wrapped")
    STEWARD(machine, "start", "wrapped")
    assert "/system.slice/wrapped.service/steward/wrapped\n" in started(machine, "wrapped").cgroup
    STEWARD(machine, "stop", "wrapped")
    gone(machine, "wrapped")


def test_a_failed_start_is_told_by_every_init_system(machine):
    if machine.system != "systemd":
        enable(machine, "ending")
    if machine.system == "runit":
        # Linked, it is started at once; an order that comes while it ends is lost in runit.
        wait_until(lambda: re.match("down: .*: [2-9]s", machine.run("sv", "status", "ending", code=None).out), "that runit leaves it so")
    finished = STEWARD(machine, "start", "ending", code=1)
    assert "exit code 7" in finished.err
    assert daemon(machine, "ending") is None
    told = status(machine, "ending", code=3)
    assert told["state"] == "failed" and told["last_exit"]["code"] == 7
    assert told["init_system"] == machine.system


@pytest.mark.systems("sysv")
def test_a_scripts_exit_code_is_handed_on(machine):
    finished = STEWARD(machine, "start", "missing", code=5)
    assert "no-such-program" in finished.err
    STEWARD(machine, "stop", "alone")
    assert STEWARD(machine, "reload", "alone", code=7)


@only_systemd
def test_a_failed_start_tells_why(machine):
    machine.run("systemctl", "daemon-reload")
    finished = STEWARD(machine, "start", "missing", code=1)
    assert "exit code 203" in finished.err
    finished = STEWARD(machine, "start", "ending", code=1)
    assert "cannot start ending: systemd says 'exit-code': exit code 7" in finished.err
    assert "it has no licence" in finished.err
    told = status(machine, "ending", code=3)
    assert told["state"] == "failed" and told["last_exit"]["code"] == 7
    assert "it has no licence" in told["last_lines"]


@only_systemd
def test_masked_is_told_and_refused(machine):
    STEWARD(machine, "stop", "natural")
    machine.sh("mv /usr/lib/systemd/system/natural.service /run/kept && systemctl mask natural && systemctl daemon-reload")
    assert status(machine, "natural", code=3)["boot"] == "masked"
    assert "masked" in STEWARD(machine, "status", "natural", code=3).out
    finished = STEWARD(machine, "start", "natural", code=1)
    assert "masked" in finished.err and "systemctl unmask natural.service" in finished.err
    assert daemon(machine, "natural") is None
    machine.sh("systemctl unmask natural && mv /run/kept /usr/lib/systemd/system/natural.service && systemctl daemon-reload")


@only_systemd
def test_a_signal_goes_out_by_systemd(machine):
    forget_starts(machine, "natural")
    STEWARD(machine, "start", "natural")
    started(machine, "natural")
    before = hups(machine, "natural")
    machine.run("steward", "signal", "HUP", "natural")
    wait_until(lambda: hups(machine, "natural") > before, "the signal")


@only_systemd
def test_what_is_not_installed_outlives_the_session(machine):
    machine.run("systemd-run", "--scope", "--unit=session", "--quiet", "steward", "start", "--name", "adhoc", "--", "/usr/bin/small_daemon", "/var/tmp/adhoc.events")
    process = wait_until(lambda: daemon(machine, "adhoc"), "the daemon")
    assert "/steward-adhoc.scope/steward/adhoc\n" in process.cgroup
    machine.run("systemctl", "stop", "session.scope", code=None)
    assert daemon(machine, "adhoc").pid == process.pid
    assert STEWARD.says(machine, "adhoc") == "running"
    STEWARD(machine, "stop", "adhoc")
    gone(machine, "adhoc")
    wait_until(lambda: machine.run("systemctl", "is-active", "steward-adhoc.scope", code=None).code != 0, "the end of the scope")


@only_systemd
def test_the_scope_is_there_however_soon_the_next_start_comes(machine):
    machine.run("steward", "start", "--name", "adhoc", "--", "/usr/bin/small_daemon", "/var/tmp/adhoc.events")
    for _ in range(20):
        STEWARD(machine, "restart", "adhoc")
        assert "/steward-adhoc.scope/steward/adhoc\n" in daemon(machine, "adhoc").cgroup
    STEWARD(machine, "stop", "adhoc")


@only_systemd
def test_the_scope_can_be_stopped_by_systemd(machine):
    machine.run("steward", "start", "--name", "adhoc", "--", "/usr/bin/small_daemon", "/var/tmp/adhoc.events")
    machine.run("systemctl", "stop", "steward-adhoc.scope")
    gone(machine, "adhoc")
    wait_until(lambda: STEWARD.says(machine, "adhoc") != "running", "that steward says so")


@only_systemd
def test_who_depends_on_it_is_started_again_with_it(machine):
    """systemd knows who else hangs on a service: a restart is one request."""
    put(machine, "/usr/lib/systemd/system/other.service", "[Unit]\nRequires=natural.service\nAfter=natural.service\n[Service]\nExecStart=/bin/sleep infinity\n")
    machine.run("systemctl", "daemon-reload")
    forget_starts(machine, "natural")
    STEWARD(machine, "start", "natural")
    machine.run("systemctl", "start", "other")
    STEWARD(machine, "restart", "natural")
    assert machine.run("systemctl", "is-active", "other", code=None).out == "active\n"
    STEWARD(machine, "stop", "natural")
    assert machine.run("systemctl", "is-active", "other", code=None).out == "inactive\n"


@only_systemd
def test_a_start_that_takes_too_long_is_undone(machine):
    put(machine, "/etc/steward/slow.toml", '[service]\ncommand = ["/bin/sleep", "1000"]\n')
    put(machine, "/usr/lib/systemd/system/slow.service", "[Service]\nType=notify\nExecStart=/bin/sleep 1000\n")
    machine.run("systemctl", "daemon-reload")
    finished = machine.run("steward", "start", "--timeout=1s", "slow", code=1)
    assert "cannot start slow" in finished.err
    assert machine.run("systemctl", "is-active", "slow", code=None).out == "inactive\n"
    machine.run("steward", "start", "--no-wait", "slow")
    assert status(machine, "slow", code=0)["state"] == "starting"
    STEWARD(machine, "stop", "slow")


@only_systemd
def test_others_are_told_the_status_and_refused_the_rest(machine):
    machine.run("useradd", "--create-home", "plain")
    plain = ["runuser", "-u", "plain", "--", "steward"]
    forget_starts(machine, "natural")
    STEWARD(machine, "start", "natural")
    first = started(machine, "natural")
    assert f"process   {first.pid} " in machine.run(*plain, "status", "natural").out
    for verb in ("stop", "restart", "reload"):
        finished = machine.run(*plain, verb, "natural", code=4)
        assert "not permitted (try: sudo steward" in finished.err
    assert daemon(machine, "natural").pid == first.pid
    STEWARD(machine, "stop", "natural")
    assert machine.run(*plain, "start", "natural", code=4)


@only_systemd
def test_a_users_own_systemd_has_the_users_own_services(machine):
    machine.sh("loginctl enable-linger plain")
    uid = machine.run("id", "-u", "plain").out.strip()
    wait_until(lambda: machine.run("systemctl", "is-active", f"user@{uid}", code=None).out == "active\n", "the user's systemd")
    variables = {"HOME": "/home/plain", "XDG_RUNTIME_DIR": f"/run/user/{uid}"}
    as_plain = lambda *words, **options: machine.run("runuser", "-u", "plain", "--", *words, environment=variables, **options)
    as_plain("mkdir", "-p", "/home/plain/.config/steward", "/home/plain/.config/systemd/user")
    for name in ("own", "loose"):
        put(machine, f"/home/plain/.config/steward/{name}.toml", f'[service]\ncommand = ["/usr/bin/small_daemon", "/home/plain/{name}.events"]\n')
    put(machine, "/home/plain/.config/systemd/user/own.service", "[Service]\nExecStart=/usr/bin/small_daemon /home/plain/own.events\n[Install]\nWantedBy=default.target\n")
    found = lambda name: next((process for process in machine.processes("/usr/bin/small_daemon") if process.argv[1] == f"/home/plain/{name}.events"), None)

    as_plain("steward", "start", "own", "loose")
    own = wait_until(lambda: found("own"), "the user's own")
    assert f"user@{uid}.service/app.slice/own.service\n" in own.cgroup
    assert "steward-loose.scope" in found("loose").cgroup
    assert as_plain("systemctl", "--user", "is-active", "own").out == "active\n"
    assert json.loads(as_plain("steward", "status", "--json", "own").out)["services"][0]["main_pid"] == own.pid
    as_plain("steward", "stop", "own", "loose")
    assert not found("own") and not found("loose")
    machine.run("loginctl", "disable-linger", "plain")


@only_systemd
def test_it_works_without_a_dbus_daemon(machine):
    forget_starts(machine, "natural")
    machine.sh("systemctl stop dbus.socket dbus.service")
    STEWARD(machine, "restart", "natural")
    started(machine, "natural")
    assert status(machine, "natural", code=0)["boot"] == "enabled"
    STEWARD(machine, "stop", "natural")
    gone(machine, "natural")
