// steward's own events, by spdlog: one line each in steward.log, and syslog where the host has one.
#pragma once

#include <memory>
#include <string>

namespace steward::log {

// Opens at the first event: a process that has nothing to say pays nothing. A log that cannot be written is done without, in silence:
// events never fail a service. Not thread-safe.
class EventLog {
  public:
    enum class Sink { file_and_syslog, file, standard_error };
    EventLog(Sink sink, std::string path);
    ~EventLog();
    EventLog(EventLog&&) noexcept;
    EventLog& operator=(EventLog&&) noexcept;

    void info(const std::string& service, const std::string& message);
    void warning(const std::string& service, const std::string& message);
    void error(const std::string& service, const std::string& message);
    // From now on this process waits for memory instead of failing for want of it (os::wait_for_memory), and says so here. Once a process.
    void tell_of_missing_memory();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace steward::log
