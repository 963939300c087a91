// A spool on a file system that is full.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "log/spool.hpp"

namespace steward::test {

inline log::Spool full_spool()
{
    os::UniqueFd file(memfd_create("spool", MFD_ALLOW_SEALING | MFD_CLOEXEC));
    const os::UniqueFd same(dup(file.get()));
    auto spool = log::Spool::open(std::move(file));
    EXPECT_EQ(fcntl(same.get(), F_ADD_SEALS, F_SEAL_GROW), 0);
    return std::move(spool.value());
}

}  // namespace steward::test
