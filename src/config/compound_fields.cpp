// The kinds of value that have parts: command lines, variables, files, lists of numbers.
#include <algorithm>
#include <set>
#include <utility>

#include <steward/words.hpp>

#include "config/fields.hpp"
#include "config/grammar.hpp"

namespace steward::config::field {

namespace {

template <class Number>
Node of_integers(const std::vector<Number>& values)
{
    std::vector<Node> items;
    items.reserve(values.size());
    for (const Number value : values) items.push_back(Node::of(std::int64_t{value}));
    return Node::of(std::move(items));
}

}  // namespace

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
    return of_integers(value);
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
    return of_integers(value);
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
