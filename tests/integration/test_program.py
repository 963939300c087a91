"""What the program finds when it runs: read from the kernel, of a real process."""

import grp
import os
import pwd
import resource
import shutil
import signal
import stat

import pytest

from harness import NOBODY, STEWARD, environment_of, proc_status, stat_of, wait_until

@pytest.fixture(params=[True, False], ids=["supervised", "alone"])
def started(room, request):
    """Starts /bin/sleep with these keys and returns its PID."""

    def start(extra="", spawn_options=None, **keys):
        room.sleeper(supervise=request.param, extra=extra, **keys)
        room("start", "web", **(spawn_options or {}))
        return room.pid()

    return start


def descriptors(pid):
    return {int(name): os.readlink(f"/proc/{pid}/fd/{name}") for name in os.listdir(f"/proc/{pid}/fd")}


def has_three_descriptors(pid):
    """What it was given it keeps; while it is being loaded, it has one of a library now and then."""
    wait_until(lambda: sorted(map(int, os.listdir(f"/proc/{pid}/fd"))) == [0, 1, 2], "three descriptors and no more")
    return True


def limits_of(pid, name):
    return resource.prlimit(pid, name)


# --- the defaults ------------------------------------------------------------------------------------------------------------------


def test_it_is_a_session_leader_without_a_terminal(started):
    pid = started()
    fields = stat_of(pid)
    assert fields[4] == "0", "a controlling terminal"
    assert int(fields[3]) != os.getsid(0)


def test_an_unsupervised_daemon_leads_no_session(room):
    """The second fork: what leads no session can never get a controlling terminal by opening one."""
    room.sleeper(supervise=False)
    room("start", "web")
    assert int(stat_of(room.pid())[3]) != os.getsid(0)


def test_its_directory_umask_and_input_are_those_of_a_daemon(started):
    pid = started()
    assert os.readlink(f"/proc/{pid}/cwd") == "/"
    assert int(proc_status(pid)["Umask"], 8) == 0o022
    assert os.readlink(f"/proc/{pid}/fd/0") == "/dev/null"


def test_it_has_three_descriptors(started):
    assert has_three_descriptors(started())


def test_inherited_descriptors_are_closed_whatever_their_number(started):
    high = resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 1

    def leave_open():
        for number in (200, 201, high):
            os.dup2(0, number, inheritable=True)

    assert has_three_descriptors(started(spawn_options={"close_fds": False, "preexec_fn": leave_open}))


