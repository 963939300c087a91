// A pump with a FIFO and a log of a test's own, which another one can take over as a new process would.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>
#include <string>

#include "fifo.hpp"
#include "log/pump.hpp"
#include "log/stamper.hpp"

namespace steward::test {

class Pumping : public WithFifo {
  protected:
    // As a new process makes it: all that it knows stands in the files.
    [[nodiscard]] std::unique_ptr<log::Pump> pump() const { return std::make_unique<log::Pump>(options_, fifo_, spool()); }
    [[nodiscard]] std::unique_ptr<log::Pump> opened() const
    {
        auto made = pump();
        const auto result = made->open();
        EXPECT_TRUE(result) << result.error().message();
        return made;
    }
    [[nodiscard]] std::string log_path() const { return scratch_ / "log/web.log"; }
    [[nodiscard]] std::string log() const { return content_of(log_path()); }
    [[nodiscard]] std::string log_and_rotated() const
    {
        std::string text = log();
        for (int number = 1; std::filesystem::exists(log_path() + "." + std::to_string(number)); ++number) {
            text.insert(0, content_of(log_path() + "." + std::to_string(number)));
        }
        return text;
    }
    [[nodiscard]] static std::string without_stamps(const std::string& text)
    {
        std::string bare;
        for (std::string_view rest = text; !rest.empty();) {
            const auto line = rest.substr(0, std::min(rest.find('\n'), rest.size() - 1) + 1);
            bare += line.substr(log::stamp_length(line, LogTimestamps::iso8601));
            rest.remove_prefix(line.size());
        }
        return bare;
    }

    log::PumpOptions options_{.path = scratch_ / "log/web.log", .system_scope = false};
};

}  // namespace steward::test
