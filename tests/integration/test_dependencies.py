"""Dependencies: what is started along, in which order, and what is stopped along."""

import json
import os
import re
import signal
from pathlib import Path

import pytest

from harness import kill, stat_of, wait_until

SCRIPTS = sorted(path.name for path in Path("/etc/init.d").glob("*") if re.fullmatch("[a-z]+", path.name))


def service(room, name, journal, extra="", before_up="", **dependencies):
    """Writes what it does into the journal: NAME+ when it is up, NAME- when it ends."""
    script = f"{before_up}trap 'sleep 0.05; echo {name}- >>{journal}; exit 0' TERM; echo {name}+ >>{journal}; while :; do sleep 0.02; done"
    lines = "".join(f"{key} = {json.dumps(names)}\n" for key, names in dependencies.items())
    return room.service(name, ["/bin/sh", "-c", script], f"[dependencies]\n{lines}{extra}")


@pytest.fixture
def journal(room):
    path = room.work / "journal"
    path.touch()
    path.chmod(0o666)
    return path


def failing(room, name, command, extra=""):
    """A service that ends before it is up: without [ready] it is up as soon as the machine leaves it no time to end at once."""
    return room.service(name, command, f"[ready]\nfile = '{room.work}/never'\n{extra}")


def words(journal):
    return journal.read_text().split()


def up(journal, *names):
    """Without [ready] a service counts as up before its script has said anything."""
    wait_until(lambda: {f"{name}+" for name in names} <= set(words(journal)), f"{names} are up")


def in_order(room, *names):
    """Launched one after the other, as the kernel has it."""
    pids = [wait_until(lambda each=name: room.pid_now(each), f"the PID file of {name}") for name in names]
    times = [int(stat_of(pid)[19]) for pid in pids]
    return times == sorted(times)


def family(room, journal):
    """web requires api, which requires db and wants cache."""
    service(room, "db", journal)
    service(room, "cache", journal)
    service(room, "api", journal, requires=["db", "network"], wants=["cache", "nobody"])
    service(room, "web", journal, requires=["api"])


def test_start_starts_first_what_is_required_and_wanted(room, journal):
    family(room, journal)
    told = room("start", "web").out.splitlines()
    assert {line.split(":")[0] for line in told[:2]} == {"db", "cache"}
    assert [line.split(":")[0] for line in told[2:]] == ["api", "web"]
    assert "(required by api)" in told[0] + told[1] and "(wanted by api)" in told[0] + told[1]
    pairs = {pid for name in ("web", "api", "db", "cache") for pid in room.pair(name)}
    assert len(pairs) == 8  # a pair each
    assert in_order(room, "db", "api", "web") and in_order(room, "cache", "api")


def test_what_runs_already_is_left_alone_and_not_told(room, journal):
    family(room, journal)
    room("start", "db")
    pid = room.pid("db")
    assert "db" not in room("start", "api").out.replace("cache", "")
    assert room.pid("db") == pid


def test_stop_stops_first_what_requires_it(room, journal):
    family(room, journal)
    room("start", "web")
    up(journal, "web", "api", "db", "cache")
    told = room("stop", "db").out
    assert told == "web: stopped (requires api)\napi: stopped (requires db)\ndb: stopped\n"
    assert words(journal)[4:] == ["web-", "api-", "db-"]
    assert [room.code(name) for name in ("web", "api", "db", "cache")] == [3, 3, 3, 0]
    room("stop", "cache")
    room.assert_nothing_left()


def test_stop_of_several_goes_in_reverse_order(room, journal):
    family(room, journal)
    room("start", "web")
    up(journal, "web", "api", "db", "cache")
    room("stop", "*")
    ends = words(journal)[4:]
    assert ends.index("web-") < ends.index("api-") < ends.index("db-")
    assert ends.index("api-") < ends.index("cache-")  # wanted by api: it came up before it
    room.assert_nothing_left()


def test_a_required_service_that_fails_keeps_others_from_being_started(room, journal):
    family(room, journal)
    failing(room, "db", ["/bin/sh", "-c", "echo broken >&2; exit 3"])
    finished = room("start", "web", code=1)
    assert "cannot start db: it ended at once: exit code 3" in finished.err and "| broken" in finished.err
    assert "cannot start api: it requires 'db', which is not up" in finished.err
    assert "cannot start web: it requires 'api', which is not up" in finished.err
    assert not {"api+", "web+"} & set(words(journal))
    assert [room.code(name) for name in ("web", "api", "db")] == [3, 3, 3]
    document = json.loads(room("start", "--json", "web", code=1).out)
    assert document["services"][0]["name"] == "web" and "error" in document["services"][0]


