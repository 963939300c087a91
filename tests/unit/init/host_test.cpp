#include "init/host.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "helpers/scratch.hpp"

namespace steward::init {
namespace {

namespace fs = std::filesystem;

class HostTest : public testing::Test {
  protected:
    void make(const std::string& directory) const { fs::create_directories(scratch_ / directory); }
    void touch(const std::string& file) const
    {
        fs::create_directories(fs::path(scratch_ / file).parent_path());
        scratch_.write(file, "");
    }
    [[nodiscard]] std::optional<InitSystem> booted(const std::string& first_process) const
    {
        return booted_init_system(scratch_.path(), first_process);
    }

    test::ScratchDirectory scratch_;
};

TEST_F(HostTest, systemd_is_booted_where_its_runtime_directory_is)
{
    make("run/systemd/system");
    EXPECT_EQ(booted("anything"), InitSystem::systemd);
}

TEST_F(HostTest, openrc_comes_before_the_init_that_runs_it)
{
    make("run/openrc");
    make("etc/init.d");
    touch("etc/inittab");
    EXPECT_EQ(booted("init"), InitSystem::openrc);
}

TEST_F(HostTest, the_first_process_tells_runit_dinit_and_s6)
{
    EXPECT_EQ(booted("runit"), InitSystem::runit);
    EXPECT_EQ(booted("dinit"), InitSystem::dinit);
    EXPECT_EQ(booted("s6-svscan"), InitSystem::s6);
}

TEST_F(HostTest, a_containers_init_is_not_sysvinit)
{
    EXPECT_EQ(booted("init"), std::nullopt);
    make("etc/init.d");
    EXPECT_EQ(booted("init"), std::nullopt);
    touch("etc/inittab");
    EXPECT_EQ(booted("init"), InitSystem::sysv);
    EXPECT_EQ(booted("bash"), std::nullopt);
}

TEST_F(HostTest, without_proc_sysvinits_fifo_tells)
{
    make("etc/init.d");
    touch("etc/inittab");
    EXPECT_EQ(booted(""), std::nullopt);
    make("run");
    ASSERT_EQ(mkfifo((scratch_ / "run/initctl").c_str(), 0600), 0);
    EXPECT_EQ(booted(""), InitSystem::sysv);
}

TEST_F(HostTest, an_image_is_known_by_its_programs)
{
    EXPECT_EQ(init_system_of_image(scratch_.path()), std::nullopt);
    make("etc/init.d");
    touch("etc/inittab");
    touch("sbin/init");
    EXPECT_EQ(init_system_of_image(scratch_.path()), InitSystem::sysv);
    touch("sbin/openrc-run");
    EXPECT_EQ(init_system_of_image(scratch_.path()), InitSystem::openrc);
    make("lib/systemd");
    fs::create_symlink("/no/such/file", scratch_ / "lib/systemd/systemd");
    EXPECT_EQ(init_system_of_image(scratch_.path()), InitSystem::systemd);
}

}  // namespace
}  // namespace steward::init
