"""install, uninstall, enable and disable: files and links below a root, an installation for no init system, and a chroot that has nothing."""

import json
import os
import shutil
import subprocess

import pytest

from harness import NOBODY, SANITIZED, STEWARD, wait_until

FILE = '[service]\ncommand = ["/bin/sleep", "1000"]\n'
NEEDS_STEWARD = FILE + "[restart]\nlimit = 3\n"

# Where each init system has what starts a service, and what starts it at boot.
PLACES = {
    "systemd": ("usr/local/lib/systemd/system/web.service", "etc/systemd/system/multi-user.target.wants/web.service"),
    "sysv": ("etc/init.d/web", "etc/rc2.d/S20web"),
    "openrc": ("etc/init.d/web", "etc/runlevels/default/web"),
    "runit": ("etc/sv/web/run", "etc/service/web"),
}


def starts_at_boot(root, system):
    """runit knows what is linked; what is not to be started has a file that says so."""
    return (root / PLACES[system][1]).is_symlink() and not (root / "etc/sv/web/down").exists()


class Image:
    """A root of its own, and steward with the directories that it has there."""

    def __init__(self, room):
        self.room = room
        self.root = room.root / "image"
        self.root.mkdir()
        self.env = {name: value for name, value in room.env.items() if not name.startswith("STEWARD_")}

    def __call__(self, verb, *words, code=0, **options):
        return self.room(verb, *words, "--root", self.root, code=code, env=self.env, **options)

    def install(self, *words, text=FILE, name="web", **options):
        return self("install", self.given(text, name), *words, **options)

    def given(self, text=FILE, name="web"):
        path = self.room.work / f"{name}.toml"
        path.write_text(text)
        return path

    def document(self, verb, *words, **options):
        return json.loads(self(verb, *words, "--json", **options).out)["services"][0]

    def files(self):
        """Every path that is no directory, with its content or target."""
        return {str(path.relative_to(self.root)): os.readlink(path) if path.is_symlink() else path.read_text()
                for path in self.root.rglob("*") if path.is_symlink() or path.is_file()}

    def everything(self):
        return {str(path.relative_to(self.root)) for path in self.root.rglob("*")}

    def __truediv__(self, path):
        return self.root / path


@pytest.fixture
def image(room):
    return Image(room)


@pytest.mark.parametrize("system", PLACES)
def test_the_story_of_an_installation_in_an_image(image, system):
    unit, _ = PLACES[system]
    done = image.install("--init", system)
    assert (image / unit).exists()
    assert starts_at_boot(image.root, system)
    assert (image / "etc/steward/web.toml").read_text() == FILE
    assert f"web: created /{unit}\n" in done.out
    assert f"web: installed; {system} starts it at boot\n" in done.out
    assert done.err == ""

    before = image.files()
    again = image.install("--init", system)
    assert again.out == f"web: unchanged; {system} starts it at boot\n"
    assert image.files() == before

    assert image("disable", "web").out.endswith(f"web: disabled; {system} does not start it at boot\n")
    assert not starts_at_boot(image.root, system)
    assert (image / unit).exists()
    assert image("disable", "web").out.startswith("web: was disabled already")
    # What the administrator has disabled stays so.
    assert "does not start it at boot" in image.install("--init", system, text=FILE + "umask = \"027\"\n").out
    assert not starts_at_boot(image.root, system)
    image("enable", "web")
    assert starts_at_boot(image.root, system)

    done = image("uninstall", "web")
    assert f"web: removed /{unit}\n" in done.out
    assert done.out.endswith("web: uninstalled\n")
    assert image.everything() == {"var", "var/lib"}
    assert image("uninstall", "web").out == "web: was not installed\n"


