#include "supervise/successor.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

#include <steward/manager.hpp>

#include "os/own_program.hpp"

namespace steward::supervise {

namespace {

constexpr int first_descriptor = 3;

// Below the standard streams there is nothing to take.
std::optional<int> descriptor(const std::string& word)
{
    int number = 0;
    const char* const last = word.data() + word.size();
    const auto [end, error] = std::from_chars(word.data(), last, number);
    return error == std::errc{} && end == last && number >= first_descriptor ? std::optional(number) : std::nullopt;
}

bool take_descriptors(std::span<const std::string> words, Succession& found)
{
    const std::array targets{&found.notices.read, &found.notices.write, &found.lease, &found.control, &found.fifos.out, &found.fifos.err};
    constexpr std::size_t always = 4;
    if (words.size() < always || words.size() > targets.size()) return false;
    std::array<int, targets.size()> numbers{};
    for (std::size_t i = 0; i < words.size(); ++i) {
        const auto number = descriptor(words[i]);
        if (!number || std::find(numbers.begin(), numbers.end(), *number) != numbers.end()) return false;
        numbers[i] = *number;
    }
    for (std::size_t i = 0; i < words.size(); ++i) {
        os::close_on_exec(numbers[i]);
        *targets[i] = os::UniqueFd(numbers[i]);
    }
    return true;
}

}  // namespace

std::optional<Succession> parse_succession(std::span<const std::string> words)
{
    constexpr std::size_t head = 4;
    if (words.size() < head || words[0] != carry_on_word) return std::nullopt;
    const bool known = (words[1] == "keep" || words[1] == "check") && (words[2] == "system" || words[2] == "user") && !words[3].empty();
    if (!known) return std::nullopt;
    Succession found{.check = words[1] == "check", .system_scope = words[2] == "system", .name = words[3]};
    if (found.check) return words.size() == head ? std::optional(std::move(found)) : std::nullopt;
    return take_descriptors(words.subspan(head), found) ? std::optional(std::move(found)) : std::nullopt;
}

Successor::Successor(const Assignment& assignment, const os::Pipe& notices)
{
    if (auto program = os::own_program()) program_ = std::move(*program);
    const char* scope = assignment.output.system_scope ? "system" : "user";
    check_words_ = {"steward", std::string(carry_on_word), "check", scope, assignment.spec.name};
    words_ = {"steward", std::string(carry_on_word), "keep", scope, assignment.spec.name};
    keep_ = {notices.read.get(), notices.write.get(), assignment.lease.get(), assignment.control.get()};
    for (const os::BorrowedFd fifo : {assignment.fifos.out.borrow(), assignment.fifos.err.borrow()}) {
        if (fifo) keep_.push_back(fifo.get());
    }
    for (const int fd : keep_) words_.push_back(std::to_string(fd));
    for (std::string& word : words_) argv_.push_back(word.data());
    argv_.push_back(nullptr);
}

int Successor::execute() noexcept
{
    return program_.empty() ? ENOENT : os::become(program_.c_str(), argv_.data(), keep_);
}

}  // namespace steward::supervise
