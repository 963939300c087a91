"""[resources]: what a service's processes may use together, where the kernel has all its controllers."""

import json

import pytest

from machine import wait_until

pytestmark = pytest.mark.systems("vm")
LIMITS = '[resources]\nmemory = "32MiB"\ncpu = "50%"\ntasks = 20\n'
GREEDY = """import time
time.sleep(1)
hoard = [bytearray(1 << 20) for _ in range(200)]
"""
# A hundred children, if it could.
PROLIFIC = """import os, time
refused = 0
for _ in range(100):
    try:
        if os.fork() == 0:
            time.sleep(7200)
    except BlockingIOError:
        refused += 1
with open("/run/refused.new", "w") as told:
    told.write(str(refused))
os.rename("/run/refused.new", "/run/refused")
time.sleep(7200)
"""
SERVICES = {
    "calm": f"command = ['/bin/sleep', '7100']\n{LIMITS}",
    "plain": f"command = ['/bin/sleep', '7101']\nsupervise = false\n{LIMITS}",
    "greedy": f"command = ['/usr/bin/python3', '/opt/greedy']\n[ready]\ndelay = '100ms'\n[restart]\nlimit = 2\n{LIMITS}",
    "glutton": f"command = ['/usr/bin/python3', '-c', 'hoard = bytearray(200 << 20)']\n[ready]\ndelay = '30s'\n{LIMITS}",
    "prolific": f"command = ['/usr/bin/python3', '/opt/prolific']\n{LIMITS}",
    "busy": "command = ['/bin/sh', '-c', 'while :; do :; done']\n[resources]\ncpu = '20%'\n",
    "once": f"command = ['/bin/sleep', '7105']\n[restart]\npolicy = 'never'\n{LIMITS}",
    "parent": f"command = ['/bin/sh', '-c', 'sleep 7102 & wait']\n[stop]\nmode = 'main'\n{LIMITS}",
    "native": f"command = ['/bin/sleep', '7103']\n{LIMITS}",
    # systemd does not know such hooks.
    "wrapped": f"command = ['/bin/sleep', '7104']\n[hooks]\non-give-up = ['/bin/true']\n{LIMITS}",
}
# Where no systemd is booted root may have cgroups wherever it likes.
HIDE_SYSTEMD = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /run/systemd && exec "$@"', "sh"]


def prepare(machine):
    machine.write("/opt/greedy", GREEDY)
    machine.write("/opt/prolific", PROLIFIC)
    for name, text in SERVICES.items():
        machine.write(f"/etc/steward/{name}.toml", f"[service]\n{text}")


def status(machine, name, code=None):
    return json.loads(machine.run("steward", "status", "--json", name, code=code).out)["services"][0]


def group_of(machine, pid):
    (process,) = [process for process in machine.processes() if process.pid == pid]
    return "/sys/fs/cgroup" + process.cgroup.removeprefix("0::").strip()


def limits(machine, group):
    return [machine.run("cat", f"{group}/{file}").out.strip() for file in ("memory.max", "cpu.max", "pids.max")]


HELD = [str(32 << 20), "50000 100000", "20"]


def is_there(machine, path):
    return machine.run("test", "-e", path, code=None).code == 0


@pytest.mark.parametrize("name", ["calm", "plain"])
def test_the_limits_are_those_of_its_cgroup(machine, name):
    machine.run("steward", "start", name)
    told = status(machine, name, code=0)
    group = group_of(machine, told["main_pid"])
    assert limits(machine, group) == HELD
    assert told["memory_limit_bytes"] == 32 << 20 and told["tasks_limit"] == 20 and told["memory_kills"] == 0
    assert 0 < told["memory_bytes"] <= told["memory_peak_bytes"] <= 32 << 20
    assert told["tasks"] == 1 and told["cpu_microseconds"] > 0
    assert " of 32.0 MiB (peak " in machine.run("steward", "status", name).out
    machine.run("steward", "stop", name)
    assert not is_there(machine, group)
    wait_until(lambda: not is_there(machine, group.removesuffix(f"/steward/{name}")), "the end of the scope")


def test_a_restart_finds_its_limits_again(machine):
    machine.run("steward", "start", "calm")
    for _ in range(3):
        machine.run("steward", "restart", "calm")
        assert limits(machine, group_of(machine, status(machine, "calm", code=0)["main_pid"])) == HELD
    machine.run("steward", "stop", "calm")


def test_they_outlive_supervisor_and_keeper(machine):
    machine.run("steward", "start", "calm")
    for who in ("supervisor_pid", "keeper_pid"):
        before = status(machine, "calm", code=0)
        machine.run("kill", "-KILL", before[who])
        wait_until(lambda: (now := status(machine, "calm"))[who] not in (None, before[who]) and now["supervisor_alive"], "the next one")
        machine.run("kill", "-KILL", before["main_pid"])
        after = wait_until(lambda: (now := status(machine, "calm"))["state"] == "running" and now["main_pid"] != before["main_pid"] and now, "the restart")
        assert limits(machine, group_of(machine, after["main_pid"])) == HELD
    machine.run("steward", "stop", "calm")


