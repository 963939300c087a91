"""kill -9 of steward's own processes, at any moment: the service runs on, and there is never a second instance."""

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from harness import alive, children, command_line, descendants, kill, stat_of, wait_gone, wait_until

fallback = pytest.mark.fallback

# Holds a lock for as long as it lives; a second instance cannot have it and says so in a file of its own.
HOLDER = 'exec 9>"$0.lock"; flock -n 9 || { echo $$ >>"$0.second"; exit 9; }; echo $$ >>"$0.ran"; exec sleep 1000'


def holder(room, **keys):
    extra = "" if keys.get("supervise") is False else "[restart]\ndelay = '1ms'\n"
    room.service("web", ["/bin/sh", "-c", HOLDER, room.work / "holder"], extra, **keys)


def assert_one_instance(room):
    assert not (room.work / "holder.second").exists(), "a second instance was started"


def whole_pair(room, unlike=()):
    """The PIDs of keeper and supervisor when both live and the record knows them."""

    def look():
        status = room.status()
        pair = status["keeper_pid"], status["supervisor_pid"]
        whole = status["supervisor_alive"] and all(pid and alive(pid) for pid in pair) and not set(pair) & set(unlike)
        return pair if whole and pair[0] != pair[1] else None

    return wait_until(look, "a keeper and a supervisor")


@fallback
def test_a_killed_supervisor_is_replaced_by_its_keeper_and_the_service_runs_on(room):
    holder(room)
    room("start", "web")
    pid = room.pid()
    keeper, supervisor = whole_pair(room)
    for _ in range(5):
        kill(supervisor)
        wait_gone(supervisor)
        again = whole_pair(room, unlike=[supervisor])
        assert again[0] == keeper
        supervisor = again[1]
        assert room.pid() == pid and alive(pid)
    assert room.code() == 0
    room("stop", "web")
    assert_one_instance(room)
    room.assert_nothing_left()


@fallback
@pytest.mark.parametrize("last", ["kill", "reexec"])
def test_who_carries_on_counts_the_restarts_on(room, last):
    """Each run is counted once, whoever saw its end: the limit is reached after as many as ever."""
    runs = room.work / "runs"
    # Each run ends when there is a file of its number: on a slow machine the limit would be reached before three have been killed.
    script = 'echo $$ >>"$0"; number=$(wc -l <"$0"); until test -e "$0.$number"; do sleep 0.02; done; exit 3'
    room.service("web", ["/bin/sh", "-c", script, runs], "[restart]\ndelay = '50ms'\nfactor = 1\nlimit = 10\nwindow = '1h'\n")
    room("start", "web")
    for restarts in range(1, 4):
        Path(f"{runs}.{restarts}").touch()
        wait_until(lambda: room.status()["restarts"] >= restarts, "a restart")
        if restarts == 3 and last == "reexec":
            room("reexec", "web", code=None)
        else:
            kill(whole_pair(room)[1])
    for number in range(4, 12):
        Path(f"{runs}.{number}").touch()
    status = wait_until(lambda: (now := room.status())["state"] == "failed" and now, "the end of the restarts")
    assert status["reason"].endswith(", given up after 10 restarts"), status
    assert status["restarts"] == 10
    assert len(runs.read_text().split()) == 11


@fallback
def test_a_killed_keeper_is_replaced_and_the_service_runs_on(room):
    holder(room)
    room("start", "web")
    pid = room.pid()
    for _ in range(3):
        keeper, _ = whole_pair(room)
        kill(keeper)
        wait_gone(keeper)
        whole_pair(room, unlike=[keeper])
        assert room.pid() == pid and alive(pid)
    assert room.code() == 0
    room("stop", "web")
    assert_one_instance(room)
    room.assert_nothing_left()


def kill_both(room):
    whole_pair(room)
    room.kill_pair()


@fallback
def test_with_both_killed_the_service_runs_on_and_the_next_start_adopts_it(room):
    holder(room)
    room("start", "web")
    pid = room.pid()
    kill_both(room)
    status = room.status()
    assert status["state"] == "running" and status["main_pid"] == pid and not status["supervisor_alive"]
    assert "start" in room("status", "web", code=0).out, "status tells how to have it supervised again"
    room("start", "web")
    whole_pair(room)
    assert room.pid() == pid and alive(pid)
    # Adopted means watched: its end is noticed, and the policy applies.
    kill(pid)
    wait_until(lambda: alive(room.pid_now(unlike=pid)), "the next instance")
    room("stop", "web")
    assert_one_instance(room)
    room.assert_nothing_left()


