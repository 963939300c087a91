// The names of services: safe as a file name, in a path, in a unit, on a command line.
#include <algorithm>

#include "config/loader.hpp"

namespace steward::config {

bool is_valid_name(std::string_view name)
{
    constexpr std::size_t longest_name = 200;  // leaves room for ".toml.d" and the like within a file name's 255 bytes
    const auto is_alphanumeric = [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); };
    const auto fits = [&](char c) { return is_alphanumeric(c) || std::string_view("_.@:-").find(c) != std::string_view::npos; };
    return !name.empty() && name.size() <= longest_name && is_alphanumeric(name.front()) && std::ranges::all_of(name, fits) &&
           !name.ends_with(".pid") && !name.ends_with(".toml");
}

}  // namespace steward::config
