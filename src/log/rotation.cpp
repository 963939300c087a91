#include "log/rotation.hpp"

#include <array>

namespace steward::log {

namespace {

constexpr std::array compressions{LogCompression::none, LogCompression::gzip, LogCompression::zstd};

}  // namespace

std::string_view suffix_of(LogCompression compression)
{
    switch (compression) {
        case LogCompression::none: return "";
        case LogCompression::gzip: return ".gz";
        case LogCompression::zstd: return ".zst";
    }
    return "";
}

std::string rotated_name(const std::string& base, unsigned number, LogCompression compression)
{
    return base + "." + std::to_string(number) + std::string(suffix_of(compression));
}

std::string packing_name(const std::string& base)
{
    return base + ".packing";
}

// By asking for each number, not by listing a directory that a thousand services share.
Result<std::vector<RotatedFile>> rotated_files(os::BorrowedFd directory, const std::string& base)
{
    std::vector<RotatedFile> files;
    for (unsigned number = 1;; ++number) {
        const std::size_t before = files.size();
        for (const LogCompression compression : compressions) {
            std::string name = rotated_name(base, number, compression);
            const auto found = os::info_in(directory, name);
            if (!found) return fail(found.error());
            if (*found) files.push_back({.number = number, .name = std::move(name), .compression = compression, .info = **found});
        }
        if (files.size() == before) return files;
    }
}

Result<void> rotate_files(os::BorrowedFd directory, const std::string& base, std::uint64_t size, const RotationRules& rules)
{
    const auto files = rotated_files(directory, base);
    if (!files) return fail(files.error());
    // Newest first: whatever comes after the first one that is too much is older.
    std::uint64_t total = rules.max_size + size;
    const auto fits = [&](unsigned number) { return number <= rules.keep && (rules.max_total == 0 || total <= rules.max_total); };
    const bool keeps_log = fits(1);
    auto last = files->begin();
    for (; keeps_log && last != files->end(); ++last) {
        total += last->info.size;
        if (!fits(last->number + 1)) break;
    }
    for (auto file = files->end(); file != last; --file) {
        if (auto removed = os::remove_at(directory, (file - 1)->name); !removed) return removed;
    }
    if (!keeps_log) return os::remove_at(directory, base);
    for (auto file = last; file != files->begin(); --file) {
        const auto& [number, name, compression, info] = *(file - 1);
        if (auto renamed = os::rename_at(directory, name, rotated_name(base, number + 1, compression)); !renamed) return renamed;
    }
    return os::rename_at(directory, base, rotated_name(base, 1, LogCompression::none));
}

Result<void> tidy_rotated(os::BorrowedFd directory, const std::string& base)
{
    if (auto removed = os::remove_at(directory, packing_name(base)); !removed) return removed;
    const auto files = rotated_files(directory, base);
    if (!files) return fail(files.error());
    for (std::size_t i = 1; i < files->size(); ++i) {
        // Of one number the plain file comes first, and is whole.
        const RotatedFile& file = (*files)[i];
        if (file.number != (*files)[i - 1].number) continue;
        if (auto removed = os::remove_at(directory, file.name); !removed) return removed;
    }
    return {};
}

}  // namespace steward::log
