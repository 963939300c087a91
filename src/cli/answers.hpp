// What came of a verb, one answer a service, before it becomes text or JSON.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <steward/manager.hpp>
#include <steward/result.hpp>

namespace steward::cli {

// Of one service, or of an operand that could not be resolved; then `name` is the operand.
template <class T>
struct Answer {
    std::string name;
    Result<T> result;
};
template <class T>
using Answers = std::vector<Answer<T>>;

// A verb that did something, done.
struct Deed {
    std::string result;         // a stable word: "started", "was_not_running"
    std::string text;           // the same for a reader: "started, PID 4121"
    std::int64_t main_pid = 0;  // 0: none, or not told
    std::string because = {};   // "required by web": what brought it in; empty: it was asked for
};

}  // namespace steward::cli
