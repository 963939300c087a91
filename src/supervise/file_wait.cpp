#include "supervise/file_wait.hpp"

#include "os/directory_watch.hpp"
#include "os/file.hpp"

namespace steward::supervise {

namespace {

// Where a directory cannot be watched: out of watches, or of descriptors.
constexpr std::chrono::milliseconds look_pause{200};

std::string nearest_directory(const std::string& path)
{
    std::string directory = os::parent_of(path);
    for (; directory != "/"; directory = os::parent_of(directory)) {
        const auto found = os::info_at(directory, true);
        if (found && *found && (*found)->kind == os::FileInfo::Kind::directory) break;
    }
    return directory;
}

}  // namespace

FileWait::FileWait(os::EventLoop& loop, std::string path, std::function<void()> changed)
    : loop_(loop), path_(std::move(path)), changed_(std::move(changed))
{
    timer_ = loop_.after(Duration::zero(), [this] { look(); });
}

FileWait::~FileWait()
{
    loop_.cancel(watch_id_);
    loop_.cancel(timer_);
}

// Until the nearest is the one that is watched: a directory may be made in between.
void FileWait::watch_nearest_directory()
{
    for (;;) {
        std::string nearest = nearest_directory(path_);
        if (watch_id_ != 0 && nearest == watched_) return;
        loop_.cancel(std::exchange(watch_id_, 0));
        watch_.reset();
        watched_ = std::move(nearest);
        auto watch = os::watch_directory(watched_);
        if (watch) watch_ = std::move(*watch);
        auto id = watch_ ? loop_.on_readable(watch_, [this] { look(); }) : Result<os::EventLoop::Id>(tl::unexpected(watch.error()));
        if (id) {
            watch_id_ = *id;
            continue;
        }
        timer_ = loop_.after(look_pause, [this] { look(); });
        return;
    }
}

// Watched first, looked at then: what happens in between is not missed.
void FileWait::look()
{
    loop_.cancel(std::exchange(timer_, 0));
    if (watch_ && !os::take_changes(watch_)) loop_.cancel(std::exchange(watch_id_, 0));
    watch_nearest_directory();
    const auto changed = changed_;
    changed();
}

}  // namespace steward::supervise
