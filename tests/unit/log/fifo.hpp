// A FIFO of a test's own, with the spool that a pump makes beside it.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string_view>

#include "helpers/scratch.hpp"
#include "log/spool.hpp"
#include "os/file.hpp"
#include "os/pipe.hpp"

namespace steward::test {

class WithFifo : public testing::Test {
  protected:
    void SetUp() override
    {
        directory_ = os::open_trusted(scratch_.path(), {.directory = true}).value();
        auto fifo = os::open_fifo(directory_, "fifo", geteuid(), getegid());
        ASSERT_TRUE(fifo) << fifo.error().message();
        fifo_ = std::move(*fifo);
    }
    // As a new process opens it.
    [[nodiscard]] log::Spool spool() const
    {
        auto file = os::open_at(directory_, "spool", {.read = true, .write = true, .create = true});
        return std::move(log::Spool::open(std::move(file.value())).value());
    }
    void write(std::string_view text) const
    {
        ASSERT_EQ(::write(fifo_.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
    }

    ScratchDirectory scratch_;
    os::UniqueFd directory_;
    os::UniqueFd fifo_;
};

}  // namespace steward::test
