"""Names, globs, files, instances, overrides; list, show and check; the JSON documents."""

import json
import os
import re

import pytest

from harness import TOP, alive, snapshot, wait_until


@pytest.fixture
def three(room):
    for name in ("db", "web-1", "web-2"):
        room.sleeper(name)
    return room


def test_several_names(three):
    three("start", "db", "web-1")
    assert [three.code(name) for name in ("db", "web-1", "web-2")] == [0, 0, 3]


def test_a_glob_means_every_service_it_matches(three):
    three("start", "web-*")
    assert [three.code(name) for name in ("db", "web-1", "web-2")] == [3, 0, 0]
    three("stop", "*")
    three("start", "web-[1]", "d?")
    assert [three.code(name) for name in ("db", "web-1", "web-2")] == [0, 0, 3]


def test_a_glob_that_matches_nothing_is_an_unknown_service(three):
    three("start", "nothing-*", code=5)


def test_all_operands_are_tried_and_the_first_failure_is_the_exit_code(three):
    three.service("broken", ["/no/such/program"])
    three.write("wrong", "[service]\n")
    assert three("start", "broken", "db", "wrong", "web-1", code=5)
    assert [three.code(name) for name in ("db", "web-1")] == [0, 0]
    three("start", "web-2", "wrong", "broken", code=6)


def test_a_file_is_an_operand(room):
    place = room.root / "elsewhere"
    place.mkdir()
    path = room.sleeper("web").rename(place / "web.toml")
    room("start", path)
    assert room.code("web") == 0
    room("status", path, code=0)
    room("stop", path)


def test_a_relative_file_is_found_from_the_current_directory(room):
    room.sleeper("web")
    room("check", "web.toml", cwd=room.etc)
    room("check", "./web.toml", cwd=room.etc)


def test_an_instance_takes_its_template(room):
    room.write("worker@", '[service]\ndescription = "worker %i, 100 %%"\ncommand = ["/bin/sh", "-c", "exec sleep 100%i"]\n')
    room("start", "worker@1", "worker@2")
    assert room.status("worker@1")["description"] == "worker 1, 100 %"
    wait_until(lambda: open(f"/proc/{room.pid('worker@2')}/cmdline").read() == "sleep\x001002\0", "the shell becomes sleep")
    room("stop", "worker@*")
    assert [room.code(f"worker@{number}") for number in (1, 2)] == [3, 3]


def test_a_template_alone_is_no_service(room):
    room.write("worker@", '[service]\ncommand = ["/bin/sleep", "%i"]\n')
    assert "worker@" not in room("list").out
    assert room("start", "worker@", code=None).code in (2, 5, 6)


def test_overrides_win_key_by_key_in_the_order_of_their_names(room):
    room.sleeper(description="base", environment={"A": "base", "B": "base"})
    directory = room.etc / "web.toml.d"
    directory.mkdir()
    (directory / "10-first.toml").write_text('[service]\ndescription = "first"\n\n[service.environment]\nA = "first"\n')
    (directory / "20-second.toml").write_text('[service]\ndescription = "second"\n')
    (directory / "notes.txt").write_text("not read")
    shown = json.loads(room("show", "--json", "web").out)["services"][0]
    keys = {key["path"]: key for key in shown["keys"]}
    assert "second" in keys["service.description"]["value"]
    assert keys["service.description"]["file"] == str(directory / "20-second.toml") and keys["service.description"]["line"] == 2
    room("start", "web")
    environment = dict(word.split("=", 1) for word in open(f"/proc/{room.pid()}/environ").read().split("\0") if word)
    assert environment["A"] == "first" and environment["B"] == "base"


def test_a_fault_in_an_override_is_placed_in_the_override(room):
    room.sleeper()
    directory = room.etc / "web.toml.d"
    directory.mkdir()
    (directory / "x.toml").write_text("[service]\numsk = '022'\n")
    assert f"{directory}/x.toml:2:1:" in room("start", "web", code=6).err


def test_show_tells_each_key_with_its_origin(room):
    path = room.sleeper(extra="[stop]\ntimeout = '5s'\n")
    out = room("show", "web").out
    assert re.search(r"timeout\s*=\s*\"5s\".*web\.toml:\d", out) or f"{path}:4" in out, out
    shown = json.loads(room("show", "--json", "web").out)["services"][0]
    keys = {key["path"]: key for key in shown["keys"]}
    assert keys["stop.timeout"]["line"] == 4 and keys["stop.timeout"]["file"] == str(path)
    assert keys["stop.signal"]["file"] is None and keys["stop.signal"]["line"] is None
    assert "TERM" in keys["stop.signal"]["value"]


def test_status_tells_when_the_file_has_changed_since_the_start(room):
    room.sleeper()
    room("start", "web")
    assert room.status()["service_file_changed"] is False
    room.sleeper(description="new")
    assert room.status()["service_file_changed"] is True
    assert "changed" in room("status", "web").out
    room("restart", "web")
    assert room.status()["service_file_changed"] is False


def test_an_override_that_appears_is_a_change_too(room):
    room.sleeper()
    room("start", "web")
    directory = room.etc / "web.toml.d"
    directory.mkdir()
    (directory / "x.toml").write_text("[service]\numask = '077'\n")
    assert room.status()["service_file_changed"] is True


