#include "supervise/log_lines.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <span>

#include "log/log_file.hpp"
#include "log/rotation.hpp"
#include "log/stamper.hpp"
#include "os/file.hpp"

namespace steward::supervise {

namespace {

constexpr std::size_t longest_line = std::size_t{64} << 10;

}  // namespace

void LogLines::read(os::BorrowedFd log, const Told& told)
{
    const auto now = os::info(log);
    if (!now) return;
    const auto is = [&](const record::LogPlace& place) { return place.device == now->device && place.inode == now->inode; };
    if (!reader_ || !is(at_)) {
        if (reader_) {
            read_to_end(told);
        } else if (!is(from_)) {
            read_rotated(told);
        }
        // A pump's descriptor is for appending only.
        auto reader = os::open_following("/proc/self/fd/" + std::to_string(log.get()), {.read = true});
        if (!reader) return;
        const bool first = !reader_;
        reader_ = std::move(*reader);
        at_ = {.device = now->device, .inode = now->inode, .offset = first && is(from_) ? from_.offset : 0};
    }
    read_to_end(told);
}

void LogLines::read_rotated(const Told& told)
{
    if (path_.empty() || from_.inode == 0) return;
    const auto directory = log::open_log_directory(path_);
    if (!directory) return;
    const auto files = log::rotated_files(*directory, os::base_of(path_));
    if (!files) return;
    const auto is_first = [&](const log::RotatedFile& file) { return file.info.device == from_.device && file.info.inode == from_.inode; };
    const auto first = std::find_if(files->begin(), files->end(), is_first);
    if (first == files->end()) return;
    for (auto file = std::make_reverse_iterator(std::next(first)); file != files->rend(); ++file) {
        if (file->compression != LogCompression::none || file->info.kind != os::FileInfo::Kind::regular) continue;
        auto reader = os::open_at(*directory, file->name, {.read = true});
        if (!reader) continue;
        reader_ = std::move(*reader);
        at_ = {.device = file->info.device, .inode = file->info.inode, .offset = is_first(*file) ? from_.offset : 0};
        read_to_end(told);
    }
}

void LogLines::read_to_end(const Told& told)
{
    std::array<std::byte, 16384> bytes{};
    for (;;) {
        const auto size = os::read_at(reader_, bytes, at_.offset);
        if (!size || *size == 0) return;
        at_.offset += *size;
        begun_.append(reinterpret_cast<const char*>(bytes.data()), *size);
        tell(told);
    }
}

void LogLines::tell(const Told& told)
{
    std::string_view rest = begun_;
    const auto tell_one = [&](std::string_view line) {
        line.remove_prefix(log::stamp_length(line, timestamps_));
        told(line);
    };
    for (auto end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
        tell_one(rest.substr(0, end));
        rest.remove_prefix(end + 1);
    }
    if (rest.size() >= longest_line) {
        tell_one(rest);
        rest = {};
    }
    begun_ = std::string(rest);
}

}  // namespace steward::supervise
