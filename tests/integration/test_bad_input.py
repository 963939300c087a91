"""What a wrong word, a wrong file or missing rights get: the exit code of LSB and a sentence that helps."""

import json
import os
import re

import pytest

from harness import NOBODY, SANITIZED, STEWARD

VERBS = ["start", "stop", "restart", "try-restart", "condrestart", "reload", "force-reload", "show", "check", "run"]


@pytest.mark.parametrize("verb", VERBS)
def test_an_unknown_service_is_5(room, verb):
    finished = room(verb, "nosuch", code=5)
    assert "nosuch" in finished.err and finished.out == ""


def test_an_unknown_service_is_5_for_signal(room):
    assert "nosuch" in room("signal", "HUP", "nosuch", code=5).err


def test_the_status_of_an_unknown_service_is_4(room):
    assert "nosuch" in room("status", "nosuch", code=4).both


def test_a_near_miss_of_a_service_is_named(room):
    room.sleeper("webserver")
    assert "webserver" in room("start", "webservr", code=5).err


@pytest.mark.parametrize("verb", ["start", "restart", "check", "show", "run"])
def test_an_invalid_file_is_6_and_every_fault_is_placed(room, verb):
    path = room.write("web", '[service]\ncomand = ["/bin/sleep", "1"]\n\n[stop]\ntimeout = "ten"\n  mode = "gruop"\n')
    finished = room(verb, "web", code=6)
    for place in (f"{path}:2:1:", f"{path}:5:", f"{path}:6:"):
        assert place in finished.err, finished
    assert "comand = [" in finished.err, "the offending line"
    assert re.search(r"\bcommand\b", finished.err) and re.search(r"\bgroup\b", finished.err), "what was meant"


def test_broken_toml_is_6_with_its_place(room):
    path = room.write("web", '[service]\ncommand = ["/bin/sleep", "1"\n')
    assert re.search(re.escape(str(path)) + r":\d+:\d+: ", room("start", "web", code=6).err)


def test_a_file_without_a_command_is_6(room):
    room.write("web", "[service]\ndescription = 'x'\n")
    assert "command" in room("start", "web", code=6).err


def test_a_key_of_a_later_version_is_refused_by_name(room):
    room.sleeper(extra="[reload]\noverlap = true\n")
    finished = room("start", "web", code=6)
    assert "overlap" in finished.err and "not supported by this version" in finished.err


def test_keys_that_need_a_supervisor_are_refused_without_one(room):
    room.sleeper(supervise=False, extra="[restart]\ndelay = '1s'\n")
    assert "supervise" in room("start", "web", code=6).err


@pytest.mark.parametrize("verb", ["start", "check", "run"])
@pytest.mark.parametrize("supervise", [True, False])
def test_a_missing_program_is_5_with_its_path(room, verb, supervise):
    room.service("web", ["/usr/sbin/no-such-daemon", "-x"], supervise=supervise)
    finished = room(verb, "web", code=5)
    assert "/usr/sbin/no-such-daemon" in finished.err
    assert room.code() == 3
    room.assert_nothing_left()


def test_a_program_that_is_nowhere_in_path_is_5_by_its_name(room):
    room.service("web", ["no-such-daemon"])
    assert "no-such-daemon" in room("start", "web", code=5).err


def test_a_program_that_may_not_be_executed_is_told_by_name(room):
    program = room.work / "daemon"
    program.write_text("#!/bin/sh\nsleep 1000\n")
    room.service("web", [program])
    finished = room("start", "web", code=None)
    assert finished.code in (4, 5), finished
    assert str(program) in finished.err and "ermission denied" in finished.err
    room.assert_nothing_left()


@pytest.mark.parametrize("supervise", [True, False])
@pytest.mark.parametrize("content, reason", [(b"\x7fELF garbage", "Exec format error"), (b"#!/no/such/interpreter\n", "/no/such/interpreter")])
def test_an_exec_error_comes_back_by_name_and_errno(room, content, reason, supervise):
    program = room.work / "daemon"
    program.write_bytes(content)
    program.chmod(0o755)
    room.service("web", [program], supervise=supervise)
    finished = room("start", "web", code=None)
    assert finished.code in (1, 5), finished
    assert str(program) in finished.err and reason in finished.err
    assert room.code() == 3
    assert not room.pid_file().exists()
    room.assert_nothing_left()


@pytest.mark.parametrize(
    "key, value, said",
    [
        ("working-directory", "/no/such/directory", "/no/such/directory"),
        ("user", "no-such-user", "no-such-user"),
        ("user", "0day", "0day"),
        ("group", "no-such-group", "no-such-group"),
        ("supplementary-groups", ["no-such-group"], "no-such-group"),
        ("environment-files", ["/no/such/environment"], "/no/such/environment"),
        ("root-directory", "/no/such/root", "/no/such/root"),
    ],
)
def test_what_is_missing_for_the_launch_is_named(room, key, value, said):
    room.sleeper(**{key.replace("-", "_"): value})
    finished = room("start", "web", code=None)
    assert finished.code in (1, 4, 5, 6), finished
    assert said in finished.err
    assert room.code() == 3
    room.assert_nothing_left()


