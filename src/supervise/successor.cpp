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

// What not every service has, each behind its word.
constexpr std::array<const char*, 3> words_of_more{"stdout=", "stderr=", "notify="};
constexpr const char* word_of_socket = "socket=";

bool take_descriptors(std::span<const std::string> words, Succession& found)
{
    const std::array always{&found.notices.read, &found.notices.write, &found.lease, &found.control};
    const std::array<os::UniqueFd*, words_of_more.size()> more{&found.fifos.out, &found.fifos.err, &found.notify};
    if (words.size() < always.size()) return false;
    std::vector<int> numbers;
    for (const std::string& word : words) {
        const bool named = numbers.size() >= always.size();
        const auto equals = word.find('=');
        if (named == (equals == std::string::npos)) return false;
        const auto number = descriptor(named ? word.substr(equals + 1) : word);
        if (!number || std::find(numbers.begin(), numbers.end(), *number) != numbers.end()) return false;
        numbers.push_back(*number);
    }
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        os::close_on_exec(numbers[i]);
        os::UniqueFd held(numbers[i]);
        const auto known = std::ranges::find_if(words_of_more, [&](const char* word) { return words[i].starts_with(word); });
        if (i < always.size()) {
            *always[i] = std::move(held);
        } else if (known != words_of_more.end()) {
            *more[static_cast<std::size_t>(known - words_of_more.begin())] = std::move(held);
        } else if (words[i].starts_with(word_of_socket)) {
            found.sockets.push_back(std::move(held));
        }
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
    for (const os::BorrowedFd fd : {notices.read.borrow(), notices.write.borrow(), assignment.lease.borrow(), assignment.control.borrow()})
        hold("", fd);
    const std::array<os::BorrowedFd, words_of_more.size()> more{assignment.fifos.out, assignment.fifos.err, assignment.notify};
    for (std::size_t i = 0; i < more.size(); ++i) {
        if (more[i]) hold(words_of_more[i], more[i]);
    }
    for (const HeldSocket& held : assignment.sockets) {
        if (held.socket) hold(word_of_socket, held.socket);
    }
    for (std::string& word : words_) argv_.push_back(word.data());
    argv_.push_back(nullptr);
}

void Successor::hold(const char* word, os::BorrowedFd fd)
{
    keep_.push_back(fd.get());
    words_.push_back(word + std::to_string(fd.get()));
}

int Successor::execute() noexcept
{
    return program_.empty() ? ENOENT : os::become(program_.c_str(), argv_.data(), keep_);
}

}  // namespace steward::supervise
