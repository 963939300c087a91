"""enable and disable of what steward did not install: in a mount namespace whose systemd is a script that notes what it is told."""

import os
import subprocess

import pytest

from harness import STEWARD

SYSTEMCTL = """#!/bin/sh
case "$*" in
*LoadState*) echo loaded ;;
*is-enabled*dbus*) echo static ;;
*is-enabled*) echo enabled ;;
*) echo "$*" >>{told} ;;
esac
"""
ENTER = """
set -e
mount -t tmpfs none /run
mkdir -p /run/systemd/system
mount -t tmpfs none /usr/local/sbin
cp {work}/systemctl /usr/local/sbin
exec "$@"
"""


@pytest.fixture
def booted(room):
    if os.getuid() != 0 or subprocess.run(["unshare", "--mount", "true"], check=False).returncode != 0:
        pytest.skip("needs a mount namespace")
    told = room.work / "told"
    (room.work / "systemctl").write_text(SYSTEMCTL.format(told=told))
    (room.work / "systemctl").chmod(0o755)
    enter = ["--mount", "sh", "-c", ENTER.format(work=room.work), "sh", STEWARD]
    env = {name: value for name, value in room.env.items() if name != "STEWARD_RUNTIME_DIR"}

    def run(*words, code=0, runtime=None):
        given = env | ({"STEWARD_RUNTIME_DIR": str(runtime)} if runtime else {})
        finished = room.finish(room.spawn(*enter, *words, program="unshare", env=given))
        assert finished.code == code, finished
        return finished, told.read_text() if told.exists() else ""

    return run


def test_nobody_is_asked_here_nor_in_a_world_of_ones_own(booted, room):
    file = room.work / "web.toml"
    file.write_text('[service]\ncommand = ["/bin/sleep", "1000"]\n')
    done, told = booted("disable", "nginx", "--here", code=5)
    assert told == ""
    done, told = booted("install", file, "--dry-run", runtime=room.run)
    assert "no init system starts it" in done.out
    done, told = booted("disable", "nginx", code=5, runtime=room.run)
    assert told == ""


def test_a_dry_run_asks_what_is_so_and_changes_nothing(booted):
    done, told = booted("disable", "--dry-run", "nginx")
    assert "nginx: would be disabled; systemd does not start it at boot" in done.out
    assert told == ""
    done, told = booted("enable", "--dry-run", "nginx")
    assert "nginx: was enabled already" in done.out
    done, told = booted("disable", "nginx")
    assert "nginx: disabled" in done.out
    assert "disable nginx.service" in told


@pytest.mark.parametrize("verb", ["enable", "disable"])
def test_what_has_nothing_to_enable_is_not_said_to_be(booted, verb):
    done, told = booted(verb, "dbus", code=3)
    assert "its unit says nothing of when it is to start by itself" in done.err
    assert told == ""
