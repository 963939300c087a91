#include "config/fields.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <csignal>
#include <set>
#include <utility>

#include <steward/manager.hpp>
#include <steward/words.hpp>

#include "config/grammar.hpp"
#include "os/kernel_names.hpp"

namespace steward::config::field {

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
    if (node.kind != Node::Kind::text) {
        reading.expected(node, "a string of octal digits, such as \"" + format_octal(example) + "\",");
        return std::nullopt;
    }
    std::string objection;
    const auto value = parse_octal(node.text, highest, objection);
    if (!value) reading.objection(node, node.text, objection);
    return value;
}

Node write_octal(unsigned value)
{
    return Node::of(format_octal(value));
}

std::optional<Duration> Span::read(const Node& node, Reading& reading)
{
    if (node.kind != Node::Kind::text) {
        reading.expected(node, "a duration, such as \"10s\",");
        return std::nullopt;
    }
    std::string objection;
    const auto value = parse_duration(node.text, &objection);
    if (!value) reading.objection(node, node.text, objection);
    return value;
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
    constexpr unsigned most = 1'000'000;  // ten thousand CPUs
    if (node.kind != Node::Kind::text) {
        reading.expected(node, "a part of a CPU, such as \"50%\" or \"200%\",");
        return std::nullopt;
    }
    unsigned value = 0;
    const char* const end = node.text.data() + node.text.size();
    const auto [after, error] = std::from_chars(node.text.data(), end, value);
    if (error != std::errc{} || std::string_view(after, end) != "%" || value == 0 || value > most) {
        reading.objection(node, node.text, "is no part of a CPU, such as \"50%\" or \"200%\"");
        return std::nullopt;
    }
    return value;
}

std::optional<RateLimit> Rate::read(const Node& node, Reading& reading)
{
    if (node.kind != Node::Kind::text) {
        reading.expected(node, "lines in a time, such as \"1000/10s\",");
        return std::nullopt;
    }
    std::string objection;
    const auto value = parse_rate(node.text, objection);
    if (!value) reading.objection(node, node.text, objection);
    return value;
}

std::optional<Node> Rate::write(const RateLimit& value)
{
    return Node::of(format_rate(value));
}

std::optional<Argv> Command::read(const Node& node, Reading& reading)
{
    Argv argv;
    if (node.kind == Node::Kind::text) {
        // Expanded after the split: an instance never makes two words out of one.
        std::string objection;
        auto words = split_words(node.text, &objection);
        if (!words) {
            reading.objection(node, node.text, objection);
            return std::nullopt;
        }
        for (std::string& word : *words) {
            Node part = node;
            part.text = std::move(word);
            auto argument = reading.expanded_text(part, object_to_argument);
            if (!argument) return std::nullopt;
            argv.push_back(std::move(*argument));
        }
    } else if (node.kind == Node::Kind::list) {
        for (const Node& item : node.items) {
            auto argument = reading.expanded_text(item, object_to_argument);
            if (!argument) return std::nullopt;
            argv.push_back(std::move(*argument));
        }
    } else {
        reading.expected(node, "a command (an array of strings, or one string)");
        return std::nullopt;
    }
    if (argv.empty() || argv.front().empty()) {
        reading.fault(node, "the command is empty");
        return std::nullopt;
    }
    return argv;
}

std::optional<std::vector<Argv>> Commands::read(const Node& node, Reading& reading)
{
    const bool several = node.kind == Node::Kind::list && !node.items.empty() && node.items.front().kind == Node::Kind::list;
    std::vector<Argv> commands;
    for (const Node& item : several ? node.items : std::vector<Node>{node}) {
        auto command = Command::read(item, reading);
        if (!command) return std::nullopt;
        commands.push_back(std::move(*command));
    }
    return commands;
}