def test_a_wanted_service_that_fails_is_told_and_no_more(room, journal):
    family(room, journal)
    failing(room, "cache", ["/bin/false"])
    finished = room("start", "web", code=0)
    assert "cannot start cache" in finished.err
    assert "web: started" in finished.out


def test_nothing_orders_two_that_are_only_required_by_the_same(room, journal):
    """Each ends only when the other is asked to as well: one after the other would take SIGKILL."""
    for name, other in (("a", "b"), ("b", "a")):
        end = f"touch {room.work / name}; while ! test -e {room.work / other}; do sleep 0.01; done; exit 0"
        room.service(name, ["/bin/sh", "-c", f"trap '{end}' TERM; echo {name}+ >>{journal}; while :; do sleep 0.02; done"], "[stop]\ntimeout = '1min'\n")
    service(room, "c", journal, requires=["a", "b"])
    room("start", "c")
    up(journal, "a", "b", "c")
    told = room("stop", "a", "b").out
    assert told.startswith("c: stopped (requires a)\n") and sorted(told.splitlines()[1:]) == ["a: stopped", "b: stopped"]
    room.assert_nothing_left()


def test_after_and_before_order_but_do_not_start(room, journal):
    service(room, "first", journal, before=["second"])
    service(room, "second", journal)
    service(room, "third", journal, after=["second"])
    room("start", "third")
    assert room.code("second") == 3
    room("stop", "third")
    room("start", "third", "second", "first")
    assert in_order(room, "first", "second", "third")


def test_restart_takes_along_what_requires_it(room, journal):
    family(room, journal)
    room("start", "web")
    up(journal, "web", "api", "db", "cache")
    before = {name: room.pid(name) for name in ("web", "api", "db", "cache")}
    told = room("restart", "api").out
    assert "api: restarted" in told and "web: started" in told and "(requires api)" in told and "cache" not in told
    after = {name: room.pid(name) for name in ("web", "api", "db", "cache")}
    assert {name for name in before if before[name] != after[name]} == {"web", "api"}


def test_restart_with_a_broken_dependent_stops_nothing(room, journal):
    family(room, journal)
    room("start", "web")
    pids = [room.pid(name) for name in ("web", "api", "db")]
    room.write("web", "[service]\ncomand = 'x'\n")
    room("restart", "db", code=6)
    assert [room.pid(name) for name in ("web", "api", "db")] == pids


def test_a_cycle_is_an_error_with_its_path(room, journal):
    service(room, "a", journal, requires=["b"])
    service(room, "b", journal, after=["c"])
    service(room, "c", journal, wants=["a"])
    service(room, "d", journal, requires=["a"])
    assert "cannot check a: its dependencies go in a circle: a → b → c → a" in room("check", "a", code=6).err
    assert "a → b → c → a" in room("check", "d", code=6).err
    assert "circle" in room("start", "a", "b", "c", code=6).err
    assert "circle" in room("run", "--all", code=6).err
    assert words(journal) == []
    room.assert_nothing_left()


def test_a_missing_name_is_an_error_of_check_with_its_place(room, journal):
    path = service(room, "web", journal, requires=["bd"], after=["network-online", "nobody"])
    service(room, "db", journal)
    finished = room("check", "web", code=6)
    assert f"{path}:4:1: [dependencies] requires: there is no service 'bd' (did you mean 'db'?)" in finished.err
    assert f"{path}:5:1: [dependencies] after: there is no service 'nobody'" in finished.err
    assert "there is no service 'bd'" in room("start", "web", code=6).err
    assert words(journal) == []


@pytest.mark.skipif(os.getuid() != 0 or not SCRIPTS, reason="no script of an init system is here")
def test_what_is_an_init_systems_own_is_not_missing(room, journal):
    service(room, "web", journal, requires=[SCRIPTS[0]])
    room("check", "web")
    assert room("start", "web").out.startswith("web: started")


def test_the_faults_of_a_file_are_told_whole_among_several(room, journal):
    path = room.write("wrong", "[service]\ncomand = 'x'\n")
    service(room, "web", journal)
    finished = room("start", "web", "wrong", code=6)
    assert f"{path}:2:1: unknown key 'comand' in [service] (did you mean 'command'?)" in finished.err
    assert room.code("web") == 0


