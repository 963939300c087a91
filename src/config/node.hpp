// A TOML value with its place, as plain data: what readers take and writers make. No other file of this folder knows the TOML library.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace steward::config {

// Lines and columns count from 1; 0: no place (a value that was made, not read).
struct Place {
    unsigned line = 0;
    unsigned column = 0;
};

struct Member;

struct Node {
    enum class Kind { text, integer, real, flag, date, list, table };
    Kind kind = Kind::text;
    Place place;
    std::string text;
    std::int64_t integer = 0;
    double real = 0;
    bool flag = false;
    std::vector<Node> items;      // of a list
    std::vector<Member> members;  // of a table

    static Node of(std::string text);
    static Node of(std::int64_t integer);
    static Node of(double real);
    static Node of(bool flag);
    static Node of(std::vector<Node> items);
    static Node of(const std::vector<std::string>& texts);
    static Node table();
};

struct Member {
    std::string key;
    Place place;  // of the key
    Node value;
};

// Whether both say the same; places do not count.
[[nodiscard]] bool same_value(const Node& left, const Node& right);

[[nodiscard]] std::string describe(Node::Kind kind);  // "a string", "an integer"

}  // namespace steward::config
