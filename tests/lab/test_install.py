"""The life of an installed service on each init system, from `install` to a file system that shows nothing of it."""

import fnmatch
import hashlib
import json
import os
import random
import stat
import time
from pathlib import Path

import pytest

from front_ends import FRONT_ENDS, forget_starts
from machine import wait_until
from test_generated import REDIS, STEWARD_NEEDED, daemon, gone, hups, service_file, started

SMALL = {"small": service_file("small", ""), "wrapped": service_file("wrapped", STEWARD_NEEDED)}
FILES = SMALL | {"real": REDIS + '[systemd.Service]\nSyslogIdentifier = "the real one"\n'}

# What any boot leaves or alters.
OF_THE_MACHINE = [
    "etc/.pwd.lock", "etc/.updated", "etc/adjtime", "etc/motd", "etc/mtab", "etc/nologin", "etc/resolv.conf", "root/*", "tmp/*", "var/.updated", "var/tmp/*", "var/cache/*",
    "var/lib/dbus/*", "var/lib/init.d/*", "var/lib/misc/*", "var/lib/private", "var/lib/redis/*", "var/lib/systemd/*", "var/lib/urandom/*", "var/log/*tmp", "var/log/dmesg*", "var/log/fsck/*", "usr/lib/rc/cache/*", "var/log/journal/*",
    "var/log/lastlog", "var/log/boot", "var/log/rc.log", "var/log/runit", "var/log/runit/ssh/*", "etc/runit/stopit", "etc/runit/reboot",
]
# What steward tells of itself, which is no service's.
OF_STEWARD = ["var/log/steward", "var/log/steward/steward.log"]


def disk(machine):
    """What was changed on the machine's disk since it was made: every path with what stands there."""
    found = {}
    for directory, directories, files in os.walk(machine.root):
        for name in [*directories, *files]:
            path = Path(directory) / name
            inside = str(path.relative_to(machine.root))
            info = path.lstat()
            kind = stat.S_IFMT(info.st_mode)
            if kind == stat.S_IFDIR:
                found[inside] = "directory"
            elif kind == stat.S_IFLNK:
                found[inside] = "-> " + os.readlink(path)
            elif kind == stat.S_IFREG:
                found[inside] = hashlib.sha256(path.read_bytes()).hexdigest()
            elif kind == stat.S_IFCHR and info.st_rdev == 0:
                found[inside] = "removed"
            else:
                found[inside] = oct(kind)
    return found


def lasting(found):
    """A directory that is in the layer below too is here only because something was done in it."""
    return {path: what for path, what in found.items() if not any(fnmatch.fnmatch(path, pattern) for pattern in OF_THE_MACHINE + OF_STEWARD)}


def difference(machine, before):
    now = lasting(disk(machine))
    different = {path: (before.get(path), now.get(path)) for path in before.keys() | now.keys() if before.get(path) != now.get(path)}
    # The same directory in the layer below: something was made there, and is gone again.
    return {path: change for path, change in different.items() if change != (None, "directory") or not (machine.base / path).is_dir()}


def steward(machine, verb, *words, **options):
    return machine.run("steward", verb, *words, **options)


def put(machine, path, text):
    """By the machine itself: what the host does below a mounted layer need not be seen."""
    machine.run("sh", "-c", 'printf %s "$2" >"$1"', "sh", path, text)


def install(machine, name, *words, text=None, **options):
    path = f"/root/{name}.toml"
    if text is not None:
        put(machine, path, text)
    return steward(machine, "install", path, *words, **options)


def front(machine):
    return FRONT_ENDS[machine.system][0]


def runs(machine, name):
    """That every front end says so."""
    for each in FRONT_ENDS[machine.system]:
        wait_until(lambda each=each: each.says(machine, name) == "running", f"that {each.name} says that {name} is running")


def runs_not(machine, name):
    for each in FRONT_ENDS[machine.system]:
        wait_until(lambda each=each: each.says(machine, name) == "stopped", f"that {each.name} says that {name} is stopped")


