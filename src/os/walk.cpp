#include "os/walk.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <array>
#include <cerrno>
#include <climits>

#include "os/error.hpp"

namespace steward::os {
namespace {

constexpr int most_links = 40;  // as the kernel's own

// Takes the first component off `rest`; empty when none is left.
std::string next_component(std::string& rest)
{
    const auto begin = rest.find_first_not_of('/');
    if (begin == std::string::npos) {
        rest.clear();
        return {};
    }
    const auto end = std::min(rest.find('/', begin), rest.size());
    std::string component = rest.substr(begin, end - begin);
    rest.erase(0, end);
    if (rest.find_first_not_of('/') == std::string::npos) rest.clear();
    return component;
}

bool is_ours(const struct stat& object)
{
    return object.st_uid == 0 || object.st_uid == geteuid();
}

// Another user who can write the parent may have put something else there since: only what was just made is changed.
int finish_new_directory(BorrowedFd directory, unsigned mode)
{
    struct stat found {};
    if (fstat(directory.get(), &found) < 0) return errno;
    if (found.st_uid != geteuid() || (found.st_mode & 077) != 0) return EEXIST;
    return fchmod(directory.get(), static_cast<mode_t>(mode & 07777)) < 0 ? errno : 0;
}

class Walk {
  public:
    Walk(const std::string& path, MissingParents missing, BorrowedFd root) : path_(path), rest_(path), missing_(missing), root_(root) {}

    Result<Place> to_end()
    {
        if (path_.empty()) return fail(error(ENOENT));
        if (const int failed = start_at(path_.front() == '/' ? "/" : "."); failed != 0) return fail(error(failed));
        for (;;) {
            std::string component = next_component(rest_);
            if (component.empty()) return Place{.directory = std::move(here_), .name = "."};
            if (rest_.empty() && component != "..") return Place{.directory = std::move(here_), .name = std::move(component)};
            if (const int failed = step(component); failed != 0) return fail(error(failed));
        }
    }

  private:
    [[nodiscard]] Error error(int failed) const { return errno_error("open", quoted(path_), failed); }

    int start_at(const char* directory)
    {
        here_ = UniqueFd(root_ ? openat(root_.get(), ".", O_PATH | O_DIRECTORY | O_CLOEXEC)
                               : open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC));
        return here_ ? 0 : errno;
    }

    [[nodiscard]] bool is_at_root() const
    {
        struct stat here {};
        struct stat root {};
        return root_ && fstat(here_.get(), &here) == 0 && fstat(root_.get(), &root) == 0 && here.st_dev == root.st_dev &&
               here.st_ino == root.st_ino;
    }

    int step(const std::string& component)
    {
        if (component == ".." && is_at_root()) return 0;  // as above "/"
        UniqueFd next(openat(here_.get(), component.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
        if (!next && errno == ENOENT && missing_ == MissingParents::are_made) {
            auto made = make_directory_at(here_, component, 0755, path_);
            if (!made) return made.error().os_errno;
            next = std::move(made->directory);
        }
        if (!next) return errno;
        struct stat found {};
        if (fstat(next.get(), &found) < 0) return errno;
        if (S_ISLNK(found.st_mode)) return follow(next, found);
        if (!S_ISDIR(found.st_mode)) return ENOTDIR;
        here_ = std::move(next);
        return 0;
    }

    // Who can write the directory can replace the link, and who owns the link has chosen its target.
    int follow(BorrowedFd link, const struct stat& found)
    {
        struct stat directory {};
        if (fstat(here_.get(), &directory) < 0) return errno;
        const bool others_write = (directory.st_mode & (S_IWGRP | S_IWOTH)) != 0;
        if (!is_ours(found) || !is_ours(directory) || others_write || ++links_ > most_links) return ELOOP;
        std::array<char, PATH_MAX> target{};
        const ssize_t size = readlinkat(link.get(), "", target.data(), target.size());
        if (size <= 0) return size < 0 ? errno : ENOENT;
        rest_.insert(0, target.data(), static_cast<std::size_t>(size));
        return target.front() == '/' ? start_at("/") : 0;
    }

    const std::string& path_;
    std::string rest_;
    MissingParents missing_;
    BorrowedFd root_;
    UniqueFd here_;
    int links_ = 0;
};

}  // namespace

Result<Place> walk_to(const std::string& path, MissingParents missing, BorrowedFd root)
{
    return Walk(path, missing, root).to_end();
}

Result<MadeDirectory> make_directory_at(BorrowedFd parent, const std::string& name, unsigned mode, const std::string& path)
{
    // For nobody else until its mode is set, so that the umask does not matter.
    const bool made = mkdirat(parent.get(), name.c_str(), 0700) == 0;
    if (!made && errno != EEXIST) return fail(errno_error("make the directory", quoted(path), errno));
    auto directory = open_at(parent, name, {.read = true, .directory = true});
    int error = directory ? 0 : directory.error().os_errno;
    if (error == 0 && made) error = finish_new_directory(*directory, mode);
    if (error != 0) {
        if (made) unlinkat(parent.get(), name.c_str(), AT_REMOVEDIR);
        return fail(errno_error(made ? "make the directory" : "open the directory", quoted(path), error));
    }
    return MadeDirectory{.directory = std::move(*directory), .made = made};
}

}  // namespace steward::os
