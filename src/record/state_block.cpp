#include "record/state_block.hpp"

#include <algorithm>
#include <climits>
#include <cstring>
#include <string_view>
#include <type_traits>

#include "os/error.hpp"

namespace steward::record {

namespace {

constexpr std::uint64_t magic = 0x4554415453445453;  // "STDSTATE"
constexpr std::uint32_t version = 5;
constexpr std::size_t path_limit = PATH_MAX - 1;
constexpr std::size_t reason_limit = 1024;
constexpr std::size_t boot_id_limit = 64;
constexpr std::size_t description_limit = 512;
constexpr std::size_t command_limit = 2048;  // of its words and their lengths together

struct Head {
    std::uint64_t magic = 0;
    std::uint32_t version = 0;
    std::uint32_t size = 0;  // of head and payload
    std::uint64_t sequence = 0;
    std::uint64_t check = 0;  // of everything else
};

std::uint64_t fnv1a(std::span<const std::byte> bytes, std::uint64_t hash = 0xcbf29ce484222325)
{
    for (const std::byte byte : bytes) hash = (hash ^ std::to_integer<std::uint64_t>(byte)) * 0x100000001b3;
    return hash;
}

std::uint64_t checksum(Head head, std::span<const std::byte> payload)
{
    head.check = 0;
    return fnv1a(payload, fnv1a(std::as_bytes(std::span(&head, 1))));
}

class Writer {
  public:
    void number(std::uint64_t value)
    {
        const auto bytes = std::as_bytes(std::span(&value, 1));
        bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    }
    void text(std::string_view value)
    {
        number(value.size());
        const auto bytes = std::as_bytes(std::span(value));
        bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    }
    std::vector<std::byte>& bytes() { return bytes_; }

  private:
    std::vector<std::byte> bytes_;
};

// Gives zeros and empty strings once the bytes have run out; good() tells.
class Reader {
  public:
    explicit Reader(std::span<const std::byte> bytes) : bytes_(bytes) {}
    std::uint64_t number()
    {
        std::uint64_t value = 0;
        const auto bytes = take(sizeof value);
        if (!bytes.empty()) std::memcpy(&value, bytes.data(), sizeof value);
        return value;
    }
    std::string text()
    {
        const auto bytes = take(number());
        std::string value(bytes.size(), '\0');
        if (!bytes.empty()) std::memcpy(value.data(), bytes.data(), bytes.size());
        return value;
    }
    [[nodiscard]] bool good() const { return good_; }
    [[nodiscard]] bool done() const { return good_ && bytes_.empty(); }