@pytest.fixture(scope="module")
def before(machine):
    """The disk as it was before anything was installed, after a boot."""
    # Debian's packages leave the numbers of the links as they are when one is gone; whoever comes next has all of them counted anew.
    machine.sh("! command -v insserv || insserv")
    machine.power_off()
    found = lasting(disk(machine))
    machine.boot()
    for name, text in FILES.items():
        put(machine, f"/root/{name}.toml", text)
    return found


def test_it_is_installed_and_enabled(machine, before):
    for name in FILES:
        told = install(machine, name)
        assert ("systemd.Service.SyslogIdentifier is systemd's alone: lost" in told.err) == (name == "real" and machine.system != "systemd")
        assert f"{name}: installed; {machine.system} starts it at boot\n" in told.out
        assert f"next: steward start {name}" in told.out
        assert f"{name}: unchanged; {machine.system} starts it at boot\n" == install(machine, name).out
    # It is to start at boot, no more.
    for name in SMALL:
        assert daemon(machine, name) is None
        runs_not(machine, name)


def test_now_starts_it(machine, before):
    assert "small: started\n" in install(machine, "small", "--now").out
    first = started(machine, "small")
    assert "started" not in install(machine, "small", "--now").out
    assert started(machine, "small").pid == first.pid
    runs(machine, "small")


def test_a_start_now_that_fails_is_told_with_the_services_last_words(machine, before):
    # systemd waits for no program but one that ends, or says that it is ready.
    waits = ('type = "oneshot"\n', "") if machine.system == "systemd" else ("", '[ready]\ndelay = "2s"\n')
    command = 'command = ["/bin/sh", "-c", "echo no such port >&2; sleep 0.3; exit 3"]\n'
    told = install(machine, "broken", "--now", text="[service]\n" + waits[0] + command + waits[1] + '[restart]\npolicy = "never"\n', code=1)
    assert "cannot start broken: " in told.err and "it is installed and enabled" in told.err
    if machine.system == "systemd":
        assert "systemd says 'exit-code': exit code 3" in told.err and "no such port" in told.err
    steward(machine, "uninstall", "broken", "--purge")
    steward(machine, "status", "broken", code=4)
    machine.run("rm", "/root/broken.toml")


def test_it_runs_after_a_reboot(machine, before):
    machine.reboot()
    for name in SMALL:
        started(machine, name)
        runs(machine, name)
    wait_until(lambda: machine.run("redis-cli", "-p", "7379", "ping", code=None).out == "PONG\n", "an answer")
    if machine.system == "systemd":
        assert machine.run("systemctl", "show", "--property=SyslogIdentifier", "--value", "real").out == "the real one\n"


@pytest.mark.parametrize("name", SMALL)
def test_each_front_end_stops_starts_and_reloads_it(machine, before, name):
    for each in FRONT_ENDS[machine.system]:
        forget_starts(machine, name)
        each(machine, "stop", name)
        gone(machine, name)
        runs_not(machine, name)
        each(machine, "start", name)
        first = started(machine, name)
        runs(machine, name)
        seen = hups(machine, name)
        each(machine, "reload", name)
        wait_until(lambda seen=seen: hups(machine, name) > seen, "the reload")
        assert started(machine, name).pid == first.pid


@pytest.mark.parametrize("name", SMALL)
def test_killed_it_is_started_again(machine, before, name):
    forget_starts(machine, name)
    first = started(machine, name)
    machine.kill(first)
    wait_until(lambda: (process := daemon(machine, name)) and process.pid != first.pid, "the restart")
    started(machine, name)
    runs(machine, name)


@pytest.mark.parametrize("name", SMALL)
def test_it_is_updated_in_place(machine, before, name):
    forget_starts(machine, name)
    first = started(machine, name)
    told = install(machine, name, text=FILES[name].replace("The ", "The newer "))
    assert f"updated /etc/steward/{name}.toml" in told.out
    assert started(machine, name).pid == first.pid
    told = install(machine, name, "--now", text=FILES[name].replace('timeout = "5s"', 'timeout = "6s"'))
    assert f"{name}: started" in told.out
    wait_until(lambda: (process := daemon(machine, name)) and process.pid != first.pid, "the restart")
    runs(machine, name)