def test_links_are_what_each_init_systems_own_tool_would_make(image):
    image.install("--init", "systemd")
    assert os.readlink(image / PLACES["systemd"][1]) == "/usr/local/lib/systemd/system/web.service"
    image.install("--init", "sysv")
    links = {path.parent.name + "/" + path.name: os.readlink(path) for path in (image / "etc").glob("rc*.d/*")}
    assert links == {f"rc{level}.d/{'S20' if level in '2345' else 'K01'}web": "../init.d/web" for level in "0123456"}
    image("disable", "web")
    assert {path.name for path in (image / "etc").glob("rc*.d/*")} == {"K01web"}
    image.install("--init", "openrc")
    assert os.readlink(image / PLACES["openrc"][1]) == "/etc/init.d/web"
    image.install("--init", "runit")
    assert os.readlink(image / PLACES["runit"][1]) == "/etc/sv/web"
    # Each took away what the one before had made.
    assert set(image.files()) == {"etc/steward/web.toml", "etc/sv/web/run", "etc/sv/web/finish", "etc/sv/web/control/t", "etc/sv/web/log/run", "etc/service/web",
                                  "etc/sv/web/supervise", "etc/sv/web/log/supervise", "var/lib/steward/web/manifest", "var/lib/steward/web/service.toml"}


def test_the_image_tells_its_init_system(image):
    image.given()
    assert image.document("install", image.room.work / "web.toml", "--dry-run")["system"] is None
    (image / "sbin").mkdir()
    (image / "sbin/openrc-run").write_text("")
    assert image.document("install", image.room.work / "web.toml", "--dry-run")["system"] == "openrc"
    assert image.everything() == {"sbin", "sbin/openrc-run"}


def test_a_change_is_made_in_place_and_told(image):
    image.install("--init", "systemd")
    unit = image / PLACES["systemd"][0]
    unit.chmod(0o600)
    done = image.install("--init", "systemd", text=NEEDS_STEWARD)
    assert "web: updated /etc/steward/web.toml\n" in done.out
    assert "    +[restart]\n" in done.out
    assert "ExecStart=/usr/bin/steward run --here --system web" in unit.read_text()
    assert oct(unit.stat().st_mode & 0o777) == "0o600"
    assert "restart.limit" in done.err


def test_a_dry_run_shows_the_difference_and_changes_nothing(image):
    done = image.install("--init", "systemd", "--dry-run")
    assert "web: would be created /etc/steward/web.toml\n" in done.out
    assert "web: would be installed; systemd starts it at boot\n" in done.out
    assert image.everything() == set()
    image.install("--init", "systemd")
    before = image.files()
    document = image.document("install", image.given(NEEDS_STEWARD), "--init", "systemd", "--dry-run")
    assert document["changed"] is True
    change = next(file for file in document["files"] if file["path"] == "/etc/steward/web.toml")
    assert change["change"] == "updated" and "+limit = 3" in change["difference"]
    assert "would be" in image("uninstall", "web", "--dry-run").out
    assert "would be disabled" in image("disable", "web", "--dry-run").out
    assert image.files() == before


def test_what_was_edited_is_kept_and_shown(image):
    image.install("--init", "systemd")
    unit = image / PLACES["systemd"][0]
    edited = unit.read_text() + "# mine\n"
    unit.write_text(edited)
    done = image.install("--init", "systemd", text=NEEDS_STEWARD, code=1)
    assert unit.read_text() == edited
    assert "kept /usr/local/lib/systemd/system/web.service, which was edited" in done.out
    assert "    -# mine\n" in done.out
    assert (image / "etc/steward/web.toml").read_text() == NEEDS_STEWARD
    document = image.document("install", image.given(NEEDS_STEWARD), "--init", "systemd", code=1)
    assert (document["kept_edits"], document["changed"]) == (True, False)
    image.install("--init", "systemd", "--force", text=NEEDS_STEWARD)
    assert "# mine" not in unit.read_text()

    unit.write_text(edited)
    done = image("uninstall", "web")
    assert "kept /usr/local/lib/systemd/system/web.service" in done.out
    assert set(image.files()) == {PLACES["systemd"][0]}


def test_an_edited_service_file_goes_on_deciding(image):
    image.install("--init", "systemd")
    edited = FILE.replace("1000", "2000")
    (image / "etc/steward/web.toml").write_text(edited)
    image.install("--init", "systemd", text=NEEDS_STEWARD, code=1)
    assert (image / "etc/steward/web.toml").read_text() == edited
    assert "ExecStart=/bin/sleep 2000\n" in (image / PLACES["systemd"][0]).read_text()
    image("uninstall", "web", "--force")
    assert not image.files()


