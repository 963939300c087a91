#include "supervise/turns.hpp"

namespace steward::supervise {

Turns::Turns(std::vector<std::vector<Precedence>> waits_for)
    : waits_for_(std::move(waits_for)),
      followers_(waits_for_.size()),
      open_(waits_for_.size()),
      done_(waits_for_.size()),
      well_(waits_for_.size())
{
    for (std::size_t place = 0; place < waits_for_.size(); ++place) {
        open_[place] = waits_for_[place].size();
        for (const Precedence& other : waits_for_[place]) followers_[other.of].push_back(place);
    }
}

std::vector<Turns::Turn> Turns::first() const
{
    std::vector<Turn> turns;
    for (std::size_t place = 0; place < open_.size(); ++place) {
        if (open_[place] == 0) turns.push_back({.place = place});
    }
    return turns;
}

std::vector<Turns::Turn> Turns::done(std::size_t place, bool well)
{
    std::vector<Turn> turns;
    if (done_[place]) return turns;
    done_[place] = true;
    well_[place] = well;
    for (const std::size_t next : followers_[place]) {
        if (--open_[next] == 0) turns.push_back(turn_of(next));
    }
    return turns;
}

Turns::Turn Turns::turn_of(std::size_t place) const
{
    for (const Precedence& other : waits_for_[place]) {
        if (other.required && !well_[other.of]) return {.place = place, .refused = true, .lacking = other.of};
    }
    return {.place = place};
}

std::vector<std::vector<Precedence>> Turns::reversed(const std::vector<std::vector<Precedence>>& waits_for)
{
    std::vector<std::vector<Precedence>> turned(waits_for.size());
    for (std::size_t place = 0; place < waits_for.size(); ++place) {
        for (const Precedence& other : waits_for[place]) turned[other.of].push_back({.of = place});
    }
    return turned;
}

}  // namespace steward::supervise
