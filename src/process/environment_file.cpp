// Environment files as systemd reads them (EnvironmentFile= in systemd.exec(5), parse_env_file): neither a shell's syntax nor simple.
#include <algorithm>

#include "os/error.hpp"
#include "process/environment.hpp"
#include "process/launch_plan.hpp"

namespace steward::process {

namespace {

using Assignments = std::vector<std::pair<std::string, std::string>>;

bool is_newline(char c)
{
    return c == '\n' || c == '\r';
}

bool is_space(char c)
{
    return c == ' ' || c == '\t' || is_newline(c);
}

class Parser {
  public:
    Assignments assignments;

    // Where a quote that the text leaves open began; 0: all are closed.
    unsigned parse(std::string_view text)
    {
        for (const char c : text) {
            take(c);
            if (c == '\n') ++line_;
        }
        if (state_ == State::single_quoted || state_ == State::double_quoted || state_ == State::escape_in_double) return quote_line_;
        if (state_ != State::before_name && state_ != State::name && state_ != State::comment && state_ != State::escape_in_comment)
            end_value();
        return 0;
    }

  private:
    enum class State {
        before_name,
        name,
        before_value,
        value,
        escape,
        single_quoted,
        double_quoted,
        escape_in_double,
        comment,
        escape_in_comment,
    };

    void take(char c)
    {
        switch (state_) {
            case State::before_name: begin_line(c); return;
            case State::name:
                if (is_newline(c)) {
                    begin();  // assigns nothing
                } else if (c == '=') {
                    state_ = State::before_value;
                } else {
                    name_ += c;
                }
                return;
            case State::before_value: begin_value(c); return;
            case State::value: continue_value(c); return;
            case State::escape:
                state_ = State::value;
                if (!is_newline(c)) append(c);
                return;
            case State::single_quoted: c == '\'' ? end_quote() : append(c); return;
            case State::double_quoted:
                if (c == '\\') {
                    state_ = State::escape_in_double;
                } else {
                    c == '"' ? end_quote() : append(c);
                }
                return;
            case State::escape_in_double:
                state_ = State::double_quoted;
                if (c == '\n') return;
                if (std::string_view("\"\\`$").find(c) == std::string_view::npos) append('\\');
                append(c);
                return;
            case State::comment:
                if (c == '\\') state_ = State::escape_in_comment;
                if (is_newline(c)) begin();
                return;
            case State::escape_in_comment: state_ = State::comment; return;
        }
    }

    void begin_line(char c)
    {
        if (c == '#' || c == ';') {
            state_ = State::comment;
        } else if (!is_space(c)) {
            state_ = State::name;
            name_ += c;
        }
    }

    void begin_value(char c)
    {
        if (is_newline(c)) {
            end_value();
        } else if (c == '\'' || c == '"') {
            state_ = c == '"' ? State::double_quoted : State::single_quoted;
            quote_line_ = line_;
        } else if (!is_space(c)) {
            state_ = State::value;
            continue_value(c);
        }
    }

    // Quotes count at the beginning of a value (or right after another quote) only: it's is a value.
    void continue_value(char c)
    {
        if (is_newline(c)) {
            end_value();
        } else if (c == '\\') {
            state_ = State::escape;
        } else {
            value_ += c;
            if (!is_space(c)) kept_ = value_.size();
        }
    }

    void append(char c)
    {
        value_ += c;
        kept_ = value_.size();
    }

    void end_quote() { state_ = State::before_value; }

    void end_value()
    {
        value_.resize(kept_);
        while (!name_.empty() && is_space(name_.back())) name_.pop_back();
        if (is_variable_name(name_)) assignments.emplace_back(std::move(name_), std::move(value_));
        begin();
    }

    void begin()
    {
        state_ = State::before_name;
        name_.clear();
        value_.clear();
        kept_ = 0;
    }

    State state_ = State::before_name;
    std::string name_;
    std::string value_;
    std::size_t kept_ = 0;  // of value_, without blanks at its end that nothing quotes
    unsigned line_ = 1;
    unsigned quote_line_ = 0;
};

}  // namespace

bool is_variable_name(std::string_view name)
{
    const auto is_letter = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_'; };
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    return !name.empty() && !is_digit(name.front()) && std::ranges::all_of(name, [&](char c) { return is_letter(c) || is_digit(c); });
}

Result<Assignments> parse_environment_file(const std::string& text, const std::string& path)
{
    const auto refuse = [&path](std::string cause) {
        return fail(
            Error{.code = ErrorCode::failed, .operation = "read environment file", .object = os::quoted(path), .cause = std::move(cause)});
    };
    if (text.find('\0') != std::string::npos) return refuse("it holds a NUL byte");
    Parser parser;
    if (const unsigned line = parser.parse(text); line != 0) return refuse("the quote in line " + std::to_string(line) + " is not closed");
    return std::move(parser.assignments);
}

}  // namespace steward::process
