"""PID 1 of a container: the keeper, which reaps, passes signals on, replaces its supervisor, and ends as the service did."""

import os
import signal

import pytest

from harness import STEWARD, alive, children, kill, program_of, stat_of, wait_gone, wait_until

pytestmark = [pytest.mark.root, pytest.mark.skipif(os.getuid() != 0, reason="only root makes a PID namespace")]

WAIT = "while :; do sleep 0.02; done"


class Container:
    """A PID namespace whose first process is `steward run NAME...`."""

    def __init__(self, room, need, *words):
        self.room = room
        self.nsenter = need("nsenter")
        self.run = room.spawn("--pid", "--fork", "--kill-child", "--mount-proc", STEWARD, "run", *words, program=need("unshare"))

    @property
    def init(self):
        """PID 1, by its number outside."""
        return wait_until(lambda: children(self.run.pid), "PID 1")[0]

    def supervisor(self, unlike=None):
        def find():
            return next((pid for pid in children(self.init) if program_of(pid) == STEWARD.name and pid != unlike and alive(pid)), None)

        return wait_until(find, "a supervisor")

    def __call__(self, *words, code=0):
        """steward, in the container."""
        inside = ["-t", self.init, "-p", "-m", STEWARD, *words]
        finished = self.room.finish(self.room.spawn(*inside, program=self.nsenter))
        assert code is None or finished.code == code, finished
        return finished

    def end(self, code=0):
        finished = self.room.finish(self.run)
        assert finished.code == code, finished
        self.room.assert_nothing_left()
        return finished

    def stop(self, code=0):
        os.kill(self.init, signal.SIGTERM)
        return self.end(code)


@pytest.fixture
def container(room, need):
    return lambda *words: Container(room, need, *words)


def writer(room, name="web", script="", extra=""):
    """Tells in a file of its own when it is up, which signals it gets, and the PID on the outside of what it is below."""
    traps = "".join(f"trap 'echo {word} >>$0.got' {word}; " for word in ("USR1", "USR2", "WINCH"))
    room.service(name, ["/bin/sh", "-c", f"{traps}{script} echo up >>$0.got; {WAIT}", room.work / name], extra, inherit_environment=True)


def got(room, name="web"):
    path = room.work / f"{name}.got"
    return path.read_text().split() if path.exists() else []


def shell_below(pid):
    """The main process of the only service: the shell that is a child of its supervisor, or of PID 1."""
    return wait_until(lambda: [each for each in children(pid) if program_of(each) not in ("", STEWARD.name)], "the service")[0]


def test_the_keeper_is_pid_1_and_reaps_every_orphan(room, container):
    writer(room, script="i=0; while test $i -lt 30; do (setsid sleep 0.0$i &); i=$((i + 1)); done;")
    inside = container("web")
    wait_until(lambda: got(room) == ["up"])
    assert stat_of(inside.supervisor())[1] == str(inside.init)
    assert '"keeper_pid": 1,' in inside("status", "--json", "web").out
    wait_until(lambda: len(children(inside.init)) == 1, "only the supervisor is left below PID 1")
    inside.stop()


def test_usr1_usr2_and_winch_are_passed_on(room, container):
    writer(room)
    inside = container("web")
    wait_until(lambda: got(room) == ["up"])
    for number, word in ((signal.SIGUSR1, "USR1"), (signal.SIGUSR2, "USR2"), (signal.SIGWINCH, "WINCH")):
        os.kill(inside.init, number)
        wait_until(lambda each=word: got(room)[-1] == each)
    inside.stop()


@pytest.mark.parametrize("end, code", [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 137)])
def test_it_ends_as_the_service_did(room, container, end, code):
    room.service("web", ["/bin/sh", "-c", f"sleep 0.1; {end}"], "[restart]\npolicy = 'never'\n")
    container("web").end(code)


def test_a_program_that_cannot_be_started_is_told(room, container):
    room.service("web", [room.work / "missing"])
    assert "missing" in container("web").end(5).err