def test_a_start_that_comes_while_the_service_dies_with_its_supervisor_starts_it_anew(room):
    # Busy, so that it is not yet up when its supervisor, and the program with that, is killed.
    room.service("web", ["/bin/sh", "-c", "while :; do :; done"], "[restart]\npolicy = 'never'\n")
    for _ in range(5):
        run = room.spawn("run", "web", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        pid = wait_until(lambda: room.pid_now(), "its PID file")
        kill(run.pid)
        room.finish(run)
        room("start", "web")
        wait_until(lambda pid=pid: room.status()["state"] == "failed" or alive(room.pid_now(unlike=pid)), "an end that is told, or the next instance")
        room("stop", "web")
    room.assert_nothing_left()


def test_with_both_killed_stop_ends_the_service(room):
    holder(room)
    room("start", "web")
    pid = room.pid()
    kill_both(room)
    room("stop", "web")
    assert not alive(pid)
    assert room.code() == 3
    room.assert_nothing_left()


@pytest.mark.parametrize("verb", ["restart", "reload", "signal"])
def test_with_both_killed_the_other_verbs_find_the_service(room, verb):
    # sh sets a handler, so that the signal is caught.
    room.service("web", ["/bin/sh", "-c", f"trap 'echo x >>{room.work}/got' HUP; while :; do sleep 0.02; done"], "[reload]\nsignal = 'HUP'\n")
    room("start", "web")
    pid = room.pid()
    wait_until(lambda: caught(pid, signal.SIGHUP), "the handler")
    kill_both(room)
    if verb == "restart":
        room("restart", "web")
        assert not alive(pid) and alive(room.pid())
        return
    room(*(("reload", "web") if verb == "reload" else ("signal", "HUP", "web")))
    wait_until((room.work / "got").exists, "the signal")
    assert alive(pid)


def caught(pid, number):
    mask = [line for line in open(f"/proc/{pid}/status") if line.startswith("SigCgt")][0].split()[1]
    return int(mask, 16) >> (number - 1) & 1


def test_with_both_killed_fifty_starts_adopt_one_service(room):
    holder(room)
    room("start", "web")
    pid = room.pid()
    kill_both(room)
    starts = [room.spawn("start", "web") for _ in range(50)]
    finished = [room.finish(process) for process in starts]
    assert [each.code for each in finished] == [0] * 50, "\n".join(str(each) for each in finished if each.code != 0)
    assert room.pid() == pid and len(room.stewards()) == 2
    room("stop", "web")
    assert_one_instance(room)
    room.assert_nothing_left()


def test_an_exit_while_no_supervisor_lived_is_known_afterwards(room):
    """The keeper reaps, and hands the status on to the next supervisor."""
    code = room.work / "code"
    room.service("web", ["/bin/sh", "-c", f"until test -e {code}; do sleep 0.01; done; exit 23"], "[restart]\npolicy = 'never'\n")
    room("start", "web")
    pid = room.pid()
    keeper, supervisor = whole_pair(room)
    # Keeper and supervisor stand still while the program ends; then the supervisor dies without having seen it.
    os.kill(keeper, signal.SIGSTOP)
    os.kill(supervisor, signal.SIGSTOP)
    code.touch()
    wait_until(lambda: not alive(pid), "the end of the program")
    kill(supervisor)
    os.kill(keeper, signal.SIGCONT)
    wait_until(lambda: room.status()["state"] == "failed", "failed")
    assert room.status()["last_exit"] | {"code": 23, "signal": None} == room.status()["last_exit"]


def test_an_exit_after_the_supervisor_was_replaced_is_known(room):
    code = room.work / "code"
    room.service("web", ["/bin/sh", "-c", f"until test -e {code}; do sleep 0.01; done; exit 23"], "[restart]\npolicy = 'never'\n")
    room("start", "web")
    keeper, supervisor = whole_pair(room)
    kill(supervisor)
    whole_pair(room, unlike=[supervisor])
    code.touch()
    wait_until(lambda: room.status()["state"] == "failed", "failed")
    assert room.status()["last_exit"]["code"] == 23


@pytest.mark.parametrize("whom", ["supervisor", "keeper", "both", "any"])
def test_killed_at_random_moments_there_is_never_a_second_instance(room, whom):
    holder(room)
    seed = random.randrange(1 << 30)
    chance = random.Random(seed)
    end = time.monotonic() + 4
    rounds = 0
    while time.monotonic() < end or rounds < 5:
        rounds += 1
        # Someone starts, someone asks, someone kills, in whatever order the kernel likes.
        start = room.spawn("start", "web")
        pause_until = time.monotonic() + chance.random() * 0.03
        wait_until(lambda moment=pause_until: time.monotonic() >= moment)
        stewards = [pid for pid in room.stewards() if pid != start.pid]
        chance.shuffle(stewards)
        victims = {
            "both": stewards,
            "any": [*stewards, start.pid] if chance.random() < 0.3 else stewards[:1],
            "keeper": [pid for pid in stewards if any(child in stewards for child in children(pid))],
            "supervisor": [pid for pid in stewards if not any(child in stewards for child in children(pid))],
        }[whom]
        for pid in victims:
            kill(pid)
        room.finish(start)
        assert_one_instance(room)
    ran = (room.work / "holder.ran").read_text().split()
    room("start", "web")
    assert alive(room.pid()), f"seed {seed}"
    assert room.code() == 0
    whole_pair(room)
    room("stop", "web")
    assert_one_instance(room)
    room.assert_nothing_left()
    assert len(ran) <= rounds, f"seed {seed}"


def test_a_start_killed_at_random_moments_leaves_neither_orphan_nor_duplicate(room):
    holder(room, supervise=False)
    chance = random.Random()
    for _ in range(40):
        start = room.spawn("start", "web")
        pause_until = time.monotonic() + chance.random() * 0.02
        wait_until(lambda moment=pause_until: time.monotonic() >= moment)
        kill(start.pid)
        room.finish(start)
        assert_one_instance(room)
        if chance.random() < 0.3:
            room("stop", "web")
            # Who has launched the program for the start that was killed may still be on its way out.
            wait_until(lambda: not room.living(), "the end of everything, and no orphan")
    room("start", "web")
    room("stop", "web")
    assert_one_instance(room)
    room.assert_nothing_left()


def test_a_stop_that_was_under_way_when_the_supervisor_died_is_carried_on(room):
    asked = room.work / "asked"
    # Long enough for the supervisor to be killed before its time-out is over.
    room.service("web", ["/bin/sh", "-c", f"trap ': >{asked}' TERM; while :; do sleep 0.02; done"], "[stop]\ntimeout = '5s'\n")
    room("start", "web")
    pid = room.pid()
    wait_until(lambda: caught(pid, signal.SIGTERM), "the handler")
    _, supervisor = whole_pair(room)
    stop = room.spawn("stop", "web")
    wait_until(asked.exists, "stopping")
    kill(supervisor)
    assert room.finish(stop).code == 0
    assert not alive(pid)
    assert room.code() == 3
    room.assert_nothing_left()


def test_a_restart_delay_that_was_under_way_when_the_supervisor_died_is_carried_on(room):
    end, go = room.work / "end", room.work / "go"
    script = f"test -e {go} && exec sleep 1000; until test -e {end}; do sleep 0.02; done; touch {go}; exit 3"
    # Long enough for the supervisor to be killed before the delay is over.
    room.service("web", ["/bin/sh", "-c", script], "[restart]\ndelay = '5s'\njitter = 0.0\n")
    room("start", "web")
    end.touch()
    wait_until(lambda: room.status()["state"] == "backing-off", "backing off")
    kill(room.pair()[1])
    wait_until(lambda: room.status()["state"] == "running", "running again")
    room("stop", "web")
    room.assert_nothing_left()


def start_time(pid):
    stat = stat_of(pid)
    return stat and stat[19]


class Storm:
    """Services of each policy, in pairs and in one supervisor in the foreground, and somebody who kills at random; and an operator, or an init
    system, who starts again what has nobody left to do it."""

    pairs = {"always-1": "always", "always-2": "always", "on-failure": "on-failure", "never": "never"}
    shared = {"shared-1": "always", "shared-2": "on-failure", "shared-3": "never"}

    def __init__(self, room, seed):
        self.room = room
        self.chance = random.Random(seed)
        self.starts = {}
        for name, policy in (self.pairs | self.shared).items():
            extra = f"[restart]\npolicy = '{policy}'\ndelay = '1ms'\nmax-delay = '20ms'\n"
            room.service(name, ["/bin/sh", "-c", HOLDER, room.work / name], extra)
        self.foreground = self.run()
        for name in self.pairs:
            self.start(name)

    def run(self):
        for name in self.shared:
            self.starts[name] = self.starts.get(name, 0) + 1
        return self.room.spawn("run", *self.shared, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def start(self, name):
        self.starts[name] = self.starts.get(name, 0) + 1
        return self.room("start", name, code=None)

    def restart_what_is_dead(self):
        if self.foreground.poll() is not None:
            self.foreground = self.run()
        for name in self.pairs:
            status = self.room.status(name)
            if not status["supervisor_alive"] and status["state"] != "failed":
                self.start(name)

    def victims(self):
        stewards = [pid for pid in self.room.stewards() if self.is_steward(pid)]
        living = self.room.living()  # the number in a file that was left may be anybody's
        mains = [pid for name in self.pairs | self.shared if (pid := self.room.pid_now(name)) in living]
        kind = self.chance.choice(["main", "main", "steward", "steward", "pair", "foreground", "everything"])
        if kind == "main":
            return self.chance.sample(mains, min(len(mains), 2))
        if kind == "foreground":
            return [self.foreground.pid]
        if kind == "everything" and self.chance.random() < 0.3:
            return self.chance.sample(stewards + mains, len(stewards + mains))
        first = self.chance.choice(stewards) if stewards else 0
        return [first, *(pid for pid in children(first) if pid in stewards)] if kind == "pair" else [first]

    # A child between fork and exec is steward by its program, too: it is the launch that is then killed.
    def is_steward(self, pid):
        return pid != self.foreground.pid or self.chance.random() < 0.3

    def rage(self, kills):
        killed = []
        while len(killed) < kills:
            for pid in filter(None, self.victims()):
                killed.append((pid, start_time(pid)))
                kill(pid)
            pause_until = time.monotonic() + self.chance.random() ** 3 * 0.1
            wait_until(lambda moment=pause_until: time.monotonic() >= moment)
            if self.chance.random() < 0.4:
                self.restart_what_is_dead()
        # What is about to die seems to live, and would not be started again.
        wait_until(lambda: not any(alive(pid) and start_time(pid) == born for pid, born in killed), "the end of all that was killed")

    def is_as_its_policy_says(self, name, policy):
        """Up again whatever it died of; or, with `never`, up since it was started or failed, and in no case both."""
        status = self.room.status(name)
        up = status["state"] == "running" and alive(status["main_pid"]) and status["supervisor_alive"]
        return up or (policy == "never" and status["state"] == "failed" and not alive(status["main_pid"]))

    def assert_all_is_well(self):
        room = self.room
        self.restart_what_is_dead()
        for name, policy in (self.pairs | self.shared).items():
            wait_until(lambda name=name, policy=policy: self.is_as_its_policy_says(name, policy), f"{name}: {room.status(name)}")
            assert not (room.work / f"{name}.second").exists(), f"{name}: a second instance was started"
        for name, policy in (self.pairs | self.shared).items():
            ran = (room.work / f"{name}.ran").read_text().split()
            assert policy != "never" or len(ran) <= self.starts[name], f"{name} was started against its policy"
        self.assert_nobody_too_many()
        self.assert_descriptors()

    def assert_nobody_too_many(self):
        """No zombie, and no orphan: whoever lives is a service's main process or one of its stewards."""

        def strangers():
            known = {self.foreground.pid}
            for name in self.pairs | self.shared:
                status = self.room.status(name)
                known |= {status["main_pid"], status["keeper_pid"], status["supervisor_pid"]}
            everybody = [pid for pid in descendants(os.getpid()) if pid not in self.room.orphans.protected]
            return [(pid, stat_of(pid), command_line(pid)) for pid in everybody if pid not in known and stat_of(pid)]

        wait_until(lambda: not strangers(), "the end of zombies and orphans")

    def assert_descriptors(self):
        """Each steward process holds as many as one that has lived in peace."""

        def held(pid):
            return len(os.listdir(f"/proc/{pid}/fd"))

        def is_modest(name):
            status = self.room.status(name)
            if not status["supervisor_alive"]:
                return True
            try:
                return all(held(pid) <= limit for pid, limit in zip((status["keeper_pid"], status["supervisor_pid"]), most))
            except FileNotFoundError:  # a pair whose service has ended leaves
                return False

        self.room.sleeper("peace")
        self.room("start", "peace")
        # A keeper that began as a supervisor has kept its event log.
        most = [held(pid) + 1 for pid in self.room.pair("peace")]
        self.room("stop", "peace")
        for name in self.pairs:
            wait_until(lambda name=name: is_modest(name), f"{name}: no more descriptors than {most}")
        assert held(self.foreground.pid) <= 16 + 8 * len(self.shared)

    def end(self):
        self.foreground.terminate()
        assert self.room.finish(self.foreground).code == 0
        self.room("stop", *self.pairs)
        self.room.assert_nothing_left()


def test_after_many_random_kills_under_load_every_service_is_as_its_policy_says(room):
    """STEWARD_TEST_KILLS: how many; scripts/test --all makes it a thousand."""
    kills = int(os.environ.get("STEWARD_TEST_KILLS", "60"))
    signal.alarm(240 + 4 * kills)
    load = [room.orphans.popen(["/bin/sh", "-c", "while :; do :; done"]) for _ in range(os.cpu_count())]
    room.orphans.protected |= {process.pid for process in load}
    seed = random.randrange(1 << 30)
    print(f"seed {seed}")
    try:
        storm = Storm(room, seed)
        storm.rage(kills)
        storm.assert_all_is_well()
        storm.end()
    finally:
        for process in load:
            room.orphans.protected.discard(process.pid)
            process.kill()
            process.wait()
