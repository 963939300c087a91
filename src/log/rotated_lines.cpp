#include "log/rotated_lines.hpp"

#include <algorithm>
#include <deque>
#include <iterator>
#include <optional>

#include "log/line_reader.hpp"
#include "log/log_chain.hpp"
#include "os/file.hpp"

namespace steward::log {

namespace {

constexpr std::size_t far_enough = std::size_t{64} * 1024;                // from the end
constexpr std::uint64_t most_unpacked = std::uint64_t{64} * 1024 * 1024;  // more would be waited for

std::optional<EncodedFile> open_newest_rotated(const std::string& path)
{
    const std::string directory = os::parent_of(path);
    const auto names = os::list_directory(directory);
    if (!names) return std::nullopt;
    const auto rotated = rotated_names(os::base_of(path), *names);
    if (rotated.empty()) return std::nullopt;
    const std::string newest = (directory == "/" ? "" : directory) + "/" + rotated.front();
    auto fd = os::open_trusted(newest, {.read = true});
    const auto info = fd ? os::info(*fd) : fail(fd.error());
    if (!info || info->kind != os::FileInfo::Kind::regular) return std::nullopt;
    EncodedFile file(std::move(*fd), encoding_of(newest), newest);
    const bool plain = file.encoding() == Encoding::plain;
    if (plain && info->size > far_enough && !file.seek(info->size - far_enough)) return std::nullopt;
    return file;
}

}  // namespace

std::vector<std::string> last_rotated_lines(const std::string& path, std::size_t count)
{
    auto file = open_newest_rotated(path);
    if (!file) return {};
    const bool packed = file->encoding() != Encoding::plain;
    std::deque<std::string> lines;
    std::size_t size = 0;
    LineReader reader;
    bool within = file->offset() > 0;  // the first line's beginning may not have been seen
    for (bool more = true; more;) {
        auto piece = reader.next(*file);
        more = piece && *piece;
        if (piece && !*piece) *piece = reader.rest();
        if (!piece || (packed && file->offset() > most_unpacked)) return {};
        if (!*piece) break;
        if (!within && (*piece)->ends) {
            const std::string_view end = (*piece)->bytes;  // of a line of megabytes
            lines.emplace_back(end.substr(end.size() - std::min(end.size(), far_enough)));
            size += lines.back().size();
        }
        within = within && !(*piece)->ends;
        while (lines.size() > count || size > far_enough) {
            size -= lines.front().size();
            lines.pop_front();
        }
    }
    return {std::make_move_iterator(lines.begin()), std::make_move_iterator(lines.end())};
}

}  // namespace steward::log
