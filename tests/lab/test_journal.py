"""Output to the journal and to syslog under a booted systemd: in whatever way a service is run, its lines are there, and steward reads them."""

import json

import pytest

from machine import wait_until

pytestmark = pytest.mark.systems("systemd")

COUNT = 2000
COUNTING = f"i=0; while [ $i -lt {COUNT} ]; do i=$((i+1)); echo line $i; [ $((i % 50)) != 0 ] || sleep 0.05; done; echo bad luck >&2; exec sleep 7000"
STEWARD_NEEDED = "[restart]\nlimit = 1000\n"
# Who runs it: systemd, steward below systemd, steward by itself.
FORMS = {"native": "", "wrapped": STEWARD_NEEDED, "started": STEWARD_NEEDED}
DYING = {"dying": "", "dying-wrapped": "[hooks]\non-give-up = ['/bin/true']\n"}
INSTALLED = [name for name in FORMS if name != "started"]


def prepare(machine):
    for name, extra in FORMS.items():
        machine.write(f"/etc/steward/{name}.toml", f'[service]\ncommand = ["/bin/sh", "-c", {json.dumps(COUNTING)}]\n[log]\noutput = "journal"\n{extra}')
    machine.write("/etc/steward/old.toml", "[service]\ncommand = ['/bin/sh', '-c', 'echo out; echo \"<4>warned\"; echo err >&2; exec sleep 7000']\n[log]\noutput = 'syslog'\n")
    for name, extra in DYING.items():
        talk = "i=0; while [ $i -lt 30 ]; do i=$((i+1)); echo line $i; done; echo it has no licence >&2; sleep 0.3; exit 7"
        machine.write(f"/etc/steward/{name}.toml", f"[service]\ncommand = ['/bin/sh', '-c', '{talk}']\n[ready]\ndelay = '1s'\n[log]\noutput = 'journal'\n[restart]\npolicy = 'never'\n{extra}")


def journalctl(machine, *words):
    return [json.loads(line) for line in machine.run("journalctl", "--no-pager", "--output=json", *words).out.splitlines()]


def steward(machine, *words, code=0):
    return machine.run("steward", *words, code=code).out


def lines_of(machine, name):
    return steward(machine, "logs", name).splitlines()


def start(machine, name):
    if name in INSTALLED:
        steward(machine, "install", name)
    steward(machine, "start", name)


@pytest.mark.parametrize("name", FORMS)
def test_each_line_is_there_once_and_in_order_though_journald_is_restarted(machine, name):
    start(machine, name)
    for _ in range(2):
        machine.run("systemctl", "restart", "systemd-journald")
    wait_until(lambda: "bad luck" in steward(machine, "logs", "-n", "1", name), "the last line")
    wanted = [*(f"line {number}" for number in range(1, COUNT + 1)), "bad luck"]
    told = [line for line in lines_of(machine, name) if line.endswith(tuple(wanted))]
    assert [line.rpartition("line ")[2] for line in told[:-1]] == [str(number) for number in range(1, COUNT + 1)]


@pytest.mark.parametrize("name", FORMS)
def test_logs_and_status_read_it_back(machine, name):
    document = json.loads(steward(machine, "status", "--json", name))["services"][0]
    assert document["last_lines"][-1].endswith("bad luck")
    told = [json.loads(line) for line in steward(machine, "logs", "--json", "-n", "2", name).splitlines()]
    assert [line["text"] for line in told] == [f"line {COUNT}", "bad luck"]
    assert {line["service"] for line in told} == {name}
    if name != "native":
        assert [line["stream"] for line in told] == ["stdout", "stderr"]
    assert len(steward(machine, "logs", "--grep", "^line 1..$", name).splitlines()) == 100


@pytest.mark.parametrize("name", ["wrapped", "started"])
def test_an_entry_names_its_service_and_its_process(machine, name):
    pid = json.loads(steward(machine, "status", "--json", name))["services"][0]["main_pid"]
    (entry,) = journalctl(machine, f"STEWARD_SERVICE={name}", "PRIORITY=3")
    assert (entry["MESSAGE"], entry["SYSLOG_IDENTIFIER"], entry["SYSLOG_PID"]) == ("bad luck", name, str(pid))


def test_somebody_else_cannot_put_words_into_its_mouth(machine):
    machine.sh("printf 'MESSAGE=forged\\nSTEWARD_SERVICE=started\\n' | setpriv --reuid=nobody logger --journald")
    wait_until(lambda: journalctl(machine, "MESSAGE=forged"), "the stranger's line")
    assert "forged" not in steward(machine, "logs", "started")


@pytest.mark.parametrize("name", DYING)
def test_a_failed_start_shows_the_journals_last_lines(machine, name):
    steward(machine, "install", name)
    finished = machine.run("steward", "start", name, code=1)
    assert "it has no licence" in finished.err and "line 30" in finished.err, finished
    assert "line 1\n" not in finished.err, finished


def test_syslog_has_name_pid_and_priority(machine):
    steward(machine, "start", "old")
    pid = json.loads(steward(machine, "status", "--json", "old"))["services"][0]["main_pid"]
    entries = wait_until(lambda: len(found := journalctl(machine, "SYSLOG_IDENTIFIER=old", "_TRANSPORT=syslog")) == 3 and found, "three messages")
    assert {(entry["PRIORITY"], entry["MESSAGE"]) for entry in entries} == {("6", "out"), ("4", "warned"), ("3", "err")}
    assert {(entry["SYSLOG_PID"], entry["SYSLOG_FACILITY"]) for entry in entries} == {(str(pid), "3")}


def test_it_all_ends(machine):
    for name in [*FORMS, "old"]:
        steward(machine, "stop", name)
    for name in [*INSTALLED, *DYING]:
        steward(machine, "uninstall", name)
