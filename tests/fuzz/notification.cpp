// Any bytes as a message of sd_notify(3): it is read or refused, and what is shown of it is a line that a terminal can show.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "supervise/notification.hpp"

using namespace steward;

namespace {

[[noreturn]] void give_up(const char* what, std::string_view text)
{
    std::fprintf(stderr, "%s\n%.*s\n", what, static_cast<int>(text.size()), text.data());
    std::abort();
}

void expect_showable(std::string_view line)
{
    for (std::size_t i = 0; i < line.size(); ++i) {
        const auto byte = static_cast<unsigned char>(line[i]);
        const bool late_control = byte == 0xc2 && i + 1 < line.size() && static_cast<unsigned char>(line[i + 1]) < 0xa0;
        if (byte < 0x20 || byte == 0x7f || late_control) give_up("a control character is shown", line);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto said = supervise::read_notification(text);
    if (!said) {
        expect_showable(said.error());
        return 0;
    }
    if (said->status) expect_showable(*said->status);
    if (said->status && said->status->size() > 260) give_up("a status that is too long", text);
    if (said->main_pid == 1 || said->main_pid < 0) give_up("a main process that cannot be", text);
    return 0;
}
