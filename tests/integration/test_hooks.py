"""[hooks]: commands that are run around the service's life."""

import signal

import pytest

from harness import NOBODY, alive, kill, stat_of, wait_gone, wait_until

EVENTS = ["pre-start", "post-start", "pre-stop", "post-stop", "on-failure", "on-give-up"]

# Tells what it was told; a second one at the same time would be noticed. Then it does what the file named after its event says.
HOOK = """
exec 9>>"$1/lock"; flock -n 9 || echo "TWICE" >>"$1/told"
echo "$STEWARD_EVENT name=$STEWARD_NAME code=$STEWARD_EXIT_CODE signal=$STEWARD_SIGNAL restarts=$STEWARD_RESTARTS main=$MAINPID" >>"$1/told"
echo "the $STEWARD_EVENT hook speaks"
test ! -e "$1/$STEWARD_EVENT" || . "$1/$STEWARD_EVENT"
"""


@pytest.fixture
def hooked(room):
    """Makes a service `web` with all hooks, or with those named. room.told() is what they were told; room.do() has one do something."""
    script = room.root / "hook"
    script.write_text(HOOK)
    (room.work / "lock").touch()
    (room.work / "lock").chmod(0o666)

    def told(*events):
        path = room.work / "told"
        lines = path.read_text().splitlines() if path.exists() else []
        return [line for line in lines if not events or line.split()[0] in events]

    def make(program="exec sleep 1000", events=tuple(EVENTS), extra="", timeout="60s", **keys):
        hooks = "".join(f"{event} = ['/bin/sh', '{script}', '{room.work}']\n" for event in events)
        room.service("web", ["/bin/sh", "-c", program], f"[hooks]\n{hooks}timeout = '{timeout}'\n{extra}", **keys)

    room.told = told
    room.events = lambda: [line.split()[0] for line in told()]
    room.do = lambda event, what: (room.work / event).write_text(what + "\n")
    return make


def steward_log(room):
    return room.steward_log()


def hook_pid(room, event):
    """Of a hook that has been made to sleep."""
    return wait_until(lambda: next((pid for pid in room.living() if f"{room.work}" in (line := line_of(pid)) and "hook" in line), None), event)


def start_waiting_for_its_hook(room, hooked):
    """A `start` whose post-start hook ends when there is a file `go`."""
    hooked()
    room.do("post-start", f"while test ! -e {room.work}/go; do sleep 0.02; done")
    start = room.spawn("start", "web")
    wait_until(lambda: "post-start" in room.events())
    return start


def line_of(pid):
    try:
        with open(f"/proc/{pid}/cmdline") as file:
            return file.read()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def test_each_is_run_in_its_turn_and_told_what_it_needs(room, hooked):
    hooked()
    room("start", "web")
    pid = room.pid()
    assert room.told() == ["pre-start name=web code= signal= restarts=0 main=", f"post-start name=web code= signal= restarts=0 main={pid}"]
    room("stop", "web")
    assert room.told()[2:] == [f"pre-stop name=web code= signal= restarts=0 main={pid}", "post-stop name=web code= signal=TERM restarts=0 main="]
    assert "the pre-start hook speaks" in room.log_text() and "the post-stop hook speaks" in room.log_text()
    room.assert_nothing_left()


def test_a_failure_is_told_of_and_the_restart_is_a_start(room, hooked):
    hooked(extra="[restart]\ndelay = '1ms'\n")
    room("start", "web")
    kill(room.pid())
    wait_until(lambda: room.events()[2:] == ["post-stop", "on-failure", "pre-start", "post-start"])
    assert room.told("post-stop", "on-failure") == [f"{event} name=web code= signal=KILL restarts=0 main=" for event in ("post-stop", "on-failure")]
    assert room.told("post-start")[1].startswith("post-start name=web code= signal=KILL restarts=1 main=")
    wait_until(lambda: room.status()["state"] == "running")
    room("stop", "web")
    room.assert_nothing_left()


def test_giving_up_is_told_of_once(room, hooked):
    hooked(f"test -e {room.work}/bad && exit 3; exec sleep 1000", extra="[restart]\ndelay = '1ms'\nlimit = 2\n")
    room("start", "web")
    (room.work / "bad").touch()
    kill(room.pid())
    wait_until(lambda: room.status()["state"] == "failed")
    assert room.events().count("on-failure") == 3 and room.events().count("on-give-up") == 1 and room.events()[-1] == "on-give-up"
    assert room.told("on-give-up") == ["on-give-up name=web code=3 signal= restarts=2 main="]
    room.assert_nothing_left()


def test_a_clean_end_is_no_failure(room, hooked):
    hooked(f"while test ! -e {room.work}/end; do sleep 0.02; done")
    room("start", "web")
    (room.work / "end").touch()
    wait_until(lambda: room.status()["state"] == "finished")
    assert room.events() == ["pre-start", "post-start", "post-stop"]
    room.assert_nothing_left()