def started_with(machine, name):
    """Started anew: its first process, its service file and what is in it."""
    forget_starts(machine, name)
    front(machine)(machine, "start", name)
    path = f"/etc/steward/{name}.toml"
    return started(machine, name), path, machine.run("cat", path).out


def documents_of(machine, name):
    return lambda *words, code=0: json.loads(steward(machine, *words, "--json", name, code=code).out)["services"][0]


def test_a_changed_file_is_applied_with_no_more_than_it_takes(machine, before):
    first, path, text = started_with(machine, "small")
    document = documents_of(machine, "small")
    put(machine, path, text + '[restart]\npolicy = "always"\n')
    assert document("status", code=None)["unit_stale"] is True
    told = document("apply", "--dry-run")
    assert (told["means"], [change["means"] for change in told["keys"]]) == ("signal", ["signal"])
    assert document("apply")["means"] == "signal"
    assert started(machine, "small").pid == first.pid
    assert document("status", code=None)["unit_stale"] is False
    if machine.system == "systemd":
        assert machine.run("systemctl", "show", "--property=Restart", "--value", "small").out == "always\n"

    second = started(machine, "small")
    put(machine, path, text.replace("[service]\n", '[service]\numask = "027"\n'))
    told = document("apply")
    assert told["means"] == "restart" and {change["key"]: change["means"] for change in told["keys"]}["service.umask"] == "restart"
    wait_until(lambda: (process := daemon(machine, "small")) and process.pid != second.pid, "the restart")
    started(machine, "small")
    assert steward(machine, "apply", "small").out == "small: runs as its file says\n"
    runs(machine, "small")
    if machine.system in ("sysv", "openrc"):
        put(machine, path, text)
        steward(machine, "restart", "small")
        assert document("status")["unit_stale"] is False
    install(machine, "small", "--force")


def test_a_supervisor_below_the_init_system_is_told(machine, before):
    first, path, text = started_with(machine, "wrapped")
    document = documents_of(machine, "wrapped")
    supervisor = document("status")["supervisor_pid"]
    put(machine, path, text.replace("limit = 1000", "limit = 999").replace('timeout = "6s"', 'timeout = "8s"'))
    told = document("apply")
    assert told["means"] == "signal" and {change["key"] for change in told["keys"]} == {"restart.limit", "stop.timeout"}
    assert started(machine, "wrapped").pid == first.pid
    now = document("status")
    assert (now["service_file_changed"], now["unit_stale"]) == (False, False)
    assert (now["supervisor_pid"] == supervisor) == (machine.system in ("systemd", "runit"))
    if machine.system == "systemd":
        assert machine.run("systemctl", "show", "--property=TimeoutStopUSec", "--value", "wrapped").out == "18s\n"
    runs(machine, "wrapped")
    put(machine, path, text)
    assert document("apply")["means"] == "signal"
    assert started(machine, "wrapped").pid == first.pid


def test_what_was_edited_is_kept_until_it_is_forced(machine, before):
    listed = json.loads(install(machine, "small", "--json").out)["services"][0]["files"]
    unit = next(entry["path"] for entry in listed if entry["path"].endswith(("/small", "/small.service", "/small/run")))
    machine.sh(f"echo '# mine' >> {unit}")
    assert f"kept {unit}" in install(machine, "small", text=FILES["small"].replace("The ", "The newest "), code=1).out
    assert machine.run("tail", "-n", "1", unit).out == "# mine\n"
    install(machine, "small", "--force")
    assert "# mine" not in machine.run("cat", unit).out


def test_disabled_it_does_not_start_at_boot_and_no_more(machine, before):
    for name in FILES:
        assert f"{name}: disabled; {machine.system} does not start it at boot\n" in steward(machine, "disable", name).out
        assert "was disabled already" in steward(machine, "disable", name).out
    for name in SMALL:
        runs(machine, name)
    machine.reboot()
    for name in SMALL:
        runs_not(machine, name)
        assert daemon(machine, name) is None
    front(machine)(machine, "start", "wrapped")
    started(machine, "wrapped")


