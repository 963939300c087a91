// What a reader of one value has at hand: where faults go, and what %i stands for.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/node.hpp"
#include "config/rules.hpp"
#include "config/source.hpp"

namespace steward::config {

// One value of one file. Readers report through it and go on: all faults of a file are told at once.
class Reading {
  public:
    // `instance` is set in a template (NAME@.toml) alone: elsewhere '%' is a character like any other.
    Reading(Source& source, const std::optional<std::string>& instance) : source_(source), instance_(instance) {}

    void enter(std::string_view table, std::string_view key);

    [[nodiscard]] std::string_view key() const { return key_; }  // as the file writes it

    // "[restart] delay: MESSAGE"
    void fault(const Node& at, const std::string& message, std::string suggestion = {});
    void expected(const Node& at, std::string_view what);  // "[restart] delay: a duration is expected, not an integer"
    void objection(const Node& at, std::string_view text, const std::string& objection);  // "[log] file: 'x' is not an absolute path"

    // The text with %i and %% replaced, where the file is a template.
    [[nodiscard]] std::optional<std::string> expand(const Node& at);

    using Rule = Objection (*)(std::string_view);
    // A string that the rule has no objection to.
    [[nodiscard]] std::optional<std::string> text(const Node& at, Rule rule);
    [[nodiscard]] std::optional<std::string> expanded_text(const Node& at, Rule rule);

  private:
    [[nodiscard]] std::string where() const;
    [[nodiscard]] std::optional<std::string> checked(const Node& at, std::optional<std::string> text, Rule rule);

    Source& source_;
    const std::optional<std::string>& instance_;
    std::string_view table_;
    std::string_view key_;
};

}  // namespace steward::config
