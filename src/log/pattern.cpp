#include "log/pattern.hpp"

#include <re2/re2.h>

#include "os/error.hpp"

namespace steward::log {

struct Pattern::Compiled {
    explicit Compiled(const std::string& text) : expression(text, quiet()) {}

    static re2::RE2::Options quiet()
    {
        re2::RE2::Options options;
        options.set_log_errors(false);  // a library does not print
        return options;
    }

    re2::RE2 expression;
};

Pattern::Pattern(std::unique_ptr<Compiled> compiled) : compiled_(std::move(compiled)) {}
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;
Pattern::~Pattern() = default;

Result<Pattern> Pattern::compile(const std::string& expression)
{
    auto compiled = std::make_unique<Compiled>(expression);
    if (compiled->expression.ok()) return Pattern(std::move(compiled));
    return fail(Error{.code = ErrorCode::invalid_argument,
                      .operation = "use the pattern",
                      .object = os::quoted(expression),
                      .cause = compiled->expression.error()});
}

bool Pattern::matches(std::string_view line) const
{
    return re2::RE2::PartialMatch(re2::StringPiece(line.data(), line.size()), compiled_->expression);
}

}  // namespace steward::log
