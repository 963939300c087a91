// A string where argv is meant, split as a shell would quote it and without anything else a shell does.
#include "process/launch_plan.hpp"

namespace steward::process {

namespace {

bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// What a backslash takes the meaning from inside double quotes (POSIX 2.2.3); before anything else it stands for itself.
bool is_escapable_in_quotes(char c)
{
    return c == '$' || c == '`' || c == '"' || c == '\\' || c == '\n';
}

}  // namespace

std::optional<Argv> split_words(std::string_view text)
{
    Argv words;
    std::string word;
    bool in_word = false;  // an empty pair of quotes is a word too
    char quote = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const bool more = i + 1 < text.size();
        if (quote == 0 && is_blank(c)) {
            if (in_word) words.push_back(std::move(word));
            word.clear();
            in_word = false;
            continue;
        }
        if (quote != 0 && c == quote) {
            quote = 0;
        } else if (quote == 0 && (c == '\'' || c == '"')) {
            quote = c;
            in_word = true;
        } else if (c == '\\' && quote != '\'') {
            if (!more && quote == 0) return std::nullopt;  // a backslash that quotes nothing
            if (quote == '"' && (!more || !is_escapable_in_quotes(text[i + 1]))) {
                word += c;
                continue;
            }
            ++i;
            if (text[i] == '\n') continue;  // a continued line
            word += text[i];
            in_word = true;
        } else {
            word += c;
            in_word = true;
        }
    }
    if (quote != 0) return std::nullopt;
    if (in_word) words.push_back(std::move(word));
    return words;
}

}  // namespace steward::process
