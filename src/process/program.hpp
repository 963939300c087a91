// The file that is executed: found as execvp(3) would, but never in the current directory, and judged before root runs it.
#pragma once

#include <string>

#include <steward/result.hpp>

namespace steward::process {

struct ProgramSearch {
    std::string path;               // the service's PATH: directories, split by ':'; relative ones are passed over
    std::string working_directory;  // what a name like "bin/x" starts from
    std::string root_directory;     // everything else is below it; empty: "/"
};

// The absolute path of the program as it is called below the root directory. program_missing says why there is none.
Result<std::string> find_program(const std::string& name, const ProgramSearch& where);

// The same file as seen from here; links are followed inside the root directory only. Without a root directory the path itself.
[[nodiscard]] std::string outside_of_root(const std::string& root_directory, const std::string& path);

// not_permitted when somebody other than root could change what root would execute: the file, a directory on the way to it, or a link
// on the way (CVE-2017-14312). In a sticky directory of root's, such as /tmp, a file of root's is safe.
Result<void> require_only_root_can_change(const std::string& path);

// Why the kernel would not execute `path`, as a clause: execve tells ENOENT for a missing interpreter too.
[[nodiscard]] std::string why_not_executed(const std::string& path, int os_errno);

}  // namespace steward::process
