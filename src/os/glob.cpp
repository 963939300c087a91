#include "os/glob.hpp"

#include <fnmatch.h>

namespace steward::os {

bool matches_glob(const std::string& pattern, const std::string& name)
{
    return ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
}

}  // namespace steward::os