def test_without_its_pre_start_hook_it_is_not_launched(room, hooked, supervise):
    hooked(f"touch {room.work}/launched; exec sleep 1000", events=EVENTS if supervise else EVENTS[:2], supervise=supervise)
    room.do("pre-start", "echo 'no database'; exit 4")
    failed = room("start", "web", code=1)
    assert "its pre-start hook '/bin/sh' ended with exit code 4" in failed.err and "no database" in failed.err
    assert not (room.work / "launched").exists()
    assert room.events() == (["pre-start", "post-stop", "on-failure", "on-give-up"] if supervise else ["pre-start"])
    assert room.status()["state"] == "failed"
    room.assert_nothing_left()


def test_a_restart_whose_pre_start_hook_fails_is_a_failure_like_others(room, hooked):
    hooked(extra="[restart]\ndelay = '1ms'\nlimit = 1\n")
    room("start", "web")
    room.do("pre-start", "exit 1")
    kill(room.pid())
    wait_until(lambda: room.status()["state"] == "failed")
    assert "pre-start hook" in room.status()["reason"] and "given up after 1 restarts" in room.status()["reason"]
    room.assert_nothing_left()


def test_one_that_is_not_well_after_its_start_is_ended(room, hooked, supervise):
    hooked(events=EVENTS if supervise else EVENTS[:2], supervise=supervise)
    room.do("post-start", f"echo $MAINPID >{room.work}/main; exit 1")
    assert "its post-start hook '/bin/sh' ended with exit code 1" in room("start", "web", code=1).err
    assert not alive(int((room.work / "main").read_text()))
    assert room.status()["state"] == "failed"
    room.assert_nothing_left()


def test_it_is_not_up_before_its_post_start_hook_has_succeeded(room, hooked):
    start = start_waiting_for_its_hook(room, hooked)
    assert room.status()["state"] == "starting" and not room.status()["ready"] and start.poll() is None
    (room.work / "go").touch()
    assert room.finish(start).code == 0 and room.status()["ready"]
    room("stop", "web")


def test_one_that_takes_too_long_is_killed_with_its_children(room, hooked):
    hooked(events=["pre-start"], timeout="3s")  # it has a child by then
    room.do("pre-start", f"sleep 1000 & echo $! >{room.work}/child; wait")
    assert "did not end within 3 s and was killed" in room("start", "web", code=1).err
    wait_gone(int((room.work / "child").read_text()))
    room.assert_nothing_left()


def test_no_hook_keeps_a_stop_from_stopping(room, hooked):
    hooked()
    room.do("pre-stop", "exit 1")
    room.do("post-stop", "kill -9 $$")
    room("start", "web")
    room("stop", "web")
    assert "its pre-stop hook '/bin/sh' ended with exit code 1" in steward_log(room) and "ended with signal 9 (KILL)" in steward_log(room)
    assert room.status()["state"] == "stopped"
    room.assert_nothing_left()


@pytest.mark.parametrize("event", ["pre-start", "post-start"])
def test_a_stop_overtakes_a_start_in_its_hook(room, hooked, event):
    hooked()
    room.do(event, "sleep 1000")
    start = room.spawn("start", "web")
    wait_until(lambda: event in room.events())
    room("stop", "web")
    assert room.finish(start).code == 1
    assert room.events()[-1] == "post-stop" and "on-failure" not in room.events()
    assert room.status()["state"] == "stopped"
    room.assert_nothing_left()


def test_a_program_that_ends_in_its_post_start_hook_has_failed(room, hooked):
    hooked()
    room.do("post-start", "kill -9 $MAINPID; sleep 1000")
    assert "signal 9" in room("start", "web", code=1).err
    room.assert_nothing_left()


@pytest.mark.parametrize("who", ["supervisor", "keeper"])
@pytest.mark.parametrize("event", EVENTS)
def test_a_hook_that_loses_its_supervisor_is_run_again(room, hooked, event, who):
    hooked(extra="[restart]\npolicy = 'never'\n")
    once = f"test -e {room.work}/once || {{ touch {room.work}/once; sleep 1000; }}"
    room.do(event, once)
    starting = event.endswith("-start")
    start = room.spawn("start", "web")
    if not starting:
        assert room.finish(start).code == 0
        if event.startswith("on-"):
            kill(room.pid())
        else:
            stop = room.spawn("stop", "web")
    wait_until(lambda: (room.work / "once").exists())
    keeper, supervisor = room.pair()
    # It sleeps when the record has the hook's name, by which the next one ends what the hook has left.
    wait_until(lambda: stat_of(supervisor)[0] == "S", "a supervisor that waits")
    kill(keeper if who == "keeper" else supervisor)
    wait_until(lambda: room.events().count(event) == 2)
    assert "TWICE" not in room.told()
    if starting:
        assert room.finish(start).code == 0 and room.status()["state"] == "running"
        room("stop", "web")
    elif event.startswith("on-"):
        wait_until(lambda: room.status()["state"] == "failed")
    else:
        assert room.finish(stop).code == 0 and room.status()["state"] == "stopped"
    room.assert_nothing_left()


