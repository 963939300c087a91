#include "supervise/file_wait.hpp"

#include <filesystem>
#include <fstream>

#include "supervising.hpp"

namespace steward::supervise {
namespace {

class FileWaiting : public test::Looping {
  protected:
    // Counts the calls, and sees whether the file is there.
    [[nodiscard]] std::unique_ptr<FileWait> wait_for(const std::string& path)
    {
        return std::make_unique<FileWait>(*loop_, path, [this, path] {
            ++calls_;
            there_ = std::filesystem::exists(path);
        });
    }
    void idle_for(std::chrono::milliseconds duration)
    {
        bool over = false;
        loop_->after(duration, [&] { over = true; });
        EXPECT_TRUE(run_until([&] { return over; }));
    }

    int calls_ = 0;
    bool there_ = false;
};

TEST_F(FileWaiting, looks_once_at_what_does_not_change)
{
    const auto wait = wait_for(scratch_ / "file");
    idle_for(std::chrono::milliseconds(300));
    EXPECT_EQ(calls_, 1);
}

TEST_F(FileWaiting, sees_a_file_that_appears)
{
    const auto wait = wait_for(scratch_ / "file");
    ASSERT_TRUE(run_until([&] { return calls_ == 1; }));
    EXPECT_FALSE(there_);
    std::ofstream(scratch_ / "file") << "x";
    EXPECT_TRUE(run_until([&] { return there_; }));
}

TEST_F(FileWaiting, sees_a_file_whose_directories_are_made_later)
{
    const auto wait = wait_for(scratch_ / "a/b/c/file");
    ASSERT_TRUE(run_until([&] { return calls_ == 1; }));
    std::filesystem::create_directories(scratch_ / "a/b");
    idle_for(std::chrono::milliseconds(20));
    std::filesystem::create_directories(scratch_ / "a/b/c");
    std::ofstream(scratch_ / "a/b/c/file") << "x";
    EXPECT_TRUE(run_until([&] { return there_; }));
}

TEST_F(FileWaiting, sees_a_file_in_a_directory_that_was_removed_and_made_anew)
{
    std::filesystem::create_directory(scratch_ / "d");
    const auto wait = wait_for(scratch_ / "d/file");
    ASSERT_TRUE(run_until([&] { return calls_ == 1; }));
    std::filesystem::remove(scratch_ / "d");
    std::filesystem::create_directory(scratch_ / "d");
    idle_for(std::chrono::milliseconds(20));
    std::ofstream(scratch_ / "d/file") << "x";
    EXPECT_TRUE(run_until([&] { return there_; }));
}

TEST_F(FileWaiting, may_be_destroyed_by_what_it_calls)
{
    std::unique_ptr<FileWait> wait;
    bool called = false;
    wait = std::make_unique<FileWait>(*loop_, scratch_ / "file", [&] {
        called = true;
        wait.reset();
    });
    EXPECT_TRUE(run_until([&] { return called; }));
    idle_for(std::chrono::milliseconds(20));
}

}  // namespace
}  // namespace steward::supervise
