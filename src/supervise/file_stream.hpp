// A stream that goes into a log file, which is rotated, compressed and read back.
#pragma once

#include <optional>

#include "log/pump.hpp"
#include "supervise/output_stream.hpp"

namespace steward::supervise {

class FileStream : public OutputStream {
  public:
    FileStream(os::EventLoop& loop, log::EventLog& events, const std::string& service, std::unique_ptr<log::Pump> pump,
               LogCompression compression);
    ~FileStream() override;
    FileStream(const FileStream&) = delete;
    FileStream& operator=(const FileStream&) = delete;

    Result<void> open() override;
    void begin_launch() override;
    Result<void> rotate() override;
    Result<void> reopen() override;
    [[nodiscard]] LogPacker* packer() override { return &packer_; }
    [[nodiscard]] std::vector<std::string> last_lines(unsigned count) override;  // without their stamps
    [[nodiscard]] record::LogPlace launch_place() const override { return launch_; }
    void began_at(const record::LogPlace& place) override { launch_ = place; }
    void watch_lines(const LogLines::Told& told) override;
    void hold_packing(bool hold) override;

  private:
    void settled(const Result<void>& outcome) override;
    void look_at_rotation();
    void look_at_lines();
    void look_at_packing();

    log::Pump& pump_;  // the base's
    LogPacker packer_;
    bool rotation_faulted_ = false;
    record::LogPlace launch_;
    std::optional<LogLines> lines_;
    LogLines::Told told_;
    os::EventLoop::Id look_ = 0;
};

}  // namespace steward::supervise
