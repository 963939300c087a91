"""On Linux 6.1, which tells no stranger an exit code and has no pidfs, with cgroups of version 2 alone: what the integration tests demand of
steward, in a cgroup that systemd has delegated."""

import pytest

from conftest import HELPERS, TOP

pytestmark = pytest.mark.systems("vm")
PLACE = "/opt/steward"
ENVIRONMENT = {"STEWARD": "/usr/bin/steward", "STEWARD_HELPERS": f"{PLACE}/helpers", "PYTHONDONTWRITEBYTECODE": "1"}
# As a login session that may have cgroups of its own.
SCOPE = ["systemd-run", "--scope", "--quiet", "--collect", "--property=Delegate=yes", "--"]


def prepare(machine):
    for file in [*TOP.glob("tests/integration/*.py"), TOP / "tests/patience.py", TOP / "tests/pytest.ini"]:
        machine.write(f"{PLACE}/{file.relative_to(TOP)}", file.read_bytes())
    for file in HELPERS.iterdir():
        if file.is_file():
            machine.write(f"{PLACE}/helpers/{file.name}", file.read_bytes(), 0o755)


def test_it_is_that_kernel_with_all_the_controllers(machine):
    assert machine.run("uname", "-r").out.startswith("6.1.")
    assert {"cpu", "memory", "pids"} <= set(machine.run("cat", "/sys/fs/cgroup/cgroup.controllers").out.split())


def test_a_service_has_a_cgroup_and_its_stop_leaves_nothing_in_it(machine):
    # Without a keeper and in sessions of their own: only the cgroup tells whose they are.
    family = "setsid sh -c 'trap \"\" TERM; setsid sleep 7001 & while :; do sleep 1; done' & exec sleep 7000"
    machine.write("/etc/steward/family.toml", f"[service]\ncommand = ['/bin/sh', '-c', '''{family}''']\nsupervise = false\n[stop]\ntimeout = '1s'\n")
    machine.run("steward", "start", "family")
    (process,) = [process for process in machine.processes("sleep") if process.argv[1] == "7000"]
    group = process.cgroup.removeprefix("0::").strip()
    assert group.endswith("/steward-family.scope/steward/family"), group
    assert len([process for process in machine.processes() if process.cgroup.strip() == f"0::{group}"]) >= 4
    machine.run("steward", "stop", "family")
    assert not [process for process in machine.processes() if process.argv[:1] == ["sleep"] and process.argv[1].startswith("700")]
    assert machine.run("test", "-e", f"/sys/fs/cgroup{group}", code=None).code == 1
    assert machine.run("steward", "status", "family", code=None).code == 3


def test_an_exit_that_nobody_saw_is_called_unknown(machine):
    """With keeper and supervisor both killed its status went to the init system."""
    machine.write("/etc/steward/alone.toml", "[service]\ncommand = ['/bin/sleep', '7002']\n[restart]\npolicy = 'never'\n")
    machine.run("steward", "start", "alone")
    (main,) = [process for process in machine.processes("/bin/sleep") if process.argv[1] == "7002"]
    machine.sh("for pid in $(pidof steward); do kill -STOP $pid; done; kill -KILL $(pidof steward)")
    assert machine.run("steward", "status", "alone", code=None).code == 0
    machine.kill(main)
    told = machine.run("steward", "status", "alone", code=None)
    assert told.code == 1, told
    assert "signal" not in told.out and "exit code" not in told.out, told
    machine.run("steward", "start", "alone")
    machine.run("steward", "stop", "alone")


@pytest.mark.parametrize("file", ["lifecycle", "stop", "kill9", "stale", "types"])
def test_the_integration_tests_pass(machine, file):
    told = machine.run(*SCOPE, "python3", "-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider", f"{PLACE}/tests/integration/test_{file}.py",
                       environment=ENVIRONMENT, timeout=1500, code=None)
    assert told.code == 0, told
