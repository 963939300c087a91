// Runs whole command lines against a fake host and keeps what they wrote.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "cli/command_line.hpp"
#include "fake_manager.hpp"

namespace steward::cli {

struct Told {
    int code = -1;
    std::string out;
    std::string err;
};

class CommandLineTest : public testing::Test {
  protected:
    CommandLineTest() { fake_host() = FakeHost{}; }

    static Told run(const std::vector<std::string>& words)
    {
        Memory out, err;
        const int code = run_command_line(words, out.stream, err.stream);
        return {code, out.text(), err.text()};
    }

    static Error error(ErrorCode code, const std::string& operation = "stop", const std::string& cause = "the moon is full")
    {
        return Error{.code = code, .operation = operation, .object = "web", .cause = cause, .next_step = {}};
    }

    static FakeHost& host() { return fake_host(); }

  private:
    struct Memory {
        char* bytes = nullptr;
        std::size_t size = 0;
        std::FILE* stream = open_memstream(&bytes, &size);

        Memory() = default;
        Memory(const Memory&) = delete;
        Memory& operator=(const Memory&) = delete;
        ~Memory()
        {
            std::fclose(stream);
            std::free(bytes);
        }
        std::string text()
        {
            std::fflush(stream);
            return {bytes, size};
        }
    };
};

}  // namespace steward::cli
