// Paths as text. Nothing is resolved: a path is what its writer said.
#include <unistd.h>
#include <array>
#include <climits>

#include "os/file.hpp"

namespace steward::os {
namespace {

std::string_view without_trailing_slashes(std::string_view path)
{
    while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
    return path;
}

}  // namespace

std::string parent_of(const std::string& path)
{
    const std::string_view whole = without_trailing_slashes(path);
    const auto slash = whole.rfind('/');
    if (slash == std::string_view::npos) return ".";
    return std::string(without_trailing_slashes(whole.substr(0, slash + 1)));
}

std::string base_of(const std::string& path)
{
    const std::string_view whole = without_trailing_slashes(path);
    if (whole == "/") return "/";
    return std::string(whole.substr(whole.rfind('/') + 1));  // npos + 1 is 0
}

std::string absolute(const std::string& path)
{
    if (path.starts_with('/')) return path;
    std::array<char, PATH_MAX> here{};
    if (getcwd(here.data(), here.size()) == nullptr) return path;  // deleted under us: the path still means the same to the kernel
    const std::string directory = here.data();
    return directory == "/" ? directory + path : directory + "/" + path;
}

}  // namespace steward::os
