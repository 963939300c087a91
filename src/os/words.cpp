// The words that people write, read: see the header.
#include <steward/words.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

namespace steward {

namespace {

struct Unit {
    std::string_view name;
    std::uint64_t factor;
};

constexpr std::array<Unit, 6> duration_units{
    {{"us", 1}, {"ms", 1'000}, {"s", 1'000'000}, {"min", 60'000'000}, {"h", 3'600'000'000}, {"d", 86'400'000'000}}};
constexpr std::uint64_t longest_duration = 36'525 * 86'400'000'000;  // so that adding it to a clock's now never overflows

std::nullopt_t refuse(std::string* objection, std::string why)
{
    if (objection != nullptr) *objection = std::move(why);
    return std::nullopt;
}

bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

std::string_view take_digits(std::string_view& text)
{
    const auto end = std::ranges::find_if_not(text, is_digit);
    const std::string_view digits = text.substr(0, static_cast<std::size_t>(end - text.begin()));
    text.remove_prefix(digits.size());
    return digits;
}

std::optional<std::uint64_t> parse_whole(std::string_view digits)
{
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return error == std::errc{} ? std::optional(value) : std::nullopt;
}

// What the digits after the point are of a unit, exactly. Unset when the unit cannot hold it.
std::optional<std::uint64_t> parse_fraction(std::string_view digits, std::uint64_t factor)
{
    while (digits.ends_with('0')) digits.remove_suffix(1);
    constexpr std::size_t most_digits = 8;  // of the longest unit, a day, this many still fit 64 bits
    if (digits.size() > most_digits) return std::nullopt;
    std::uint64_t value = 0;
    std::uint64_t divisor = 1;
    for (const char digit : digits) {
        value = value * 10 + static_cast<std::uint64_t>(digit - '0');
        divisor *= 10;
    }
    if (value * factor % divisor != 0) return std::nullopt;
    return value * factor / divisor;
}

}  // namespace

std::optional<Duration> parse_duration(std::string_view text, std::string* objection)
{
    std::string_view rest = text;
    const std::string_view whole = take_digits(rest);
    std::string_view fraction;
    bool well_formed = !whole.empty();
    if (rest.starts_with('.')) {
        rest.remove_prefix(1);
        fraction = take_digits(rest);
        well_formed = well_formed && !fraction.empty();
    }
    const auto* unit = std::ranges::find(duration_units, rest, &Unit::name);
    if (!well_formed || unit == duration_units.end()) {
        return refuse(objection, "is no duration: one number and one unit (us ms s min h d) are meant, as in \"1.5s\"");
    }
    const auto number = parse_whole(whole);
    if (!number || *number > longest_duration / unit->factor) {
        return refuse(objection, "is longer than 100 years");
    }
    const auto part = parse_fraction(fraction, unit->factor);
    if (!part) {
        return refuse(objection, "is finer than a microsecond");
    }
    return Duration(static_cast<Duration::rep>(*number * unit->factor + *part));
}

std::optional<Argv> split_words(std::string_view text, std::string* objection)
{
    Argv words;
    std::string word;
    bool in_word = false;
    char quote = '\0';
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (quote == '\'') {
            if (c == '\'')
                quote = '\0';
            else
                word += c;
            continue;
        }
        if (c == '\\') {
            if (++i == text.size()) {
                return refuse(objection, "ends in a lone backslash");
            }
            in_word = in_word || text[i] != '\n';
            // Between double quotes a backslash is itself, but before these.
            if (quote == '"' && std::string_view("\\\"$`\n").find(text[i]) == std::string_view::npos) word += '\\';
            if (text[i] != '\n') word += text[i];
        } else if (quote == '"') {
            if (c == '"')
                quote = '\0';
            else
                word += c;
        } else if (c == '\'' || c == '"') {
            quote = c;
            in_word = true;
        } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
            if (in_word) words.push_back(std::move(word));
            word.clear();
            in_word = false;
        } else {
            word += c;
            in_word = true;
        }
    }
    if (quote != '\0') {
        return refuse(objection, std::string("has an unclosed quote (") + quote + ")");
    }
    if (in_word) words.push_back(std::move(word));
    return words;
}

}  // namespace steward
