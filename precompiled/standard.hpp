// What nearly every file includes of the standard library: with -Db_pch=true the compiler reads it once a folder, and a build from nothing is a
// third shorter. Each file includes what it uses all the same.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tl/expected.hpp>
