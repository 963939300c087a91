#include "config/document.hpp"

namespace steward::config {

namespace {

constexpr unsigned max_dots = 15;

// Walks over TOML text and knows, at each character, whether it is in a string or a comment.
class Walker {
  public:
    explicit Walker(std::string_view text) : text_(text) {}

    // The next character that is in neither, or '\0' at the end. A string counts as one character, its opening quote.
    char next()
    {
        if (at_ >= text_.size()) return '\0';
        char c = text_[at_];
        if (c == '#') {
            skip_to_line_end();
            if (at_ >= text_.size()) return '\0';
            c = '\n';
        }
        here_ = at_;
        if (c == '"' || c == '\'') {
            skip_string(c);
        } else {
            ++at_;
        }
        return c == '\0' ? ' ' : c;
    }

    [[nodiscard]] Place place() const
    {
        Place place{1, 1};
        for (std::size_t i = 0; i < here_; ++i) {
            if (text_[i] == '\n') {
                ++place.line;
                place.column = 1;
            } else {
                ++place.column;
            }
        }
        return place;
    }

  private:
    void skip_to_line_end()
    {
        at_ = text_.find('\n', at_);
        if (at_ == std::string_view::npos) at_ = text_.size();
    }

    void skip_string(char quote)
    {
        const std::string_view triple = quote == '"' ? "\"\"\"" : "'''";
        const bool multi_line = text_.substr(at_).starts_with(triple);
        at_ += multi_line ? 3 : 1;
        while (at_ < text_.size()) {
            if (quote == '"' && text_[at_] == '\\') {
                at_ += 2;
            } else if (!multi_line && text_[at_] == '\n') {
                return;  // an unclosed string: the parser will tell
            } else if (multi_line ? text_.substr(at_).starts_with(triple) : text_[at_] == quote) {
                at_ += multi_line ? 3 : 1;
                // One or two quotes just before the closing three are content: """"quoted""""".
                for (int extra = 0; multi_line && extra < 2 && at_ < text_.size() && text_[at_] == quote; ++extra) ++at_;
                return;
            } else {
                ++at_;
            }
        }
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t here_ = 0;
};

}  // namespace

std::optional<Place> too_deep_key(std::string_view text)
{
    Walker walker(text);
    unsigned dots = 0;
    for (char c = walker.next(); c != '\0'; c = walker.next()) {
        if (c == '.') {
            if (++dots > max_dots) return walker.place();
        } else if (c == '\n' || c == '=' || c == ',' || c == '{' || c == '}' || c == '[' || c == ']') {
            dots = 0;
        }
    }
    return std::nullopt;
}

}  // namespace steward::config