@pytest.mark.parametrize("path", ["etc/init.d/web", "etc/steward/web.toml"])
def test_what_others_wrote_is_not_replaced(image, path):
    (image / path).parent.mkdir(parents=True)
    (image / path).write_text("theirs\n")
    before = image.files()
    done = image.install("--init", "sysv", code=1)
    assert "is there already, and steward did not write it" in done.err
    assert image.files() == before
    image.install("--init", "sysv", "--force")
    assert (image / path).read_text() != "theirs\n"


def test_a_link_in_the_way_is_named_and_one_that_leads_nowhere_gives_way(image):
    link = image / PLACES["systemd"][1]
    link.parent.mkdir(parents=True)
    (image / "opt").mkdir()
    (image / "opt/web.service").write_text("theirs\n")
    link.symlink_to("/opt/web.service")
    told = image.install("--init", "systemd", code=1).err
    assert "a link to '/opt/web.service', and steward did not write it" in told and "--force" in told
    image.install("--init", "systemd", "--force")
    assert os.readlink(link) == "/usr/local/lib/systemd/system/web.service"
    image("uninstall", "web")
    (image / "opt/web.service").unlink()
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to("/opt/web.service")
    image.install("--init", "systemd")
    assert os.readlink(link) == "/usr/local/lib/systemd/system/web.service"


@pytest.mark.parametrize("verb", ["disable", "uninstall"])
def test_no_link_that_starts_it_is_left_whoever_made_it(image, verb):
    image.install("--init", "systemd")
    wants = image / "etc/systemd/system"
    unit = "/usr/local/lib/systemd/system/web.service"
    for link in ("rescue.target.wants/web.service", "a.service.requires/web.service", "b.service.upholds/web.service", "www.service"):
        (wants / link).parent.mkdir(exist_ok=True)
        (wants / link).symlink_to(unit)
    theirs = {"rescue.target.wants/other.service", "other.service"}
    (wants / "large.service").write_text("# a long unit\n" * 1000)
    for link in theirs:
        (wants / link).symlink_to("/lib/systemd/system/other.service")
    image(verb, "web")
    assert {str(path.relative_to(wants)) for path in wants.rglob("*") if path.is_symlink()} == theirs


def test_in_a_runlevel_of_the_administrators_choice_it_stays_and_leaves_it(image):
    image.install("--init", "openrc")
    default, boot = image / PLACES["openrc"][1], image / "etc/runlevels/boot/web"
    boot.parent.mkdir()
    default.rename(boot)
    image.install("--init", "openrc", text=NEEDS_STEWARD)
    assert "was enabled already" in image("enable", "web").out
    assert boot.is_symlink() and not default.is_symlink()
    image("disable", "web")
    assert not boot.is_symlink()
    assert "was disabled already" in image("disable", "web").out
    image("enable", "web")
    assert default.is_symlink()
    default.rename(boot)
    image("uninstall", "web")
    assert not boot.is_symlink()


def test_blanks_around_the_equals_sign_are_systemds_way_too(image):
    image.install("--init", "systemd")
    unit = image / PLACES["systemd"][0]
    unit.write_text(unit.read_text().replace("WantedBy=multi-user.target", "WantedBy = x.target"))
    image("disable", "web")
    image("enable", "web")
    assert (image / "etc/systemd/system/x.target.wants/web.service").is_symlink()


def test_a_packages_unit_is_not_put_out_of_action(image):
    (image / "usr/lib/systemd/system").mkdir(parents=True)
    (image / "usr/lib/systemd/system/web.service").write_text("[Service]\n")
    assert "systemd has a unit of that name" in image.install("--init", "systemd", code=1).err
    image.install("--init", "systemd", "--force")


def test_a_mask_is_left_alone_and_told(image):
    (image / "etc/systemd/system").mkdir(parents=True)
    (image / "etc/systemd/system/web.service").symlink_to("/dev/null")
    assert "it is masked" in image.install("--init", "systemd").err
    image("uninstall", "web")
    assert set(image.files()) == {"etc/systemd/system/web.service"}