def test_list_is_a_table_of_all_services(three):
    three("start", "db")
    lines = three("list").out.splitlines()
    rows = [line for line in lines if re.match(r"\W*(db|web-1|web-2)\b", line)]
    assert len(rows) == 3, lines
    assert "running" in rows[0] and "stopped" in rows[1]
    assert str(three.pid("db")) in rows[0]


def test_status_without_a_name_is_all_and_0(three):
    out = three("status", code=0).out
    assert all(name in out for name in ("db", "web-1", "web-2"))


def test_list_and_status_of_nothing_are_0(room):
    room("list", code=0)
    room("status", code=0)


def test_a_broken_file_is_listed_as_such_and_hides_nobody(three):
    three.write("wrong", "[service]\n")
    out = three("list", code=None).out
    assert all(name in out for name in ("db", "web-1", "web-2", "wrong"))


def test_check_starts_nothing_and_writes_nothing(room):
    room.sleeper()
    before = snapshot(room.root)
    room("check", "web", code=0)
    room("check", code=0)
    assert snapshot(room.root) == before


# --- JSON --------------------------------------------------------------------------------------------------------------------------

STATUS = {
    "name": str, "scope": str, "description": (str, type(None)), "state": str, "status_code": int, "reason": (str, type(None)),
    "main_pid": (int, type(None)), "since": (str, type(None)), "ready": bool, "ready_since": (str, type(None)), "restarts": int, "memory_bytes": (int, type(None)),
    "service_file": (str, type(None)), "service_file_changed": bool, "service_file_gone": bool, "unit_stale": bool, "supervised": bool, "supervisor_alive": bool,
    "supervisor_pid": (int, type(None)), "keeper_pid": (int, type(None)), "next_start": (str, type(None)), "last_exit": (dict, type(None)),
    "cpu_microseconds": (int, type(None)), "tasks": (int, type(None)), "tasks_limit": (int, type(None)), "memory_limit_bytes": (int, type(None)), "memory_peak_bytes": (int, type(None)), "memory_kills": int, "command": list, "pid_file": (str, type(None)),
    "log_file": (str, type(None)), "last_lines": list,
    "healthy": (bool, type(None)), "status_text": (str, type(None)),
    "init_system": (str, type(None)), "boot": (str, type(None)),
}  # fmt: skip
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")


def test_the_status_document_has_the_documented_members_and_types(room):
    room.service("web", ["/bin/sh", "-c", "echo hello; exec sleep 1000"], description="Ünïcode \\\" and so on")
    for running in (False, True):
        document = json.loads(room("status", "--json", "web", code=0 if running else 3).out)
        assert document["schema"] == "steward.status/1"
        (service,) = document["services"]
        assert set(service) == set(STATUS)
        for member, kind in STATUS.items():
            assert isinstance(service[member], kind), (member, service[member])
        if running:
            assert service["main_pid"] == room.pid() and service["state"] == "running" and service["status_code"] == 0
            assert TIME.match(service["since"])
            assert service["memory_bytes"] > 0 and service["tasks"] >= 1
        else:
            room("start", "web")
            wait_until(lambda: room.log_text() == "hello\n")


def test_the_last_exit_says_how(room):
    room.sleeper(extra="[restart]\npolicy = 'never'\n")
    room("start", "web")
    os.kill(room.pid(), 9)
    wait_until(lambda: room.status()["state"] == "failed")
    last = room.status()["last_exit"]
    assert last["signal"] == 9 and last["signal_name"] == "KILL" and last["code"] is None and TIME.match(last["at"])


def test_every_document_is_described_in_docs_json_md(room):
    text = (TOP / "docs" / "json.md").read_text()
    room.sleeper()
    for verb in ("status", "list", "show", "check"):
        document = json.loads(room(verb, "--json", "web", code=None).out)
        assert document["schema"] == f"steward.{verb}/1"
        assert document["schema"] in text
        for member in members(document):
            assert f"`{member}`" in text, f"{verb}: {member} is not documented"


def members(document):
    if isinstance(document, dict):
        for name, value in document.items():
            yield name
            yield from members(value)
    elif isinstance(document, list):
        for value in document:
            yield from members(value)


def test_an_error_is_part_of_the_document(room):
    room.write("web", "[service]\ncomand = 1\n")
    document = json.loads(room("check", "--json", "web", "nosuch", code=6).out)
    first, second = document["services"]
    assert first["name"] == "web" and first["error"]["code"] == "invalid_service_file"
    fault = first["error"]["diagnostics"][0]
    assert fault["line"] == 2 and fault["column"] == 1 and fault["file"].endswith("web.toml")
    assert second["error"]["code"] == "unknown_service"


@pytest.mark.parametrize("words", [["start", "web"], ["stop", "web"], ["restart", "web"], ["list"], ["check"]])
def test_json_is_one_document_on_stdout(room, words):
    room.sleeper()
    json.loads(room(*words, "--json").out)


def test_output_that_is_no_utf_8_is_still_json(room):
    room.service("web", ["/bin/sh", "-c", "printf 'bad \\377\\376 bytes\\n'; exec sleep 1000"])
    room("start", "web")
    wait_until(lambda: "bytes" in room.log_text())
    assert "bytes" in room.status()["last_lines"][0]


def test_options_stand_before_or_after_the_verb(room):
    room.sleeper()
    assert json.loads(room("--json", "list").out) == json.loads(room("list", "--json").out)
    assert room("-q", "start", "web").both == ""
    assert alive(room.pid())
