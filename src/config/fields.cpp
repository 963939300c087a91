#include "config/fields.hpp"

#include <algorithm>
#include <cctype>
#include <csignal>

#include <steward/manager.hpp>
#include <steward/words.hpp>

#include "config/grammar.hpp"
#include "os/kernel_names.hpp"

namespace steward::config::field {

namespace {

// A string in one of the small languages of config/grammar.
template <class Parse>
auto read_text(const Node& node, Reading& reading, std::string_view what, Parse parse)
{
    std::string objection;
    decltype(parse(node.text, objection)) value;
    if (node.kind != Node::Kind::text) {
        reading.expected(node, what);
    } else if (value = parse(node.text, objection); !value) {
        reading.objection(node, node.text, objection);
    }
    return value;
}

}  // namespace

std::optional<bool> Flag::read(const Node& node, Reading& reading)
{
    if (node.kind == Node::Kind::flag) return node.flag;
    reading.expected(node, "true or false");
    return std::nullopt;
}

std::optional<bool> Wish::read(const Node& node, Reading& reading)
{
    if (node.kind == Node::Kind::flag && node.flag) return true;
    if (node.kind == Node::Kind::flag) {
        reading.fault(node, "true is expected, not false: it is left out where it is not wanted");
    } else {
        reading.expected(node, "true");
    }
    return std::nullopt;
}

std::optional<double> read_real(const Node& node, Reading& reading, int lowest, int highest)
{
    const bool bounded = highest != std::numeric_limits<int>::max();
    const std::string range = bounded ? "a number from " + std::to_string(lowest) + " to " + std::to_string(highest)
                                      : "a number of " + std::to_string(lowest) + " or more";
    if (node.kind != Node::Kind::integer && node.kind != Node::Kind::real) {
        reading.expected(node, range);
        return std::nullopt;
    }
    const double value = node.kind == Node::Kind::integer ? static_cast<double>(node.integer) : node.real;
    if (!(value >= lowest && value <= highest)) {  // a NaN fails both
        reading.fault(node, range + " is expected");
        return std::nullopt;
    }
    return value;
}

std::optional<unsigned> read_octal(const Node& node, Reading& reading, unsigned highest, unsigned example)
{
    return read_text(node, reading, "a string of octal digits, such as \"" + format_octal(example) + "\",",
                     [&](std::string_view text, std::string& objection) { return parse_octal(text, highest, objection); });
}

Node write_octal(unsigned value)
{
    return Node::of(format_octal(value));
}

std::optional<Duration> Span::read(const Node& node, Reading& reading)
{
    return read_text(node, reading, "a duration, such as \"10s\",",
                     [](std::string_view text, std::string& objection) { return parse_duration(text, &objection); });
}

std::optional<Node> Span::write(Duration value)
{
    return Node::of(format_duration(value));
}

std::optional<Duration> PositiveSpan::read(const Node& node, Reading& reading)
{
    const auto value = Span::read(node, reading);
    if (!value || *value > Duration::zero()) return value;
    reading.objection(node, node.text, "is no time at all");
    return std::nullopt;
}

std::optional<std::uint64_t> Size::read(const Node& node, Reading& reading)
{
    const bool number = node.kind == Node::Kind::integer;
    if (!number && node.kind != Node::Kind::text) {
        reading.expected(node, "a size, such as \"10MiB\",");
        return std::nullopt;
    }
    const std::string text = number ? std::to_string(node.integer) : node.text;
    std::string objection;
    const auto value = parse_size(text, objection);
    if (!value) reading.objection(node, text, objection);
    return value;
}

std::optional<Node> Size::write(std::uint64_t value)
{
    return Node::of(format_size(value));
}

std::optional<std::uint64_t> PositiveSize::read(const Node& node, Reading& reading)
{
    const auto value = Size::read(node, reading);
    if (value != 0) return value;
    reading.fault(node, "more than 0 is expected");
    return std::nullopt;
}

std::optional<unsigned> Percent::read(const Node& node, Reading& reading)
{
    return read_text(node, reading, "a part of a CPU, such as \"50%\" or \"200%\",", parse_percent);
}

std::optional<RateLimit> Rate::read(const Node& node, Reading& reading)
{
    return read_text(node, reading, "lines in a time, such as \"1000/10s\",", parse_rate);
}

std::optional<Node> Rate::write(const RateLimit& value)
{
    return Node::of(format_rate(value));
}

std::optional<int> Signal::read(const Node& node, Reading& reading)
{
    std::optional<int> signal;
    if (node.kind == Node::Kind::integer) {
        signal = parse_signal(std::to_string(node.integer));
        if (!signal) reading.fault(node, std::to_string(node.integer) + " is no signal");
    } else if (node.kind == Node::Kind::text) {
        signal = parse_signal(node.text);
        if (signal) return signal;
        std::vector<std::string> names;
        for (int number = 1; number < SIGRTMIN; ++number) names.push_back(signal_name(number));
        reading.fault(node, excerpt(node.text) + " is no signal", nearest(node.text, names));
    } else {
        reading.expected(node, "a signal, such as \"TERM\",");
    }
    return signal;
}

std::optional<Node> Signal::write(int value)
{
    return value == 0 ? std::nullopt : std::optional(Node::of(signal_name(value)));
}

std::optional<int> CatchableSignal::read(const Node& node, Reading& reading)
{
    const auto signal = Signal::read(node, reading);
    const int number = signal.value_or(0);
    if (number == SIGKILL || number == SIGSTOP) {
        reading.fault(node, "no program can catch " + signal_name(*signal));
        return std::nullopt;
    }
    return signal;
}

std::optional<std::string> Capability::read(const Node& node, Reading& reading)
{
    if (node.kind != Node::Kind::text) {
        reading.expected(node, "the name of a capability");
        return std::nullopt;
    }
    std::string name = node.text;
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (!name.starts_with("cap_")) name.insert(0, "cap_");
    if (os::capability_number(name)) return name;
    reading.objection(node, node.text, "is no capability that this version knows");
    return std::nullopt;
}

std::optional<std::size_t> read_word(const Node& node, Reading& reading, const std::vector<std::string>& names)
{
    std::string choices;
    for (const std::string& name : names) choices += (choices.empty() ? "" : ", ") + name;
    if (node.kind != Node::Kind::text) {
        reading.expected(node, "a word (" + choices + ")");
        return std::nullopt;
    }
    const auto found = std::ranges::find(names, node.text);
    if (found == names.end()) {
        const bool single = choices.find(',') == std::string::npos;
        reading.fault(node, excerpt(node.text) + (single ? " is not \"" + choices + "\"" : " is none of " + choices),
                      nearest(node.text, names));
        return std::nullopt;
    }
    return static_cast<std::size_t>(found - names.begin());
}

}  // namespace steward::config::field
