#!/usr/bin/env python3
"""The layer test can fail: each kind of fault, put into a small tree, is found, and a clean tree passes."""

import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import check_layers

CLEAN = {
    "include/steward/result.hpp": "#include <string>\n#include <tl/expected.hpp>\n",
    "src/os/fd.hpp": "#include <steward/result.hpp>\n",
    "src/os/fd.cpp": '#include "os/fd.hpp"\n#include <unistd.h>\n#include <sys/socket.h>\n#include <linux/openat2.h>\n',
    "src/os/meson.build": "os_lib = static_library('steward-os', 'fd.cpp')\n",
    "src/config/loader.cpp": "#include <toml++/toml.h>\n#include <csignal>\n#include <cerrno>\n",
    "src/config/meson.build": "config_lib = static_library('steward-config', 'loader.cpp', dependencies: [os_dep])\n",
    "src/record/record.hpp": '#include "os/fd.hpp"\n',
    "src/record/meson.build": "record_lib = static_library('steward-record', 'record.cpp', dependencies: [os_dep])\n",
    "src/supervise/keeper.cpp": '#include "record/record.hpp"\n#include "os/fd.hpp"\n',
    "src/supervise/meson.build": "supervise_lib = static_library('steward-supervise', 'keeper.cpp', dependencies: [record_dep])\n",
    "src/cli/main.cpp": "#include <steward/result.hpp>\n#include <CLI/CLI.hpp>\n#include <sysexits.h>\n",
    "src/cli/meson.build": "cli_lib = static_library('steward-cli', 'main.cpp', dependencies: [manager_dep])\n",
}


class Layers(unittest.TestCase):
    def setUp(self):
        self.top = Path(tempfile.mkdtemp(prefix="steward-layers."))
        self.addCleanup(shutil.rmtree, self.top)
        for name, text in CLEAN.items():
            self.write(name, text)

    def write(self, name, text):
        path = self.top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def faults(self):
        return [*check_layers.check_sources(self.top), *check_layers.check_builds(self.top)]

    def assert_fault(self, *fragments):
        faults = self.faults()
        self.assertEqual(len(faults), 1, faults)
        for fragment in fragments:
            self.assertIn(fragment, faults[0])

    def test_a_clean_tree_passes(self):
        self.assertEqual(self.faults(), [])

    def test_an_empty_tree_fails(self):
        shutil.rmtree(self.top / "include")
        shutil.rmtree(self.top / "src")
        (self.top / "src").mkdir()
        self.assert_fault("no source file")

    def test_a_higher_floor_is_refused(self):
        self.write("src/os/up.cpp", '#include "record/record.hpp"\n')
        self.assert_fault("src/os/up.cpp:1", "above os")

    def test_a_sibling_is_refused(self):
        self.write("src/record/side.hpp", '\n#include "config/loader.hpp"\n')
        self.assert_fault("src/record/side.hpp:2", "siblings")

    def test_the_command_line_sees_only_the_public_contract(self):
        self.write("src/cli/deep.cpp", '#include "os/fd.hpp"\n')
        self.assert_fault("src/cli/deep.cpp:1", "uses only include/steward")

    def test_the_public_contract_includes_nothing_of_ours(self):
        self.write("include/steward/up.hpp", '#include "os/fd.hpp"\n')
        self.assert_fault("include/steward/up.hpp:1", "above include/steward")

    def test_the_public_contract_has_no_macros(self):
        self.write("include/steward/macro.hpp", "#define STEWARD 1\n")
        self.assert_fault("no macros")

    def test_a_second_folder_with_a_library_is_refused(self):
        self.write("src/record/second.cpp", "#include <toml++/toml.h>\n")
        self.assert_fault("toml++ belongs to config")

    def test_an_unknown_library_is_refused(self):
        self.write("src/record/boost.cpp", "#include <boost/asio.hpp>\n")
        self.assert_fault("no folder owns the library 'boost'")

    def test_kernel_headers_outside_os_are_refused(self):
        for header in ("unistd.h", "fcntl.h", "sys/wait.h", "signal.h", "poll.h", "sched.h", "linux/openat2.h", "pwd.h", "netinet/in.h"):
            with self.subTest(header):
                self.write("src/supervise/kernel.cpp", f"  #  include <{header}>\n")
                self.assert_fault("src/supervise/kernel.cpp:1", "only src/os")

    def test_a_relative_include_is_refused(self):
        self.write("src/record/relative.cpp", '#include "../config/loader.hpp"\n')
        self.assert_fault("included as")

    def test_a_folder_without_a_floor_is_refused(self):
        self.write("src/misc/misc.cpp", "#include <string>\n")
        self.assert_fault("'misc' has no floor")

    def test_a_folder_without_a_build_file_is_refused(self):
        self.write("src/process/launcher.cpp", "#include <string>\n")
        self.assert_fault("no meson.build")

    def test_a_second_static_library_is_refused(self):
        self.write("src/os/meson.build", "a = static_library('steward-os', 'fd.cpp')\nb = static_library('steward-extra', 'fd.cpp')\n")
        self.assert_fault("one static library 'steward-os' is wanted")

    def test_a_link_to_a_higher_floor_is_refused(self):
        self.write("src/config/meson.build", "static_library('steward-config', 'loader.cpp', dependencies: [os_dep, supervise_dep])\n")
        self.assert_fault("depends on supervise")

    def test_a_system_call_in_a_library_is_found(self):
        source = self.top / "call.c"
        source.write_text("int kill(int, int); int stop(void) { return kill(1, 0); }\n")
        library = self.top / "libsteward-manager.a"
        subprocess.run(["cc", "-c", source, "-o", self.top / "call.o"], check=True)
        subprocess.run(["ar", "rc", library, self.top / "call.o"], check=True)
        self.assertEqual(list(check_layers.check_libraries([library])), ["src/manager: calls kill(), and only src/os may call the kernel"])
        library.rename(self.top / "libsteward-os.a")
        self.assertEqual(list(check_layers.check_libraries([self.top / "libsteward-os.a"])), [])


if __name__ == "__main__":
    unittest.main()
