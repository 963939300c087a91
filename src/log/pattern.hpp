// Regular expressions over log lines: RE2, whose time is linear in the line whatever the pattern. Only pattern.cpp includes it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <steward/result.hpp>

namespace steward::log {

// Immutable once made. A line may hold any bytes; what is not UTF-8 matches no character.
class Pattern {
  public:
    // invalid_argument, with RE2's reason, for what is no pattern.
    static Result<Pattern> compile(const std::string& expression);
    Pattern(Pattern&&) noexcept;
    Pattern& operator=(Pattern&&) noexcept;
    ~Pattern();

    // Anywhere in the line; ^ and $ are its ends.
    [[nodiscard]] bool matches(std::string_view line) const;

  private:
    struct Compiled;
    explicit Pattern(std::unique_ptr<Compiled> compiled);
    std::unique_ptr<Compiled> compiled_;
};

}  // namespace steward::log
