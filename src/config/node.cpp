#include "config/node.hpp"

#include <algorithm>
#include <utility>

namespace steward::config {

Node Node::of(std::string text)
{
    Node node;
    node.text = std::move(text);
    return node;
}

Node Node::of(std::int64_t integer)
{
    Node node;
    node.kind = Kind::integer;
    node.integer = integer;
    return node;
}

Node Node::of(double real)
{
    Node node;
    node.kind = Kind::real;
    node.real = real;
    return node;
}

Node Node::of(bool flag)
{
    Node node;
    node.kind = Kind::flag;
    node.flag = flag;
    return node;
}

Node Node::of(std::vector<Node> items)
{
    Node node;
    node.kind = Kind::list;
    node.items = std::move(items);
    return node;
}

Node Node::of(const std::vector<std::string>& texts)
{
    Node node = of(std::vector<Node>{});
    node.items.reserve(texts.size());
    for (const std::string& text : texts) node.items.push_back(of(text));
    return node;
}

Node Node::table()
{
    Node node;
    node.kind = Kind::table;
    return node;
}

bool same_value(const Node& left, const Node& right)
{
    if (left.kind != right.kind) return false;
    switch (left.kind) {
        case Node::Kind::text: return left.text == right.text;
        case Node::Kind::integer: return left.integer == right.integer;
        case Node::Kind::real: return left.real <= right.real && left.real >= right.real;
        case Node::Kind::flag: return left.flag == right.flag;
        case Node::Kind::date: return false;
        case Node::Kind::list: return std::ranges::equal(left.items, right.items, same_value);
        case Node::Kind::table:
            return std::ranges::equal(left.members, right.members, [](const Member& one, const Member& other) {
                return one.key == other.key && same_value(one.value, other.value);
            });
    }
    return false;
}

std::string describe(Node::Kind kind)
{
    switch (kind) {
        case Node::Kind::text: return "a string";
        case Node::Kind::integer: return "an integer";
        case Node::Kind::real: return "a number with a fraction";
        case Node::Kind::flag: return "true or false";
        case Node::Kind::date: return "a date";
        case Node::Kind::list: return "an array";
        case Node::Kind::table: return "a table";
    }
    return "a value";
}

}  // namespace steward::config