def test_instances_can_be_depended_on(room, journal):
    service(room, "worker@", journal)
    service(room, "web", journal, requires=["worker@1", "worker@2"])
    room("check", "web")
    room("start", "web")
    assert room.code("worker@1") == room.code("worker@2") == 0


def test_list_as_a_tree(room, journal):
    family(room, journal)
    room("start", "api")
    head, *lines = room("list", "--tree").out.splitlines()
    tree = [line[:head.index("STATE")].rstrip() for line in lines]
    assert tree == ["web", "└─ api", "   ├─ db", "   ├─ cache (wanted)", "   └─ nobody (wanted)"]
    document = json.loads(room("list", "--tree", "--json", "api").out)
    assert document["schema"] == "steward.list/1"
    assert {each["name"]: each["requires"] for each in document["services"]} == {"api": ["db", "network"], "db": [], "cache": []}


# --- one supervisor for several ----------------------------------------------------------------------------------------------------


def test_run_starts_in_order_and_stops_in_reverse(room, journal):
    family(room, journal)
    run = room.spawn("run", "web", "api", "db", "cache")
    up(journal, "web", "api", "db", "cache")
    assert in_order(room, "db", "api", "web") and in_order(room, "cache", "api")
    run.send_signal(signal.SIGTERM)
    assert room.finish(run).code == 0
    ends = words(journal)[4:]
    assert ends.index("web-") < ends.index("api-") < min(ends.index("db-"), ends.index("cache-"))
    room.assert_nothing_left()


def test_run_does_not_begin_what_requires_a_failure(room, journal):
    family(room, journal)
    failing(room, "db", ["/bin/false"], "[restart]\npolicy = 'never'\n")
    run = room.spawn("run", "--all")
    wait_until(lambda: room.status("web")["state"] == "failed")
    assert room.status("web")["reason"] == "it requires 'api', which is not up"
    assert room.status("api")["reason"] == "it requires 'db', which is not up"
    assert not {"api+", "web+"} & set(words(journal))
    run.send_signal(signal.SIGTERM)
    room.finish(run)
    room.assert_nothing_left()


def test_run_waits_through_restarts(room, journal):
    """A required service that fails twice before it comes up delays the others, and no more."""
    tries = [room.work / "one", room.work / "two"]
    script = "".join(f"test -e {each} || {{ : >{each}; exit 1; }}; " for each in tries)
    ready = room.work / "ready"
    service(room, "db", journal, before_up=f"{script}: >{ready}; ", extra=f"[ready]\nfile = '{ready}'\n[restart]\ndelay = '1ms'\n")
    service(room, "web", journal, requires=["db"])
    run = room.spawn("run", "web", "db")
    up(journal, "db", "web")
    assert all(each.exists() for each in tries) and in_order(room, "db", "web")
    run.send_signal(signal.SIGTERM)
    room.finish(run)


def test_a_stop_of_run_comes_before_what_has_not_begun(room, journal):
    failing(room, "db", ["/bin/sh", "-c", "exit 1"], "[restart]\ndelay = '1h'\nmax-delay = '1h'\n")
    service(room, "web", journal, requires=["db"])
    run = room.spawn("run", "web", "db")
    wait_until(lambda: room.status("db")["state"] == "backing-off")
    assert room.status("web")["state"] == "starting"
    run.send_signal(signal.SIGTERM)
    assert room.finish(run).code == 0
    assert words(journal) == []
    room.assert_nothing_left()


def test_a_service_that_has_not_begun_can_be_stopped(room, journal):
    failing(room, "db", ["/bin/sh", "-c", "exit 1"], "[restart]\ndelay = '1h'\nmax-delay = '1h'\n")
    service(room, "web", journal, requires=["db"])
    run = room.spawn("run", "web", "db")
    wait_until(lambda: room.status("db")["state"] == "backing-off")
    room("stop", "web")
    assert room.code("web") == 3 and run.poll() is None
    room("stop", "db")
    room.finish(run)
    assert words(journal) == []


def test_a_start_that_is_killed_leaves_no_half_pair(room, journal):
    family(room, journal)
    start = room.spawn("start", "web")
    wait_until(lambda: "db+" in words(journal) or start.poll() is not None)
    kill(start.pid)
    room.finish(start)
    room("start", "web")
    assert [room.code(name) for name in ("web", "api", "db", "cache")] == [0, 0, 0, 0]
    up(journal, "web", "api", "db", "cache")
    assert sorted(words(journal)) == ["api+", "cache+", "db+", "web+"]