def test_a_killed_supervisor_is_replaced_and_the_service_notices_nothing(room, container):
    writer(room)
    inside = container("web")
    wait_until(lambda: got(room) == ["up"])
    first = inside.supervisor()
    main = shell_below(first)
    for _ in range(3):
        kill(first)
        first = inside.supervisor(unlike=first)
    wait_until(lambda: inside("status", "web", code=None).code == 0)
    assert alive(main) and got(room) == ["up"]
    os.kill(inside.init, signal.SIGUSR1)
    wait_until(lambda: got(room)[-1] == "USR1")
    inside.stop()
    assert not alive(main)


def test_the_exit_status_outlives_the_supervisor(room, container):
    room.service("web", ["/bin/sh", "-c", f"trap 'exit 7' USR1; echo up >>$0.got; {WAIT}", room.work / "web"], "[restart]\npolicy = 'never'\n")
    inside = container("web")
    wait_until(lambda: got(room) == ["up"])
    supervisor = inside.supervisor()
    main = shell_below(supervisor)
    kill(supervisor)
    os.kill(main, signal.SIGUSR1)
    inside.end(7)


def test_a_program_that_dies_early_is_restarted_by_the_policy_under_the_next_supervisor_too(room, container):
    """In a container nobody waits for a first start that could fail."""
    script = f"echo up >>$0.got; test $(wc -l <$0.got) -ge 4 || {{ while ! test -e $0.go; do :; done; exit 3; }}; {WAIT}"
    room.service("web", ["/bin/sh", "-c", script, room.work / "web"], "[restart]\ndelay = '1ms'\n")
    inside = container("web")
    wait_until(lambda: got(room) == ["up"])
    supervisor = inside.supervisor()
    kill(supervisor)
    inside.supervisor(unlike=supervisor)
    (room.work / "web.go").touch()
    wait_until(lambda: got(room) == ["up"] * 4)
    inside.stop()


def test_a_stop_is_not_forgotten_with_its_supervisor(room, container):
    """Killed right after the signal, or in the middle of the stop: the next one stops all the same."""
    slow = "trap 'echo term >>$0.got; sleep 0.3; exit 0' TERM;"
    for name in ("a", "b"):
        writer(room, name, slow)
    for moment in ("at once", "in the middle"):
        inside = container("a", "b")
        wait_until(lambda: got(room, "a")[-1:] == got(room, "b")[-1:] == ["up"])
        supervisor = inside.supervisor()
        os.kill(inside.init, signal.SIGTERM)
        if moment == "in the middle":
            wait_until(lambda: got(room, "a")[-1] == "term")
        kill(supervisor)
        inside.end()


def test_several_services_keep_their_order_over_a_new_supervisor(room, container):
    writer(room, "db", "trap 'echo db >>$0.ends; exit 0' TERM;")
    writer(room, "web", "trap 'echo web >>${0%/*}/db.ends; exit 0' TERM;", "[dependencies]\nrequires = ['db']\n")
    room.service("late", ["/bin/sh", "-c", "exit 1"], "[ready]\ndelay = '100s'\n[restart]\ndelay = '60s'\nmax-delay = '60s'\n")
    writer(room, "never", extra="[dependencies]\nrequires = ['late']\n")
    inside = container("--all")
    wait_until(lambda: got(room, "db") == got(room, "web") == ["up"])
    wait_until(lambda: '"backing-off"' in inside("status", "--json", "late", code=None).out)
    kill(inside.supervisor())
    inside.supervisor()
    wait_until(lambda: all(inside("status", name, code=None).code == 0 for name in ("db", "web")))
    inside.stop()
    assert got(room, "db") == got(room, "web") == ["up"] and got(room, "never") == []
    assert (room.work / "db.ends").read_text().split() == ["web", "db"]


def test_one_of_several_can_be_stopped_and_started_anew(room, container):
    for name in ("a", "b"):
        writer(room, name)
    inside = container("a", "b")
    wait_until(lambda: got(room, "a") == got(room, "b") == ["up"])
    first = inside.supervisor()
    inside("stop", "b")
    inside("status", "b", code=3)
    inside("start", "b")  # under a pair of its own
    wait_until(lambda: got(room, "b") == ["up", "up"])
    # What was given up is not taken back by the next supervisor.
    pids = [room.pid("a"), room.pid("b")]
    kill(first)
    wait_gone(first)
    wait_until(lambda: all(inside("status", name, code=None).code == 0 for name in ("a", "b")))
    assert [room.pid("a"), room.pid("b")] == pids
    inside("stop", "b")
    inside.stop()
