#!/usr/bin/python3
"""Acts in a virtual machine for the tests: a request is a line of JSON from the port, and so is its answer.

{"id": 1, "command": [...], "environment": {...}} is answered when the command has ended; several run at once.
{"id": 2, "processes": true} is answered by what runs. {"id": 3, "cancel": 1} ends a command.
"""

import json
import os
import signal
import subprocess
import sys
import threading

port = os.open(sys.argv[1], os.O_RDWR)
sending = threading.Lock()
running = {}


def answer(**what):
    line = json.dumps(what).encode() + b"\n"
    with sending:
        while line:
            line = line[os.write(port, line) :]


def read(pid, name):
    with open(f"/proc/{pid}/{name}", "rb") as file:
        return file.read().decode(errors="replace")


def processes():
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            argv = read(pid, "cmdline").split("\0")[:-1]
            found.append({"pid": int(pid), "argv": argv, "environ": read(pid, "environ"), "cgroup": read(pid, "cgroup")})
        except OSError:
            pass  # it has ended meanwhile
    return found


def run(request):
    try:
        process = subprocess.Popen(request["command"], env=request["environment"], cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   start_new_session=True)
    except OSError as error:
        answer(id=request["id"], code=127, out="", err=f"{error}\n")
        return
    running[request["id"]] = process
    out, err = process.communicate()
    running.pop(request["id"])
    answer(id=request["id"], code=process.returncode, out=out.decode(errors="replace"), err=err.decode(errors="replace"))


def obey(request):
    if "command" in request:
        threading.Thread(target=run, args=(request,), daemon=True).start()
    elif "processes" in request:
        answer(id=request["id"], processes=processes())
    elif process := running.get(request["cancel"]):
        os.killpg(process.pid, signal.SIGKILL)


with open(port, "rb", closefd=False) as requests:
    for line in requests:
        obey(json.loads(line))