def test_closing_them_is_quick_with_an_unlimited_number(started):
    """A loop over a billion numbers would not end before the deadline."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]

    def raise_limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))

    pid = started(spawn_options={"preexec_fn": raise_limit, "timeout": 20})
    assert has_three_descriptors(pid)


def test_ignored_and_blocked_signals_are_reset(started):
    def hostile():
        for number in range(1, 32):
            if number not in (signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD):
                signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))

    status = proc_status(started(spawn_options={"preexec_fn": hostile}))
    for mask in ("SigBlk", "SigIgn", "SigCgt", "SigPnd", "ShdPnd"):
        assert int(status[mask], 16) == 0, mask


def test_a_caller_that_ignores_sigchld_changes_nothing(room):
    script = "while ! test -e $0; do sleep 0.02; done; exit 3"
    room.service("web", ["/bin/sh", "-c", script, room.work / "go"], "[restart]\npolicy = 'never'\n")
    room("start", "web", preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
    (room.work / "go").touch()
    wait_until(lambda: room.status()["state"] == "failed")
    assert room.status()["last_exit"]["code"] == 3


def test_a_caller_without_standard_streams_changes_nothing(room, started):
    room.sleeper()

    def close_streams():
        for number in (0, 1, 2):
            os.close(number)

    room("start", "web", preexec_fn=close_streams, stdin=None, stdout=None, stderr=None)
    assert has_three_descriptors(room.pid())
    assert descriptors(room.pid())[0] == "/dev/null"


def test_its_environment_is_fixed_and_small(started, room):
    hostile = room.env | {"LD_PRELOAD_X": "x", "IFS": "x", "NOTIFY_SOCKET": "/x", "LISTEN_FDS": "3", "BASH_ENV": "/x", "SECRET": "x", "PYTHONPATH": "/x"}
    environment = environment_of(started(spawn_options={"env": hostile}))
    assert set(environment) <= {"PATH", "LANG", "HOME", "USER", "LOGNAME", "SHELL"}
    account = pwd.getpwuid(os.getuid())
    assert environment["HOME"] == account.pw_dir
    assert environment["USER"] == environment["LOGNAME"] == account.pw_name
    assert environment["PATH"].startswith("/usr/local/sbin:") and "." not in environment["PATH"].split(":")


# --- the keys ----------------------------------------------------------------------------------------------------------------------


def test_environment_and_files_are_passed_and_the_later_file_wins(started, room):
    one, two = room.work / "one.env", room.work / "two.env"
    one.write_text("# a comment\nA=1\nB='with spaces'\nC=\"a \\\"quote\\\"\"\nLONG=one\\\ntwo\n")
    two.write_text("A=2\nD=$A\n")
    environment = environment_of(started(environment_files=[one, two, f"-{room.work}/none"], environment={"B": "table", "E": "ü = €"}))
    assert environment["A"] == "2"
    assert environment["B"] == "with spaces"
    assert environment["C"] == 'a "quote"'
    assert environment["D"] == "$A"
    assert environment["LONG"] == "onetwo"
    assert environment["E"] == "ü = €"


def test_a_missing_environment_file_fails_the_start_unless_it_is_optional(room):
    room.sleeper(environment_files=[str(room.work / "none")])
    assert "none" in room("start", "web", code=None).err
    assert room.code() == 3


@pytest.mark.parametrize("inherit, passed", [(True, {"KEEP", "DROP"}), (False, set()), (["KEEP"], {"KEEP"})])
def test_inherit_environment(started, room, inherit, passed):
    environment = environment_of(started(inherit_environment=inherit, spawn_options={"env": room.env | {"KEEP": "k", "DROP": "d"}}))
    assert {name for name in ("KEEP", "DROP") if name in environment} == passed


def test_options_variable_appends_its_words_to_argv(room):
    defaults = room.work / "default"
    defaults.write_text("DAEMON_OPTS=\"900 '800' $HOME_IS_NOT_EXPANDED\"\n")
    script = 'printf "%s\\n" "$@" >"$0"; exec sleep 1000'
    room.service("web", ["/bin/sh", "-c", script, room.work / "words", "first"], options_variable="DAEMON_OPTS", environment_files=[defaults])
    room("start", "web")
    wait_until(lambda: (room.work / "words").exists() and (room.work / "words").read_text().count("\n") == 4)
    assert (room.work / "words").read_text().splitlines() == ["first", "900", "800", "$HOME_IS_NOT_EXPANDED"]


def test_umask_and_working_directory(started, room):
    pid = started(umask="0027", working_directory=room.work)
    assert int(proc_status(pid)["Umask"], 8) == 0o027
    assert os.readlink(f"/proc/{pid}/cwd") == str(room.work)


@pytest.mark.root
def test_user_group_and_groups_are_exactly_those_asked_for(started):
    pid = started(user="daemon", group="nogroup", supplementary_groups=["adm", "tty"])
    status = proc_status(pid)
    daemon = pwd.getpwnam("daemon").pw_uid
    assert status["Uid"].split() == [str(daemon)] * 4
    assert status["Gid"].split() == [str(grp.getgrnam("nogroup").gr_gid)] * 4
    assert set(map(int, status["Groups"].split())) <= {grp.getgrnam(name).gr_gid for name in ("adm", "tty", "nogroup", "daemon")}
    assert {grp.getgrnam("adm").gr_gid, grp.getgrnam("tty").gr_gid} <= set(map(int, status["Groups"].split()))
    assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0
    assert environment_of(pid)["USER"] == "daemon"
    assert environment_of(pid)["HOME"] == pwd.getpwnam("daemon").pw_dir


@pytest.mark.root
def test_a_dropped_user_keeps_none_of_root_s_groups(started):
    def many_groups():
        os.setgroups([0, 4, 5, 6, 1000])

    pid = started(user=str(NOBODY), spawn_options={"preexec_fn": many_groups})
    assert not set(proc_status(pid)["Groups"].split()) & {"0", "4", "5", "6", "1000"}


@pytest.mark.root
def test_the_pid_file_of_a_dropped_user_s_service_belongs_to_root(started, room):
    started(user=str(NOBODY))
    assert room.pid_file().stat().st_uid == 0
    assert room.run.stat().st_uid == 0
    assert (room.run / "web").stat().st_uid == 0
    for path in (room.run / "web").iterdir():
        if path.suffix == ".fifo":
            # The program's own output, which it may open again: its user's, and nobody else's.
            assert path.is_fifo() and path.stat().st_uid == NOBODY and path.stat().st_mode & 0o777 == 0o600, path
            continue
        assert path.stat().st_uid == 0 and not path.stat().st_mode & 0o022, path


@pytest.mark.root
def test_root_directory(started, room):
    jail = room.root / "jail"
    for library in ("/bin/sleep", *libraries("/bin/sleep")):
        target = jail / library.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, target)
    pid = started(root_directory=jail)
    assert os.readlink(f"/proc/{pid}/root") == str(jail)
    assert os.readlink(f"/proc/{pid}/cwd") == str(jail)


def libraries(program):
    import re
    import subprocess

    listing = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    return re.findall(r"(/\S+) \(0x", listing)


def test_limits(started):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    pid = started(extra='[limits]\nnofile = "100:200"\ncore = 0\nstack = "1MiB:2MiB"\n')
    assert limits_of(pid, resource.RLIMIT_NOFILE) == (100, 200)
    assert limits_of(pid, resource.RLIMIT_CORE) == (0, 0)
    assert limits_of(pid, resource.RLIMIT_STACK) == (1 << 20, 2 << 20)
    assert hard >= 200


def test_limits_are_the_caller_s_where_the_file_is_silent(started):
    pid = started()
    assert limits_of(pid, resource.RLIMIT_NOFILE) == resource.getrlimit(resource.RLIMIT_NOFILE)


def test_nice_oom_score_and_affinity(started):
    cpu = min(os.sched_getaffinity(0))
    pid = started(extra=f"[resources]\nnice = 7\noom-score-adjust = 321\ncpu-affinity = [{cpu}]\n")
    assert os.getpriority(os.PRIO_PROCESS, pid) == 7
    assert open(f"/proc/{pid}/oom_score_adj").read().strip() == "321"
    assert os.sched_getaffinity(pid) == {cpu}


def test_no_new_privileges(started):
    assert proc_status(started(extra="[security]\nno-new-privileges = true\n"))["NoNewPrivs"] == "1"


def test_without_the_key_privileges_are_as_they_were(started):
    assert proc_status(started())["NoNewPrivs"] == proc_status("self")["NoNewPrivs"]


NET_BIND = 1 << 10
CHOWN = 1 << 0


@pytest.mark.root
def test_capabilities_bound_root(started):
    status = proc_status(started(extra="[security]\ncapabilities = ['cap_net_bind_service', 'cap_chown']\n"))
    assert int(status["CapBnd"], 16) == NET_BIND | CHOWN
    assert int(status["CapEff"], 16) == NET_BIND | CHOWN


@pytest.mark.root
def test_an_empty_list_of_capabilities_leaves_none(started):
    status = proc_status(started(extra="[security]\ncapabilities = []\n"))
    assert int(status["CapBnd"], 16) == int(status["CapEff"], 16) == 0


@pytest.mark.root
def test_ambient_capabilities_reach_a_program_of_another_user(started):
    status = proc_status(started(user="daemon", extra="[security]\nambient-capabilities = ['cap_net_bind_service']\n"))
    for field in ("CapAmb", "CapEff", "CapPrm", "CapInh"):
        assert int(status[field], 16) == NET_BIND, field
    assert status["Uid"].split()[0] != "0"


@pytest.mark.root
@pytest.mark.parametrize("user", ["root", "daemon"])
def test_directories_are_made_for_the_user_and_told(room, need, user):
    """In a mount namespace with empty /run, /var/lib, /var/cache, /var/log: the machine's own stay as they are."""
    result = room.work / "result"
    script = f"env >{result}; stat -c '%n %a %U' /run/web /run/web/sub /var/lib/web /var/cache/web /var/log/web /etc/web >>{result}; touch {result}.whole; exec sleep 1000"
    extra = (
        "[directories]\nruntime = ['web', 'web/sub']\nstate = ['web']\ncache = ['web']\nlogs = ['web']\nconfiguration = ['web']\nmode = '0750'\n"
    )
    room.service("web", ["/bin/sh", "-c", script], extra, user=user)
    places = " ".join(("/run", "/var/lib", "/var/cache", "/var/log"))
    inside = f"for place in {places}; do mount -t tmpfs -o mode=755 none $place; done; cp -a /etc {room.work}/etc; mount --bind {room.work}/etc /etc; "
    inside += f"{STEWARD} start web && until test -e {result}.whole; do sleep 0.01; done && {STEWARD} stop web"
    finished = room("--mount", "--propagation", "private", "/bin/sh", "-c", inside, program=need("unshare"))
    lines = result.read_text().splitlines()
    assert f"/run/web 750 {user}" in lines and f"/run/web/sub 750 {user}" in lines, finished
    for place in ("/var/lib/web", "/var/cache/web", "/var/log/web"):
        assert f"{place} 750 {user}" in lines
    environment = dict(line.split("=", 1) for line in lines if "=" in line)
    assert environment["RUNTIME_DIRECTORY"] == "/run/web:/run/web/sub"
    assert environment["STATE_DIRECTORY"] == "/var/lib/web"
    assert environment["CACHE_DIRECTORY"] == "/var/cache/web"
    assert environment["LOGS_DIRECTORY"] == "/var/log/web"
    assert environment["CONFIGURATION_DIRECTORY"] == "/etc/web"


