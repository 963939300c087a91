// The kinds of value a key can take. Each reads a Node into a member of ServiceSpec, telling what is wrong with it, and writes it back.
//
// read() gives nothing after a fault; write() gives nothing for a member that is not set and whose key has no default.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <steward/service_spec.hpp>

#include "config/reading.hpp"

namespace steward::config::field {

// A string under a rule; empty: not set.
template <Reading::Rule Rule>
struct Text {
    static std::optional<std::string> read(const Node& node, Reading& reading) { return reading.text(node, Rule); }
    static std::optional<Node> write(const std::string& value) { return value.empty() ? std::nullopt : std::optional(Node::of(value)); }
};

// The same, with %i in a template.
template <Reading::Rule Rule>
struct ExpandedText : Text<Rule> {
    static std::optional<std::string> read(const Node& node, Reading& reading) { return reading.expanded_text(node, Rule); }
};

// An array of strings, or one string.
template <class Item>
struct Several {
    static std::optional<std::vector<std::string>> read(const Node& node, Reading& reading)
    {
        std::vector<std::string> values;
        const auto take = [&](const Node& item) {
            if (auto value = Item::read(item, reading)) values.push_back(std::move(*value));
        };
        if (node.kind == Node::Kind::list) {
            for (const Node& item : node.items) take(item);
        } else if (node.kind == Node::Kind::text) {
            take(node);
        } else {
            reading.expected(node, "an array of strings");
            return std::nullopt;
        }
        return values;
    }
    static std::optional<Node> write(const std::vector<std::string>& values) { return Node::of(values); }
};

struct Flag {
    static std::optional<bool> read(const Node& node, Reading& reading);
    static std::optional<Node> write(bool value) { return Node::of(value); }
};

// true; not to want it is not to write it.
struct Wish {
    static std::optional<bool> read(const Node& node, Reading& reading);
    static std::optional<Node> write(bool value) { return value ? std::optional(Node::of(true)) : std::nullopt; }
};

template <class Number, std::int64_t Lowest, std::int64_t Highest>
struct Integer {
    static std::optional<Number> read(const Node& node, Reading& reading)
    {
        const std::string range = "an integer from " + std::to_string(Lowest) + " to " + std::to_string(Highest);
        if (node.kind != Node::Kind::integer) {
            reading.expected(node, range);
        } else if (node.integer < Lowest || node.integer > Highest) {
            reading.fault(node, range + " is expected, not " + std::to_string(node.integer));
        } else {
            return static_cast<Number>(node.integer);
        }
        return std::nullopt;
    }
    static std::optional<Node> write(Number value) { return Node::of(static_cast<std::int64_t>(value)); }
};

std::optional<double> read_real(const Node& node, Reading& reading, int lowest, int highest);

template <int Lowest, int Highest = std::numeric_limits<int>::max()>
struct Real {
    static std::optional<double> read(const Node& node, Reading& reading) { return read_real(node, reading, Lowest, Highest); }
    static std::optional<Node> write(double value) { return Node::of(value); }
};

// A member that tells "not written" from every value.
template <class Kind, class Value>
struct Optional {
    static std::optional<std::optional<Value>> read(const Node& node, Reading& reading)
    {
        auto value = Kind::read(node, reading);
        return value ? std::optional(std::optional(std::move(*value))) : std::nullopt;
    }
    static std::optional<Node> write(const std::optional<Value>& value) { return value ? Kind::write(*value) : std::nullopt; }
};

std::optional<unsigned> read_octal(const Node& node, Reading& reading, unsigned highest, unsigned example);
Node write_octal(unsigned value);

template <unsigned Highest, unsigned Example>
struct Octal {
    static std::optional<unsigned> read(const Node& node, Reading& reading) { return read_octal(node, reading, Highest, Example); }
    static std::optional<Node> write(unsigned value) { return write_octal(value); }
};

struct Span {
    static std::optional<Duration> read(const Node& node, Reading& reading);
    static std::optional<Node> write(Duration value);
};

// More than nothing.
struct PositiveSpan : Span {
    static std::optional<Duration> read(const Node& node, Reading& reading);
};

// One that a program is given, beside its standard streams. 0: none.
struct ProgramDescriptor {
    static std::optional<int> read(const Node& node, Reading& reading) { return Integer<int, 3, 1023>::read(node, reading); }
    static std::optional<Node> write(int value) { return value == 0 ? std::nullopt : Integer<int, 3, 1023>::write(value); }
};

struct Size {
    static std::optional<std::uint64_t> read(const Node& node, Reading& reading);
    static std::optional<Node> write(std::uint64_t value);
};

// More than nothing.
struct PositiveSize : Size {
    static std::optional<std::uint64_t> read(const Node& node, Reading& reading);
};

// Of one CPU: "50%", and "200%" is two of them.
struct Percent {
    static std::optional<unsigned> read(const Node& node, Reading& reading);
    static std::optional<Node> write(unsigned value) { return Node::of(std::to_string(value) + "%"); }
};

struct Rate {
    static std::optional<RateLimit> read(const Node& node, Reading& reading);
    static std::optional<Node> write(const RateLimit& value);
};

struct Command {
    static std::optional<Argv> read(const Node& node, Reading& reading);
    static std::optional<Node> write(const Argv& value) { return value.empty() ? std::nullopt : std::optional(Node::of(value)); }
};

// One command, or an array of them, each an array of strings.
struct Commands {
    static std::optional<std::vector<Argv>> read(const Node& node, Reading& reading);
    static std::optional<Node> write(const std::vector<Argv>& value);
};

// By name or number. 0: none.
struct Signal {
    static std::optional<int> read(const Node& node, Reading& reading);
    static std::optional<Node> write(int value);
};
// One that a program can catch.
struct CatchableSignal : Signal {
    static std::optional<int> read(const Node& node, Reading& reading);
};

struct Environment {
    static std::optional<std::map<std::string, std::string>> read(const Node& node, Reading& reading);
    static std::optional<Node> write(const std::map<std::string, std::string>& value);
};

struct EnvironmentFiles {
    static std::optional<std::vector<EnvironmentFile>> read(const Node& node, Reading& reading);
    static std::optional<Node> write(const std::vector<EnvironmentFile>& value);
};

struct ExitCodes {
    static std::optional<std::vector<int>> read(const Node& node, Reading& reading);
    static std::optional<Node> write(const std::vector<int>& value);
};

struct Cpus {
    static std::optional<std::vector<unsigned>> read(const Node& node, Reading& reading);
    static std::optional<Node> write(const std::vector<unsigned>& value);
};

struct Capability {
    static std::optional<std::string> read(const Node& node, Reading& reading);
};

// What goes into a unit: a string, or as many lines as an array has; numbers and truth values as systemd writes them.
struct UnitLines {
    static std::optional<std::vector<std::string>> read(const Node& node, Reading& reading);
    static Node write(const std::vector<std::string>& value);
};

template <class Enum>
struct Word {
    std::string_view name;
    Enum value;
};
template <class Enum>
Word(std::string_view, Enum) -> Word<Enum>;  // clang 14 deduces no aggregates

std::optional<std::size_t> read_word(const Node& node, Reading& reading, const std::vector<std::string>& names);

// One of a few words. `Words` is a constexpr array of Word.
template <const auto& Words>
struct Choice {
    using Value = std::remove_cvref_t<decltype(Words.front().value)>;
    static std::optional<Value> read(const Node& node, Reading& reading)
    {
        std::vector<std::string> names;
        for (const auto& word : Words) names.emplace_back(word.name);
        const auto index = read_word(node, reading, names);
        return index ? std::optional(Words[*index].value) : std::nullopt;
    }
    static std::optional<Node> write(Value value)
    {
        for (const auto& word : Words) {
            if (word.value == value) return Node::of(std::string(word.name));
        }
        return std::nullopt;
    }
};

}  // namespace steward::config::field
