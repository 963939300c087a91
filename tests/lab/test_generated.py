"""What `steward generate` writes, on the init systems that it is for: started, asked, reloaded, killed and booted by their own tools."""

import json
import subprocess

import pytest

from conftest import STEWARD
from front_ends import FRONT_ENDS, enable, forget_starts
from machine import wait_until

HOSTILE = ["", "a b", "tab\there", '"d"', "'s'", "%n %% %i %", "$HOME ${HOME} $$", "back\\slash\\", ";", "a;b", "#x", "*", "~", "`id`", "$(id)", "ünï ☃", "-", "--", "=", "a=b",
           "!", "@", "\\x41", "\\n", "@NAME@", "a\\ b", "&&", "|", "<x>", "{a,b}", "%", "'", '"', "\\"]
HOSTILE_ENV = {"A": "x y", "B": "%h $HOME \"q\" 'q' \\ ;#", "C": "", "D": "ü☃", "E": "@NAME@ `id`", "F": "a;b", "G": "'", "H": "\\", "I": "$$ %% %n", "J": " # "}

# What only steward can do, so that the service runs under it wherever there is a choice.
STEWARD_NEEDED = "[restart]\nlimit = 1000\n"
FORMS = {"natural": ((), ""), "wrapped": ((), STEWARD_NEEDED), "alone": (("--without-steward",), "")}


def service_file(name, extra):
    command = json.dumps(["/usr/bin/small_daemon", f"/var/tmp/{name}.events", *HOSTILE], ensure_ascii=False)
    environment = ", ".join(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in HOSTILE_ENV.items())
    return (f'[service]\ndescription = "The {name} one; 100% \'safe\' $HOME"\ncommand = {command}\nenvironment = {{ {environment} }}\n'
            f'[reload]\nsignal = "HUP"\n[stop]\ntimeout = "5s"\n{extra}')


REDIS = """[service]
description = "A real server"
command = ["/usr/bin/redis-server", "--port", "7379", "--bind", "127.0.0.1", "--daemonize", "no", "--save", ""]
user = "redis"
"""


def prepare(machine):
    services = {name: (service_file(name, extra), options) for name, (options, extra) in FORMS.items()}
    services["real"] = (REDIS, ())
    for name, (text, options) in services.items():
        path = machine.write(f"/etc/steward/{name}.toml", text)
        command = [STEWARD, "generate", path, "--init", machine.system, "--destdir", machine.root, *options]
        subprocess.run(command, check=True, capture_output=True)


def daemon(machine, name):
    """The only process of a service; None when there is none."""
    found = [process for process in machine.processes("/usr/bin/small_daemon") if process.argv[1] == f"/var/tmp/{name}.events"]
    assert len(found) <= 1, found
    return found[0] if found else None


def is_whole(process):
    assert process.argv[2:] == HOSTILE
    environment = process.environment
    assert {name: environment.get(name) for name in HOSTILE_ENV} == HOSTILE_ENV
    return process


def started(machine, name):
    return is_whole(wait_until(lambda: daemon(machine, name), f"the daemon of {name}"))


def gone(machine, name):
    wait_until(lambda: daemon(machine, name) is None, f"the end of {name}")


def hups(machine, name):
    return (machine.read(f"/var/tmp/{name}.events") or "").count("hup")


def test_services_are_enabled(machine):
    for name in [*FORMS, "real"]:
        enable(machine, name)
    front = FRONT_ENDS[machine.system][0]
    for name in FORMS:
        front(machine, "start", name)
        started(machine, name)


@pytest.mark.parametrize("name", FORMS)
def test_each_front_end_starts_reloads_restarts_and_stops(machine, front, name):
    forget_starts(machine, name)
    front(machine, "start", name)
    first = started(machine, name)
    wait_until(lambda: front.says(machine, name) == "running", f"that {front.name} says running")
    front(machine, "start", name)
    assert started(machine, name).pid == first.pid

    before = hups(machine, name)
    front(machine, "reload", name)
    wait_until(lambda: hups(machine, name) > before, "the reload")
    assert started(machine, name).pid == first.pid

    front(machine, "restart", name)
    wait_until(lambda: (process := daemon(machine, name)) and process.pid != first.pid, "the restart")
    started(machine, name)
    wait_until(lambda: front.says(machine, name) == "running", f"that {front.name} says running")

    front(machine, "stop", name)
    gone(machine, name)
    assert front.says(machine, name) == "stopped"
    front(machine, "stop", name)
    assert daemon(machine, name) is None


@pytest.mark.parametrize("name", FORMS)
def test_front_ends_mix(machine, name):
    """What one starts the others report and stop."""
    fronts = FRONT_ENDS[machine.system]
    for starts, stops in zip(fronts, [*fronts[1:], fronts[0]]):
        forget_starts(machine, name)
        starts(machine, "start", name)
        started(machine, name)
        for front in fronts:
            wait_until(lambda: front.says(machine, name) == "running", f"that {front.name} says running")
        stops(machine, "stop", name)
        gone(machine, name)
        for front in fronts:
            assert front.says(machine, name) == "stopped", front.says(machine, name)


@pytest.mark.parametrize("name", FORMS)
def test_a_killed_service_is_started_again_by_one_restarter(machine, name):
    forget_starts(machine, name)
    front = FRONT_ENDS[machine.system][0]
    front(machine, "start", name)
    first = started(machine, name)
    machine.kill(first)
    if name == "alone" and machine.system in ("sysv", "openrc"):
        # Nobody is there to restart it. It is told, and started when asked.
        gone(machine, name)
        assert front.says(machine, name) != "running"
        front(machine, "restart", name)
        wait_until(lambda: daemon(machine, name), "the start")
    else:
        wait_until(lambda: (process := daemon(machine, name)) and process.pid != first.pid, "the restart")
    started(machine, name)
    wait_until(lambda: front.says(machine, name) == "running", f"that {front.name} says running")


def test_a_real_server_runs_stops_and_starts(machine):
    forget_starts(machine, "real")
    front = FRONT_ENDS[machine.system][0]
    ping = ["redis-cli", "-p", "7379", "ping"]
    front(machine, "start", "real")
    wait_until(lambda: machine.run(*ping, code=None).out == "PONG\n", "an answer")
    assert {process.pid for process in machine.processes() if "redis-server" in process.argv[0]}
    front(machine, "stop", "real")
    wait_until(lambda: machine.run(*ping, code=None).code != 0, "that it does not answer")
    front(machine, "start", "real")
    wait_until(lambda: machine.run(*ping, code=None).out == "PONG\n", "an answer")


def test_after_a_reboot_they_run(machine):
    for name in FORMS:
        FRONT_ENDS[machine.system][0](machine, "stop", name)
    machine.reboot()
    for name in FORMS:
        started(machine, name)
        for front in FRONT_ENDS[machine.system]:
            wait_until(lambda: front.says(machine, name) == "running", f"that {front.name} says running")
    wait_until(lambda: machine.run("redis-cli", "-p", "7379", "ping", code=None).out == "PONG\n", "an answer")


def test_it_powers_off_in_time(machine):
    machine.power_off()
