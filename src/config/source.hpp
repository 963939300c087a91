// The faults of one file, each placed and shown with its line.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <steward/result.hpp>

#include "config/node.hpp"

namespace steward::config {

// Keeps a view of the text: it must outlive this.
class Source {
  public:
    Source(std::string path, std::string_view text) : path_(std::move(path)), text_(text) {}

    [[nodiscard]] const std::string& path() const { return path_; }

    // After a few hundred the rest are only counted: a hostile file shall not fill memory with its own faults.
    void fault(Place place, std::string_view message, std::string suggestion = {});

    // All of them, sorted by place.
    [[nodiscard]] std::vector<Diagnostic> take_faults();

  private:
    [[nodiscard]] std::string line_at(unsigned line);

    std::string path_;
    std::string_view text_;
    std::vector<std::size_t> line_starts_;  // made at the first fault
    std::vector<Diagnostic> faults_;
    std::size_t uncounted_ = 0;
};

// 'text', its control characters escaped, cut where it is long.
[[nodiscard]] std::string excerpt(std::string_view text);

}  // namespace steward::config