@pytest.mark.root
def test_a_directory_that_is_a_symlink_is_refused(room, need):
    room.sleeper(user="daemon", extra="[directories]\nruntime = ['web']\n")
    target = room.root / "target"
    target.mkdir()
    inside = f"mount -t tmpfs -o mode=755 none /run; ln -s {target} /run/web; {STEWARD} start web"
    finished = room("--mount", "--propagation", "private", "/bin/sh", "-c", inside, program=need("unshare"), code=None)
    assert finished.code not in (0, 2), finished
    assert "/run/web" in finished.err
    assert target.stat().st_uid == 0 and stat.S_IMODE(target.stat().st_mode) == 0o755
    room.assert_nothing_left()


def test_arguments_arrive_as_they_were_written(room):
    words = ["$HOME", "`id`", "a b", "%n", "%%", "\\", '"', "'", ";", "*", "ü", "", "-x", "\t"]
    seen = room.work / "seen"
    room.service("web", ["/bin/sh", "-c", 'printf "%s\\n" "$@" >"$0"; exec sleep 1000', seen, *words])
    room("start", "web")
    wait_until(lambda: seen.exists() and seen.read_text().count("\n") == len(words))
    assert seen.read_text().split("\n")[:-1] == words


def test_a_command_written_as_a_string_is_split_by_posix_quoting(room):
    room.write("web", "[service]\ncommand = '/bin/sh -c \"exec sleep 1000\" a\\ b'\n")
    room("start", "web")
    assert room.status()["command"] == ["/bin/sh", "-c", "exec sleep 1000", "a b"]


def test_a_program_without_a_slash_is_found_in_path(room):
    room.service("web", ["sleep", "1000"])
    room("start", "web")
    assert open(f"/proc/{room.pid()}/cmdline", "rb").read() == b"sleep\0001000\0"