def test_directories_that_several_services_share_go_with_the_last(image):
    image.install("--init", "runit", name="a")
    image.install("--init", "runit", name="b")
    image("uninstall", "a")
    assert (image / "etc/sv/b/run").exists()
    image("uninstall", "b")
    assert image.everything() == {"var", "var/lib"}


def test_no_link_leads_out_of_the_image(image):
    outside = image.room.root / "outside"
    outside.mkdir()
    (image / "etc").mkdir()
    (image / "etc/init.d").symlink_to(outside)
    (image / "etc/rc2.d").symlink_to("../../outside")
    image.install("--init", "sysv", code=1)
    assert list(outside.iterdir()) == []
    assert set(image.files()) == {"etc/init.d", "etc/rc2.d"}
    # An absolute link means the same in the image as it will when it is booted.
    (image / "etc/init.d").unlink()
    (image / "etc/rc2.d").unlink()
    (image / "lib/init.d").mkdir(parents=True)
    (image / "etc/init.d").symlink_to("/lib/init.d")
    image.install("--init", "sysv")
    assert (image / "lib/init.d/web").exists()


@pytest.mark.parametrize("name", ["a b", "a;b", "-x", "a\nb", "a$b", ".x"])
def test_a_hostile_name_is_refused_before_anything_is_written(image, name):
    image("install", "--init", "systemd", "--", image.given(name=name), code=6)
    assert image.everything() == set()


@pytest.mark.parametrize("system", PLACES)
def test_a_newline_in_a_value_is_refused_before_anything_is_written(image, system):
    image.install("--init", system, text='[service]\ncommand = ["/bin/echo", "a\\nExecStart=/bin/evil"]\n', code=6)
    assert image.everything() == set()


def test_what_would_be_lost_is_refused_when_strict(image):
    text = FILE + '[restart]\nlimit = 3\n[install]\nsupervisor = "init"\n'
    assert "restart.limit would be lost" in image.install("--init", "systemd", "--strict", text=text, code=3).err
    assert image.everything() == set()
    done = image.install("--init", "systemd", text=text)
    assert "restart.limit has no equal there: lost" in done.err
    assert "ExecStart=/bin/sleep" in (image / PLACES["systemd"][0]).read_text()


def test_the_service_file_says_who_supervises_and_whether_it_is_enabled(image):
    image.install("--init", "systemd", text=FILE + '[install]\nenable = false\nsupervisor = "steward"\n')
    assert "ExecStart=/usr/bin/steward run" in (image / PLACES["systemd"][0]).read_text()
    assert not (image / PLACES["systemd"][1]).is_symlink()


def test_a_unit_is_enabled_by_its_install_section_as_systemctl_would(image):
    wants = image / "etc/systemd/system"
    image.install("--init", "systemd", text=FILE + '[systemd.Install]\nWantedBy = "graphical.target %i.target ../evil.target"\nAlias = "www.service"\n')
    assert {str(path.relative_to(wants)): os.readlink(path) for path in wants.rglob("*") if path.is_symlink()} == {
        "graphical.target.wants/web.service": "/usr/local/lib/systemd/system/web.service",
        "www.service": "/usr/local/lib/systemd/system/web.service",
    }
    image("disable", "web")
    assert not [path for path in wants.rglob("*") if path.is_symlink()]
    image("enable", "web")
    # Another word in the file moves the link.
    image.install("--init", "systemd", text=FILE + '[systemd.Install]\nRequiredBy = "x.target"\n')
    assert [str(path.relative_to(wants)) for path in wants.rglob("*") if path.is_symlink()] == ["x.target.requires/web.service"]


def test_init_systems_that_are_only_written_for_are_told(image):
    for system in ("s6", "dinit"):
        assert f"steward generate --init {system}" in image.install("--init", system, code=3).err
    image("install", image.given(), "--init", "systemd,sysv", code=2)
    image("install", image.given(), "--now", code=2)
    image("install", image.given(), "--user", code=2)


def test_what_cannot_be_written_is_told_and_undone(image):
    image("install", image.given(), code=0)
    image("uninstall", "web")
    (image / "etc").mkdir()
    (image / "etc/init.d").write_text("a file")
    before = image.files()
    assert "cannot" in image.install("--init", "sysv", code=1).err
    assert image.files() == before