def test_what_wants_too_much_memory_is_killed_counted_and_told(machine):
    machine.run("steward", "start", "greedy")
    told = wait_until(lambda: (now := status(machine, "greedy"))["state"] == "failed" and now, "the end of the restarts")
    assert told["memory_kills"] == 3
    assert told["last_exit"]["signal_name"] == "KILL"
    assert told["reason"] == "killed by the kernel for want of memory, given up after 2 restarts", told
    assert "3 for want of memory" in machine.run("steward", "status", "greedy", code=3).out
    assert machine.read("/var/log/steward/steward.log").count("greedy: the kernel killed 1 of its processes for want of memory") == 3


def test_a_start_tells_what_it_failed_for(machine):
    told = machine.run("steward", "start", "glutton", code=1)
    assert "it ended at once: killed by the kernel for want of memory" in told.err


def test_what_wants_too_many_tasks_does_not_get_them(machine):
    machine.run("steward", "start", "prolific")
    assert wait_until(lambda: machine.read("/run/refused"), "its last child") == "81"
    told = status(machine, "prolific", code=0)
    assert told["tasks"] == told["tasks_limit"] == 20
    assert ", tasks 20 of 20" in machine.run("steward", "status", "prolific").out
    machine.run("steward", "stop", "prolific")
    assert not [process for process in machine.processes() if "/opt/prolific" in process.argv]


def test_what_wants_the_cpu_gets_its_part(machine):
    machine.run("steward", "start", "busy")
    group = group_of(machine, status(machine, "busy", code=0)["main_pid"])

    def counted():
        return {line.split()[0]: int(line.split()[1]) for line in machine.run("cat", f"{group}/cpu.stat").out.splitlines()}

    before = wait_until(lambda: (now := counted())["nr_throttled"] >= 5 and now, "that it is held up")
    after = wait_until(lambda: (now := counted())["nr_periods"] >= before["nr_periods"] + 50 and now, "50 more periods")
    periods = after["nr_periods"] - before["nr_periods"]
    assert after["usage_usec"] - before["usage_usec"] < (periods + 2) * 30_000, (before, after)
    assert status(machine, "busy")["cpu_microseconds"] >= after["usage_usec"]
    machine.run("steward", "stop", "busy")


def test_what_a_stop_leaves_running_is_in_nobodys_way(machine):
    machine.run("steward", "start", "parent")
    first = group_of(machine, status(machine, "parent", code=0)["main_pid"])
    machine.run("steward", "stop", "parent")
    (left,) = [process for process in machine.processes("sleep") if process.argv[1] == "7102"]
    machine.run("steward", "start", "parent")
    second = group_of(machine, status(machine, "parent", code=0)["main_pid"])
    assert second != first and limits(machine, second) == HELD
    machine.kill(left)
    machine.run("steward", "stop", "parent")
    for process in machine.processes("sleep"):
        if process.argv[1] == "7102":
            machine.kill(process)
    wait_until(lambda: not is_there(machine, second.rpartition("/steward/")[0]), "the end of the scope")


def test_without_systemd_the_groups_are_at_the_top(machine):
    machine.run(*HIDE_SYSTEMD, "steward", "start", "calm")
    told = json.loads(machine.run(*HIDE_SYSTEMD, "steward", "status", "--json", "calm").out)["services"][0]
    assert group_of(machine, told["main_pid"]) == "/sys/fs/cgroup/steward/calm"
    assert limits(machine, "/sys/fs/cgroup/steward/calm") == HELD
    machine.run(*HIDE_SYSTEMD, "steward", "stop", "calm")
    assert not is_there(machine, "/sys/fs/cgroup/steward")


def test_processes_of_others_are_not_moved_out_of_the_way(machine):
    told = machine.run("systemd-run", "--scope", "--quiet", "--collect", "--property=Delegate=yes", "--", "sh", "-c", "steward run once; exit $?", code=None)
    assert "[resources] memory: other processes are in the cgroup" in told.err
    assert not [process for process in machine.processes("/bin/sleep") if process.argv[1] == "7105"]


def test_where_nothing_is_delegated_the_service_is_not_started(machine):
    told = machine.run("systemd-run", "--scope", "--quiet", "--collect", "--", "steward", "run", "once", code=None)
    assert "need a cgroup, and steward may make none here" in told.err


def test_a_native_unit_has_systemds_own(machine):
    machine.run("steward", "install", "--now", "native")
    shown = machine.run("systemctl", "show", "native", "-p", "MemoryMax", "-p", "TasksMax", "-p", "CPUQuotaPerSecUSec", "-p", "Delegate").out
    assert set(shown.split()) == {"MemoryMax=33554432", "TasksMax=20", "CPUQuotaPerSecUSec=500ms", "Delegate=no"}
    machine.run("steward", "uninstall", "native")


def test_steward_in_a_unit_limits_the_service_and_not_itself(machine):
    machine.run("steward", "install", "--now", "wrapped")
    for act in ("start", "restart"):
        machine.run("systemctl", act, "wrapped")
        told = status(machine, "wrapped", code=0)
        group = group_of(machine, told["main_pid"])
        assert group.endswith("/wrapped.service/steward/wrapped") and limits(machine, group) == HELD
        assert group_of(machine, told["supervisor_pid"]).endswith("/wrapped.service/steward/.steward")
    machine.run("systemctl", "stop", "wrapped")
    assert not is_there(machine, group)
    machine.run("steward", "uninstall", "wrapped")