def test_a_limit_that_may_not_be_raised_is_named(room, need):
    """Few may go above their own hard limit: CAP_SYS_RESOURCE is taken away first."""
    setpriv = need("setpriv") if os.getuid() == 0 else None
    room.sleeper(extra="[limits]\nnofile = 1048577\n")
    drop = ["--bounding-set", "-sys_resource", "--inh-caps", "-sys_resource"]
    finished = room(*drop, STEWARD, "start", "web", program=setpriv, code=None) if setpriv else room("start", "web", code=None)
    assert finished.code in (1, 4), finished
    assert "nofile" in finished.err
    room.assert_nothing_left()


@pytest.mark.root
@pytest.mark.parametrize("verb", ["start", "stop", "restart", "reload", "signal", "try-restart", "force-reload"])
def test_another_user_may_not_touch_roots_service(room, verb):
    room.service("web", ["/bin/sh", "-c", "trap : HUP; while :; do sleep 0.02; done"], "[reload]\nsignal = 'HUP'\n")
    room("start", "web")
    pid = room.pid()
    words = ["HUP", "web"] if verb == "signal" else ["web"]
    finished = room(verb, *words, user=NOBODY, code=None)
    if verb == "start":  # it runs, and that is all that was asked
        assert finished.code in (0, 4), finished
    else:
        assert finished.code == 4, finished
        assert f"cannot {verb} web: not permitted (try: sudo steward {verb} " in finished.err
    assert room.pid() == pid and room.code() == 0


@pytest.mark.root
def test_another_user_may_not_start_roots_service(room):
    room.sleeper()
    room("start", "web")
    room("stop", "web")
    finished = room("start", "web", user=NOBODY, code=4)
    assert "not permitted" in finished.err.lower() or "permission denied" in finished.err.lower()
    assert "sudo" in finished.err, "the next step"


@pytest.mark.root
def test_another_user_may_ask_for_the_status_of_roots_service(room):
    room.sleeper()
    room("start", "web")
    finished = room("status", "web", user=NOBODY, code=0)
    assert str(room.pid()) in finished.out


@pytest.mark.parametrize(
    "words, meant",
    [
        (["strat", "web"], "start"),
        (["statsu"], "status"),
        (["relaod", "web"], "reload"),
        (["try-restat", "web"], "try-restart"),
        (["--jsno", "status"], "--json"),
        (["status", "--jsn", "web"], "--json"),
        (["start", "--nmae", "x"], "--name"),
        (["signal", "HPU", "web"], "HUP"),
    ],
)
def test_a_wrong_word_is_2_and_names_the_nearest_right_one(room, words, meant):
    room.sleeper()
    finished = room(*words, code=2)
    assert meant in finished.err and finished.out == ""


@pytest.mark.parametrize(
    "words",
    [[], ["start"], ["stop"], ["signal"], ["signal", "HUP"], ["signal", "web", "HUP"], ["check", "--name"], ["--color", "pink", "status"], ["start", "--name", "x"],
     ["start", "--name", "x", "--"], ["start", "--", "sleep", "1"], ["status", "--lines", "many"], ["--user", "--system", "status"]],
)  # fmt: skip
def test_bad_usage_is_2(room, words):
    room.sleeper()
    assert room(*words, code=2).err != ""


@pytest.mark.parametrize("name", ["../web", "-web", ".web", "a b", "web.pid", "we\nb", "", "a" * 300])
def test_a_name_that_is_none_is_refused(room, name):
    finished = room("start", "--", name, code=None) if name.startswith("-") else room("start", name, code=None)
    assert finished.code in (2, 5, 6), finished
    assert "\x1b" not in finished.err


def test_control_characters_of_a_name_never_reach_the_terminal(room):
    finished = room("start", "we\x1b[31mb", code=None)
    assert finished.code in (2, 5) and "\x1b" not in finished.both


@pytest.mark.parametrize("words", [["--help"], ["help"], ["start", "--help"], ["help", "start"], ["--version"], ["-h"]])
def test_help_and_version_are_results(room, words):
    finished = room(*words, code=0)
    assert finished.out and not finished.err


def test_a_file_that_may_not_be_read_is_4(room):
    if os.getuid() != 0:
        pytest.skip("needs root")
    room.sleeper().chmod(0o600)
    finished = room("check", "web", user=NOBODY, code=4)
    assert "web.toml" in finished.err


@pytest.mark.root
@pytest.mark.parametrize("what", ["file", "directory"])
def test_a_service_file_that_another_user_can_write_is_refused(room, what):
    path = room.sleeper()
    (path if what == "file" else room.etc).chmod(0o777)
    finished = room("start", "web", code=None)
    assert finished.code in (1, 4, 6), finished
    assert "web.toml" in finished.err or str(room.etc) in finished.err
    room.assert_nothing_left()


def test_errors_go_to_stderr_and_json_stays_json(room):
    room.write("web", "[service]\ncomand = 1\n")
    finished = room("check", "--json", "web", code=6)
    assert json.loads(finished.out)


@pytest.mark.skipif(SANITIZED, reason="a sanitizer reads its options from /proc")
def test_the_machine_without_proc_is_not_told_that_nothing_runs(room, need):
    if os.getuid() != 0:
        pytest.skip("needs root")
    room.sleeper()
    room("start", "web")
    unshare = need("unshare")
    script = f"mount -t tmpfs none /proc && {STEWARD} status web; echo code $?; {STEWARD} stop web; echo code $?"
    finished = room("--mount", "--propagation", "private", "/bin/sh", "-c", script, program=unshare, code=None)
    codes = re.findall(r"^code (\d+)$", finished.out, re.M)
    assert codes[0] in ("0", "4"), finished
    assert codes[0] == "0" or codes[1] != "0", finished