def test_a_service_that_is_there_by_name_is_not_copied(image):
    (image / "etc/steward").mkdir(parents=True)
    (image / "etc/steward/web.toml").write_text(FILE)
    assert "created /etc/steward" not in image("install", "web", "--init", "sysv").out
    image("uninstall", "web")
    assert set(image.files()) == {"etc/steward/web.toml"}
    image("install", "nope", "--init", "sysv", code=5)


def test_a_name_is_looked_for_in_the_image_over_its_own_links(image):
    """The same absolute links lead elsewhere on the host."""
    host = image.room.root / "opt"
    inside = image.root / str(host)[1:]
    for place, argument in ((host, "1"), (inside, "2")):
        (place / "web.toml.d").mkdir(parents=True)
        (place / "web.toml").write_text(FILE.replace("1000", argument))
        (place / "web.toml.d/more.toml").write_text(f'[service]\numask = "07{argument}"\n')
    (image / "etc/steward").mkdir(parents=True)
    (image / "etc/steward/web.toml").symlink_to(host / "web.toml")
    (image / "etc/steward/web.toml.d").symlink_to(host / "web.toml.d")
    image("install", "web", "--init", "systemd")
    unit = (image / PLACES["systemd"][0]).read_text()
    assert "ExecStart=/bin/sleep 2\n" in unit and "UMask=072\n" in unit
    image("uninstall", "web")
    assert (image / "etc/steward/web.toml").is_symlink()


def test_by_its_name_the_copy_is_installed_anew_edited_or_not(image):
    image.install("--init", "systemd")
    copy = image / "etc/steward/web.toml"
    assert image("install", "web", "--init", "systemd").out == "web: unchanged; systemd starts it at boot\n"
    assert copy.read_text() == FILE
    edited = FILE.replace("1000", "2000")
    copy.write_text(edited)
    image("install", "web", "--init", "systemd")
    assert copy.read_text() == edited
    assert "ExecStart=/bin/sleep 2000\n" in (image / PLACES["systemd"][0]).read_text()
    assert "kept /etc/steward/web.toml" in image("uninstall", "web").out
    copy.write_text(FILE)
    image("install", "web", "--init", "systemd")
    image("uninstall", "web")
    assert copy.read_text() == FILE


@pytest.mark.skipif(os.getuid() != 0, reason="changes the user")
def test_an_ordinary_user_is_told_and_nothing_is_written(image):
    done = image("install", image.given(), "--init", "sysv", code=4, user=NOBODY)
    assert "Permission denied" in done.err
    assert image.everything() == set()


# --- on this host, for no init system ----------------------------------------------------------------------------------------------


def test_without_an_init_system_run_all_is_what_starts_it(room):
    given = room.work / "web.toml"
    given.write_text(FILE)
    done = room("install", given, "--init", "none")
    assert "web: installed; no init system starts it; `steward run --all` does\n" in done.out
    assert "web: next: steward start web\n" in done.out
    assert (room.etc / "web.toml").read_text() == FILE
    room.sleeper("other")
    room.sleeper("third", extra="[install]\nenable = false\n")
    room("disable", "web")
    process = room.spawn("run", "--all")
    wait_until(lambda: room.pid_now("other"), "other")
    assert room.pid_now("web") is None and room.pid_now("third") is None
    process.terminate()
    room.finish(process)
    room("enable", "web", "third")
    room("disable", "other")
    process = room.spawn("run", "--all")
    wait_until(lambda: room.pid_now("web") and room.pid_now("third"), "web and third")
    assert room.pid_now("other") is None
    process.terminate()
    room.finish(process)


def test_now_starts_and_an_update_restarts(room):
    given = room.work / "web.toml"
    given.write_text(FILE)
    assert "web: started\n" in room("install", given, "--init", "none", "--now").out
    first = room.pid()
    assert "started" not in room("install", given, "--init", "none", "--now").out
    assert room.pid() == first
    given.write_text(FILE.replace("1000", "999"))
    room("install", given, "--init", "none", "--now")
    assert room.pid() != first
    room("uninstall", "web")
    room.assert_nothing_left()
    assert not room.lib.exists()
    assert not (room.etc / "web.toml").exists()