def test_a_stop_without_keeper_and_supervisor_has_them_too(room, hooked):
    hooked()
    room("start", "web")
    room.kill_pair()
    room("stop", "web")
    assert room.events() == EVENTS[:4]
    room.assert_nothing_left()


def test_several_commands_are_run_in_order_until_one_fails(room):
    say = [["/bin/sh", "-c", f"echo {word} >>{room.work}/said{end}"] for word, end in (("one", ""), ("two", "; exit 9"), ("three", ""))]
    room.sleeper(extra=f"[hooks]\npre-start = {say[:1] + say[2:]}\npost-stop = {say}\n")
    room("start", "web")
    room("stop", "web")
    assert (room.work / "said").read_text().split() == ["one", "three", "one", "two"]


def test_run_has_them_and_a_second_interrupt_ends_a_long_one(room, hooked):
    hooked()
    room.do("pre-stop", "sleep 1000")
    run = room.spawn("run", "web")
    wait_until(lambda: room.status()["state"] == "running")  # a post-start hook that has spoken may not have ended, and then none is due at the stop
    run.send_signal(signal.SIGINT)
    wait_until(lambda: "pre-stop" in room.events())
    run.send_signal(signal.SIGINT)
    finished = room.finish(run)
    assert room.events() == EVENTS[:4], finished
    assert "the pre-start hook speaks" in finished.out
    room.assert_nothing_left()


def test_a_reexec_waits_for_no_hook_and_kills_none(room, hooked):
    start = start_waiting_for_its_hook(room, hooked)
    assert "a hook of it is running" in room("reexec", "web", code=1).err
    (room.work / "go").touch()
    assert room.finish(start).code == 0
    room("reexec", "web")
    assert room.events() == ["pre-start", "post-start"]
    room("stop", "web")


@pytest.mark.root
def test_they_are_run_as_the_service_in_its_directory(room):
    show = ["/bin/sh", "-c", f"echo $(id -u) $(pwd) $GREETING >{room.work}/who"]
    room.sleeper(extra=f"[hooks]\npre-start = {show}\n", user="nobody", working_directory=room.work, environment={"GREETING": "hello", "STEWARD_EVENT": "mine"})
    room("start", "web")
    assert (room.work / "who").read_text() == f"{NOBODY} {room.work} hello\n"
    room("stop", "web")


@pytest.mark.parametrize(
    "hooks, keys, says",
    [
        ("post-stop = ['/bin/true']", {"supervise": False}, "needs a supervisor"),
        ("on-failure = ['/bin/true']", {"supervise": False}, "needs a supervisor"),
        ("post-start = ['/bin/true']", {"type": "oneshot"}, "has no meaning for a oneshot"),
        ("timeout = '1s'", {}, "has no effect without a hook"),
        ("pre-start = []", {}, "the command is empty"),
        ("pre-start = [['/bin/true'], 'no']", {}, "command"),
        ("pre-start = ['/no/such/program']", {}, "/no/such/program"),
    ],
)
def test_what_makes_no_sense_is_refused(room, hooks, keys, says):
    room.sleeper(extra=f"[hooks]\n{hooks}\n", **keys)
    assert says in room("check", "web", code=None).both


@pytest.mark.root
def test_what_a_failed_pre_start_hook_left_in_the_background_is_gone_without_a_cgroup_too(make_room):
    room = make_room(user=NOBODY)
    left = room.work / "left"
    hook = f"/bin/sleep 1000 & echo $! >{left}; exit 1"
    room.service("web", ["/bin/sleep", "1000"], f"[hooks]\npre-start = ['/bin/sh', '-c', '{hook}']\n")
    assert "pre-start hook" in room("start", "web", code=1).err
    assert not alive(int(left.read_text()))
    room.assert_nothing_left()


@pytest.mark.parametrize("how", ["supervisor", "reexec"])
def test_what_they_say_is_in_the_log_after_a_change_of_supervisors_too(room, hooked, how):
    hooked()
    room("start", "web")
    supervisor = room.pair()[1]
    if how == "reexec":
        room("reexec", "web")
    else:
        kill(supervisor)
        wait_until(lambda: room.pair()[1] not in (0, None, supervisor) and room.status()["supervisor_alive"], "the next supervisor")
    room("stop", "web")
    assert "the pre-stop hook speaks" in room.log_text() and "the post-stop hook speaks" in room.log_text()