def test_an_update_leaves_it_disabled(machine, before):
    assert "does not start it at boot" in install(machine, "small", text=FILES["small"]).out
    assert daemon(machine, "small") is None


def test_a_user_installs_for_the_users_own_systemd(machine, before):
    if machine.system != "systemd":
        pytest.skip("starts services of the system alone")
    uid, home = machine.run("id", "-u", "redis").out.strip(), "/var/lib/redis"
    put(machine, f"{home}/mine.toml", f'[service]\ncommand = ["/usr/bin/small_daemon", "{home}/mine.events"]\n')

    def as_user(*words, code=0):
        return machine.run("setpriv", "--reuid=redis", "--regid=redis", "--init-groups", "--", *words, code=code,
                           environment={"HOME": home, "XDG_RUNTIME_DIR": f"/run/user/{uid}"})

    def running():
        return [process for process in machine.processes("/usr/bin/small_daemon") if process.argv[1] == f"{home}/mine.events"]

    told = as_user("steward", "install", f"{home}/mine.toml")
    assert "lingering is off: it runs only while redis is logged in (try: loginctl enable-linger redis)" in told.err
    assert running() == []
    machine.run("loginctl", "enable-linger", "redis")
    wait_until(running, "the start by the user's systemd")
    assert len(running()) == 1 and f"user@{uid}.service" in running()[0].cgroup
    told = as_user("steward", "install", f"{home}/mine.toml", "--now")
    assert (told.out, told.err) == ("mine: unchanged; systemd starts it at boot\n", "")
    assert as_user("systemctl", "--user", "is-enabled", "mine").out == "enabled\n"
    assert as_user("readlink", f"{home}/.config/systemd/user/default.target.wants/mine.service").out.endswith("/.local/share/systemd/user/mine.service\n")
    as_user("steward", "uninstall", "mine")
    assert as_user("systemctl", "--user", "is-active", "mine", code=None).out == "inactive\n"
    assert machine.sh(f"find {home} -name 'mine.service' -o -path '*steward*' -type f").out == ""
    machine.run("loginctl", "disable-linger", "redis")


def test_uninstalled_it_is_stopped_and_gone(machine, before):
    for name in FILES:
        assert f"{name}: uninstalled\n" in steward(machine, "uninstall", name, "--purge").out
        assert f"{name}: was not installed\n" == steward(machine, "uninstall", name).out
    for name in SMALL:
        assert daemon(machine, name) is None
        assert front(machine).says(machine, name) not in ("running", "stopped")
    assert machine.run("redis-cli", "-p", "7379", "ping", code=None).code != 0
    assert machine.sh("ls -d /run/steward/* /run/sv* 2>/dev/null || true").out == ""


def test_killed_at_any_moment_the_next_one_makes_it_whole(machine, before):
    """Between files, while systemctl or update-rc.d is asked, wherever: an installation is there, or it is not."""
    dice = random.Random(machine.kind)
    began = time.monotonic()
    install(machine, "wrapped")
    took = time.monotonic() - began
    steward(machine, "uninstall", "wrapped", "--purge")

    def kill_within(*command):
        process = machine.spawn(*command)
        time.sleep(dice.uniform(0, took))
        for victim in machine.processes("steward"):
            machine.kill(victim)
        process.communicate()

    for _ in range(6):
        kill_within("steward", "install", "/root/wrapped.toml")
        install(machine, "wrapped")
        assert install(machine, "wrapped").out.startswith("wrapped: unchanged")
        assert daemon(machine, "wrapped") is None
        front(machine)(machine, "start", "wrapped")
        started(machine, "wrapped")
        kill_within("steward", "uninstall", "wrapped", "--purge")
        steward(machine, "uninstall", "wrapped", "--purge")
        gone(machine, "wrapped")


def test_nothing_is_left_of_it(machine, before):
    machine.power_off()
    assert difference(machine, before) == {}