def test_a_start_that_fails_leaves_it_installed_and_says_so(room):
    given = room.work / "web.toml"
    # By [ready], or it would be up for a moment where the machine gives it no time to end at once.
    given.write_text(f'[service]\ncommand = ["/bin/false"]\n[ready]\nfile = "{room.work}/never"\n')
    done = room("install", given, "--init", "none", "--now", code=1)
    assert "it is installed and enabled" in done.err
    assert (room.etc / "web.toml").exists()


def test_purge_takes_logs_and_record_too_and_twice_is_fine(room):
    given = room.work / "web.toml"
    given.write_text(FILE)
    room("install", given, "--init", "none", "--now")
    (room.log / "web.log.1").write_text("old\n")
    (room.log / "web.logbook").write_text("another's\n")
    done = room("uninstall", "web", "--purge")
    assert f"removed {room.log}/web.log\n" in done.out
    assert [path.name for path in room.log.iterdir() if path.name.startswith("web")] == ["web.logbook"]
    assert not (room.run / "web").exists()
    room("uninstall", "web", "--purge")


def test_a_program_that_is_missing_is_told_when_it_is_installed(room):
    given = room.work / "web.toml"
    given.write_text('[service]\ncommand = ["/no/such/program"]\n')
    done = room("install", given, "--init", "none")
    assert "it will not start as it is" in done.err and "/no/such/program" in done.err


def test_an_unknown_service_is_enabled_by_nobody(room):
    for verb in ("enable", "disable"):
        room(verb, "nope", code=5)
    assert not room.lib.exists()


def test_installations_at_the_same_time_come_one_after_the_other(image):
    names = [f"s{number}" for number in range(8)]
    for name in names:
        image.given(name=name)
    processes = [image.room.spawn("install", image.room.work / f"{name}.toml", "--init", "systemd", "--root", image.root, env=image.env)
                 for name in names for _ in range(2)]
    for process in processes:
        assert image.room.finish(process).code == 0
    assert {path.name for path in (image / "etc/systemd/system/multi-user.target.wants").iterdir()} == {f"{name}.service" for name in names}
    image("uninstall", *names)
    assert image.everything() == {"var", "var/lib"}


# --- a place that has nothing ------------------------------------------------------------------------------------------------------


@pytest.fixture
def chroot(room):
    """A root with steward and its libraries, and neither /proc nor /dev nor any other program."""
    if os.getuid() != 0:
        pytest.skip("needs root")
    if SANITIZED:
        pytest.skip("a sanitizer reads its options from /proc, and fails without it")
    root = room.root / "bare"
    (root / "usr/bin").mkdir(parents=True)
    shutil.copy(STEWARD, root / "usr/bin/steward")
    for line in subprocess.run(["ldd", STEWARD], capture_output=True, text=True, check=True).stdout.splitlines():
        library = next((word for word in line.split() if word.startswith("/")), None)
        if library:
            (root / library[1:]).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(library, root / library[1:])
    (root / "web.toml").write_text(FILE)

    def run(*words, code=0):
        enter = ["chroot", root, "/usr/bin/steward", *map(str, words)]
        finished = room.finish(room.spawn(*enter[1:], program=enter[0], env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}))
        assert finished.code == code, finished
        return finished

    return root, run


@pytest.mark.parametrize("system", PLACES)
def test_in_a_chroot_with_nothing_files_and_links_are_written(chroot, system):
    root, run = chroot
    run("install", "/web.toml", "--init", system)
    unit, link = PLACES[system]
    assert (root / unit).exists() and starts_at_boot(root, system)
    run("disable", "web")
    assert (root / unit).exists() and not starts_at_boot(root, system)
    run("uninstall", "web")
    assert not (root / unit).exists() and not (root / link).is_symlink()


def test_in_a_chroot_with_nothing_what_cannot_work_says_why(chroot):
    root, run = chroot
    assert "run --all" in run("install", "/web.toml").out
    assert "does not run here" in run("install", "/web.toml", "--init", "systemd", "--now", code=3).err
    (root / "image").mkdir()
    run("install", "/web.toml", "--root", "/image", "--init", "systemd")
    assert (root / "image/usr/local/lib/systemd/system/web.service").exists()
