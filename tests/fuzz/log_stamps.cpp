// Any bytes as the beginning of a log line, and as a time on the command line: both agree on what they understand.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <steward/words.hpp>

#include "log/read_stamp.hpp"

using namespace steward;

namespace {

[[noreturn]] void give_up(const char* what, const std::string& text)
{
    std::fprintf(stderr, "%s\n%s\n", what, text.c_str());
    std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string text(reinterpret_cast<const char*>(data), size);
    const std::chrono::system_clock::time_point now(std::chrono::seconds(1795262535));
    static_cast<void>(parse_time(text, now));
    const auto stamp = log::read_stamp(text);
    if (!stamp) return 0;
    if (stamp->length > text.size() || stamp->length > log::longest_read_stamp) give_up("a stamp that is longer than its line", text);
    if (text.front() == '@') return 0;
    const auto time = parse_time(text.substr(0, stamp->length - 1), now);
    if (!time || *time != stamp->time) give_up("a stamp that is another time when it is typed", text);
    return 0;
}
