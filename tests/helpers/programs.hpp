// Where the helper programs are, for whoever a test becomes.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "helpers/scratch.hpp"

namespace steward::test {

// Whether every user can go down to `path`: a checkout may lie below /root.
inline bool everybody_reaches(const std::filesystem::path& path)
{
    for (std::filesystem::path at = path; at.has_relative_path(); at = at.parent_path()) {
        struct stat info {};
        if (::stat(at.c_str(), &info) != 0 || (info.st_mode & S_IXOTH) == 0) return false;
    }
    return true;
}

// `name` in the directory `built`, or a copy of it that every user can execute.
inline std::string program_for_everybody(const std::string& built, const std::string& name)
{
    if (geteuid() != 0 || everybody_reaches(built)) return built + "/" + name;
    static const ScratchDirectory copies;
    ::chmod(copies.path().c_str(), 0755);
    std::filesystem::copy_file(built + "/" + name, copies / name, std::filesystem::copy_options::skip_existing);
    return copies / name;
}

}  // namespace steward::test
