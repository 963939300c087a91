// What the tests of this folder share: a service to launch, and show_self's answer to it.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <map>
#include <string>

#include "helpers/programs.hpp"
#include "os/file.hpp"
#include "os/process.hpp"
#include "process/launch_plan.hpp"
#include "process/launcher.hpp"

namespace steward::test {

inline std::string helper(const std::string& name)
{
    return program_for_everybody(STEWARD_HELPERS, name);
}

inline ServiceSpec service(Argv command)
{
    ServiceSpec spec;
    spec.name = "web";
    spec.service.command = std::move(command);
    return spec;
}

// A variable of this process for the time of a test.
class Variable {
  public:
    Variable(const char* name, const char* value) : name_(name)
    {
        if (const char* before = getenv(name)) before_ = before;
        value != nullptr ? setenv(name, value, 1) : unsetenv(name);
    }
    ~Variable() { before_ ? setenv(name_, before_->c_str(), 1) : unsetenv(name_); }
    Variable(const Variable&) = delete;
    Variable& operator=(const Variable&) = delete;

  private:
    const char* name_;
    std::optional<std::string> before_;
};

// show_self's JSON, one value a key, as it is written there.
class Shown {
  public:
    explicit Shown(const std::string& json)
    {
        std::istringstream lines(json);
        for (std::string line; std::getline(lines, line);) {
            const auto colon = line.find("\": ");
            if (line.rfind("  \"", 0) != 0 || colon == std::string::npos) continue;
            if (line.back() == ',') line.pop_back();
            values_[line.substr(3, colon - 3)] = line.substr(colon + 3);
        }
    }
    [[nodiscard]] std::string operator[](const std::string& key) const
    {
        const auto value = values_.find(key);
        return value == values_.end() ? "(none)" : value->second;
    }

  private:
    std::map<std::string, std::string> values_;
};

class Launching : public testing::Test {
  protected:
    // A plan by hand for show_self, its output in a file.
    process::LaunchPlan plan_of(const std::string& program, Argv arguments = {})
    {
        process::LaunchPlan plan;
        plan.service = "web";
        plan.program = program;
        plan.argv = std::move(arguments);
        plan.argv.insert(plan.argv.begin(), program);
        plan.environment = {"HELLO=world"};
        return plan;
    }

    os::BorrowedFd output()
    {
        if (!output_)
            output_ = std::move(*os::open_trusted(output_path(), {.read = true, .write = true, .create = true, .truncate = true}));
        return output_;
    }
    [[nodiscard]] std::string output_path() const { return scratch_ / "output"; }

    // Runs it to its end, which must be exit 0, and reads what it has shown.
    Shown show(process::LaunchPlan plan)
    {
        plan.standard_output = output();
        auto launched = process::launch(plan);
        EXPECT_TRUE(launched) << (launched ? "" : launched.error().message());
        if (!launched) return Shown("");
        const auto reaped = os::reap_blocking(launched->process.pid());
        EXPECT_TRUE(reaped);
        EXPECT_EQ(to_string(reaped->status), "exit code 0");
        return Shown(content_of(output_path()));
    }

    ScratchDirectory scratch_;
    os::UniqueFd output_;
};

}  // namespace steward::test