std::optional<Node> Commands::write(const std::vector<Argv>& value)
{
    if (value.empty()) return std::nullopt;
    if (value.size() == 1) return Command::write(value.front());
    std::vector<Node> commands;
    commands.reserve(value.size());
    for (const Argv& command : value) commands.push_back(Node::of(command));
    return Node::of(std::move(commands));
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

std::optional<std::map<std::string, std::string>> Environment::read(const Node& node, Reading& reading)
{
    if (node.kind != Node::Kind::table) {
        reading.expected(node, "a table of strings");
        return std::nullopt;
    }
    std::map<std::string, std::string> variables;
    for (const Member& member : node.members) {
        Node key = Node::of(member.key);
        key.place = member.place;
        const auto name = reading.text(key, object_to_variable);
        auto value = reading.expanded_text(member.value, object_to_argument);
        if (name && value) variables[*name] = std::move(*value);
    }
    return variables;
}

std::optional<Node> Environment::write(const std::map<std::string, std::string>& value)
{
    Node node = Node::table();
    for (const auto& [name, text] : value) node.members.push_back({name, {}, Node::of(text)});
    return node;
}

std::optional<std::vector<EnvironmentFile>> EnvironmentFiles::read(const Node& node, Reading& reading)
{
    struct Dashed {
        static std::optional<std::string> read(const Node& item, Reading& where)
        {
            return where.expanded_text(item, [](std::string_view text) {
                if (text.starts_with('-')) text.remove_prefix(1);
                return object_to_file_path(text);
            });
        }
    };
    const auto texts = Several<Dashed>::read(node, reading);
    if (!texts) return std::nullopt;
    std::vector<EnvironmentFile> files;
    for (const std::string& text : *texts) {
        const bool optional = text.starts_with('-');
        files.push_back({text.substr(optional ? 1 : 0), optional});
    }
    return files;
}

std::optional<Node> EnvironmentFiles::write(const std::vector<EnvironmentFile>& value)
{
    std::vector<std::string> texts;
    texts.reserve(value.size());
    for (const EnvironmentFile& file : value) texts.push_back((file.optional ? "-" : "") + file.path);
    return Node::of(texts);
}

std::optional<std::vector<int>> ExitCodes::read(const Node& node, Reading& reading)
{
    if (node.kind != Node::Kind::list) {
        reading.expected(node, "an array of integers from 0 to 255");
        return std::nullopt;
    }
    std::vector<int> codes;
    for (const Node& item : node.items) {
        if (const auto code = Integer<int, 0, 255>::read(item, reading)) codes.push_back(*code);
    }
    return codes;
}

std::optional<Node> ExitCodes::write(const std::vector<int>& value)
{
    std::vector<Node> items;
    items.reserve(value.size());
    for (const int code : value) items.push_back(Node::of(std::int64_t{code}));
    return Node::of(std::move(items));
}

std::optional<std::vector<unsigned>> Cpus::read(const Node& node, Reading& reading)
{
    std::set<unsigned> cpus;
    const auto take = [&](const Node& item) {
        if (item.kind != Node::Kind::integer && item.kind != Node::Kind::text) {
            return reading.expected(item, "a CPU number or a range such as \"0-3\"");
        }
        const std::string text = item.kind == Node::Kind::integer ? std::to_string(item.integer) : item.text;
        std::string objection;
        const auto range = parse_cpus(text, objection);
        if (!range) return reading.objection(item, text, objection);
        cpus.insert(range->begin(), range->end());
    };
    if (node.kind == Node::Kind::list) {
        std::ranges::for_each(node.items, take);
    } else if (node.kind == Node::Kind::text) {
        take(node);
    } else {
        reading.expected(node, "an array of CPU numbers and ranges, or one string such as \"0-3,6\"");
        return std::nullopt;
    }
    return std::vector<unsigned>(cpus.begin(), cpus.end());
}

std::optional<Node> Cpus::write(const std::vector<unsigned>& value)
{
    std::vector<Node> items;
    items.reserve(value.size());
    for (const unsigned cpu : value) items.push_back(Node::of(std::int64_t{cpu}));
    return Node::of(std::move(items));
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

std::optional<std::vector<std::string>> UnitLines::read(const Node& node, Reading& reading)
{
    std::vector<std::string> lines;
    const auto take = [&](const Node& item) {
        if (item.kind == Node::Kind::integer) {
            lines.push_back(std::to_string(item.integer));
        } else if (item.kind == Node::Kind::flag) {
            lines.emplace_back(item.flag ? "true" : "false");
        } else if (auto line = reading.expanded_text(item, object_to_unit_line)) {
            lines.push_back(std::move(*line));
        }
    };
    if (node.kind == Node::Kind::table) {
        reading.expected(node, "a string, an integer, true, false or an array of those");
        return std::nullopt;
    }
    if (node.kind != Node::Kind::list) {
        take(node);
    } else {
        for (const Node& item : node.items) take(item);
    }
    return lines;
}

Node UnitLines::write(const std::vector<std::string>& value)
{
    return value.size() == 1 ? Node::of(value.front()) : Node::of(value);
}

}  // namespace steward::config::field