  private:
    std::span<const std::byte> take(std::uint64_t size)
    {
        if (size > bytes_.size()) {
            good_ = false;
            bytes_ = {};
            return {};
        }
        const auto taken = bytes_.first(size);
        bytes_ = bytes_.subspan(size);
        return taken;
    }
    std::span<const std::byte> bytes_;
    bool good_ = true;
};

// The members below are visited in one order by `put` and `get`: what is written is what is read.
template <class T>
concept Scalar = std::is_integral_v<T> || std::is_enum_v<T>;

template <Scalar T>
void put(Writer& to, T value)
{
    to.number(static_cast<std::uint64_t>(value));
}
template <Scalar T>
void get(Reader& from, T& value)
{
    value = static_cast<T>(from.number());
}

void put(Writer& to, const std::string& value)
{
    to.text(value);
}
void get(Reader& from, std::string& value)
{
    value = from.text();
}

void put(Writer& to, const Argv& words)
{
    put(to, words.size());
    for (const std::string& word : words) put(to, word);
}
void get(Reader& from, Argv& words)
{
    std::size_t count = 0;
    get(from, count);
    for (std::size_t i = 0; i < count && from.good(); ++i) get(from, words.emplace_back());
}

using Clock = std::chrono::system_clock;

void put(Writer& to, Clock::time_point value)
{
    put(to, value.time_since_epoch().count());
}
void get(Reader& from, Clock::time_point& value)
{
    Clock::rep count = 0;
    get(from, count);
    value = Clock::time_point(Clock::duration(count));
}

// const or not, by what is asked for: `each` names the members of a value once.
template <class Identity, class Visit>
requires std::is_same_v<std::remove_const_t<Identity>, os::ProcessIdentity>
void each(Identity& identity, const Visit& visit)
{
    visit(identity.pid);
    visit(identity.start_time);
    visit(identity.pidfs_inode);
}

template <class Status, class Visit>
requires std::is_same_v<std::remove_const_t<Status>, ExitStatus>
void each(Status& status, const Visit& visit)
{
    visit(status.signalled);
    visit(status.code);
    visit(status.known);
    visit(status.core_dumped);
    visit(status.at);
}

template <class AnyState, class Visit>
requires std::is_same_v<std::remove_const_t<AnyState>, State>
void each(AnyState& state, const Visit& visit)
{
    visit(state.state);
    visit(state.since);
    each(state.keeper, visit);
    each(state.hook, visit);
    each(state.supervisor, visit);
    visit(state.main_pidfs_inode);
    visit(state.boot.boot_id);
    visit(state.boot.pid_namespace);
    visit(state.restarts);
    visit(state.last_exit_pid);
    visit(state.supervise);
    visit(state.stop_requested);
    visit(state.launched_pid);
    visit(state.fault);
    visit(state.said_ready);
    visit(state.said_stopping);
    visit(state.said_errno);
    visit(state.status_text);
    visit(state.watchdog_interval);
    visit(state.health);
    visit(state.health_failures);
    for (auto* place : {&state.launch_out, &state.launch_err}) {
        visit(place->device);
        visit(place->inode);
        visit(place->offset);
    }
    visit(state.attempts);
    visit(state.last_run);
    visit(state.memory_kills);
    visit(state.pid_file_owner);
    visit(state.cgroup);
    visit(state.pid_file);
    visit(state.log_file);
    visit(state.service_file);
    visit(state.reason);
    visit(state.file_digest);
    visit(state.description);
    visit(state.command);
}

void put_optionals(Writer& to, const State& state)
{
    put(to, state.next_start.has_value());
    if (state.next_start) put(to, *state.next_start);
    put(to, state.ready_since.has_value());
    if (state.ready_since) put(to, *state.ready_since);
    put(to, state.extended_until.has_value());
    if (state.extended_until) put(to, *state.extended_until);
    put(to, state.last_exit.has_value());
    if (state.last_exit) each(*state.last_exit, [&](const auto& member) { put(to, member); });
}

void get_optionals(Reader& from, State& state)
{
    bool present = false;
    get(from, present);
    if (present) get(from, state.next_start.emplace());
    get(from, present);
    if (present) get(from, state.ready_since.emplace());
    get(from, present);
    if (present) get(from, state.extended_until.emplace());
    get(from, present);
    if (present) each(state.last_exit.emplace(), [&](auto& member) { get(from, member); });
}

// At a character's start, so that what is left is still UTF-8.
std::string cut(const std::string& text, std::size_t limit)
{
    if (text.size() <= limit) return text;
    std::size_t end = limit;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
    return text.substr(0, end);
}

// As many of the first words as fit, each with its length before it.
Argv cut(const Argv& words, std::size_t limit)
{
    Argv kept;
    for (const std::string& word : words) {
        const std::size_t size = word.size() + sizeof(std::uint64_t);
        if (size > limit) break;
        limit -= size;
        kept.push_back(word);
    }
    return kept;
}

Head head_of(std::span<const std::byte> bytes)
{
    Head head;
    if (bytes.size() >= sizeof head) std::memcpy(&head, bytes.data(), sizeof head);
    return head;
}

}  // namespace

Result<std::vector<std::byte>> encode(const StateBlock& block)
{
    for (const std::string* path : {&block.state.cgroup, &block.state.pid_file, &block.state.log_file, &block.state.service_file}) {
        if (path->size() <= path_limit) continue;
        return fail({.code = ErrorCode::invalid_argument,
                     .operation = "record",
                     .object = os::quoted(path->substr(0, 40) + "..."),
                     .cause = "the path is longer than " + std::to_string(path_limit) + " bytes",
                     .next_step = {}});
    }
    State state = block.state;
    state.reason = cut(state.reason, reason_limit);
    state.description = cut(state.description, description_limit);
    state.status_text = cut(state.status_text, description_limit);
    state.command = cut(state.command, command_limit);
    state.boot.boot_id = cut(state.boot.boot_id, boot_id_limit);

    Writer payload;
    put(payload, block.main_check);
    each(std::as_const(state), [&](const auto& member) { put(payload, member); });
    put_optionals(payload, state);

    Head head{.magic = magic,
              .version = version,
              .size = static_cast<std::uint32_t>(sizeof(Head) + payload.bytes().size()),
              .sequence = block.sequence,
              .check = 0};
    head.check = checksum(head, payload.bytes());
    const auto bytes = std::as_bytes(std::span(&head, 1));
    payload.bytes().insert(payload.bytes().begin(), bytes.begin(), bytes.end());
    return std::move(payload.bytes());
}

std::size_t state_block_size(std::span<const std::byte> bytes)
{
    const Head head = head_of(bytes);
    const bool sane = head.magic == magic && head.size >= sizeof head && head.size <= state_block_limit;
    return sane ? head.size : 0;
}

std::uint64_t state_block_sequence(std::span<const std::byte> bytes)
{
    const Head head = head_of(bytes);
    return head.magic == magic ? head.sequence : 0;
}

tl::expected<StateBlock, BlockFault> decode(std::span<const std::byte> bytes)
{
    const auto fault = [](BlockFault why) { return tl::unexpected<BlockFault>(why); };
    if (bytes.size() < sizeof(Head))
        return fault(std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{}; }) ? BlockFault::empty : BlockFault::partial);
    const Head head = head_of(bytes);
    if (head.magic == 0) return fault(BlockFault::empty);
    if (head.magic != magic || head.version != version) return fault(BlockFault::foreign);
    const std::size_t size = state_block_size(bytes);
    if (size == 0) return fault(BlockFault::torn);
    if (bytes.size() < size) return fault(BlockFault::partial);
    const auto payload = bytes.first(size).subspan(sizeof head);
    if (head.check != checksum(head, payload)) return fault(BlockFault::torn);

    StateBlock block;
    block.sequence = head.sequence;
    Reader from(payload);
    get(from, block.main_check);
    each(block.state, [&](auto& member) { get(from, member); });
    get_optionals(from, block.state);
    if (!from.done() || block.state.state > ServiceState::unknown) return fault(BlockFault::foreign);
    return block;
}

}  // namespace steward::record
