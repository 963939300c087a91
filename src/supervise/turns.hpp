// Whose turn it is among services that wait for each other: pure bookkeeping over places.
#pragma once

#include <cstddef>
#include <vector>

namespace steward::supervise {

// A service waits for another, and cannot do without it or can.
struct Precedence {
    std::size_t of = 0;
    bool required = false;
};

class Turns {
  public:
    // For each place whom it waits for, once each and without a cycle.
    explicit Turns(std::vector<std::vector<Precedence>> waits_for);

    struct Turn {
        std::size_t place = 0;
        bool refused = false;     // what it requires has come to nothing, so it will not do
        std::size_t lacking = 0;  // with refused: that
    };
    // Those that wait for nobody.
    [[nodiscard]] std::vector<Turn> first() const;
    // `place` is done, well or not: whose turn has come by that. Told again, nobody's.
    [[nodiscard]] std::vector<Turn> done(std::size_t place, bool well);
    [[nodiscard]] bool is_done(std::size_t place) const { return done_[place]; }

    // The same services with every wait turned round.
    [[nodiscard]] static std::vector<std::vector<Precedence>> reversed(const std::vector<std::vector<Precedence>>& waits_for);

  private:
    [[nodiscard]] Turn turn_of(std::size_t place) const;

    std::vector<std::vector<Precedence>> waits_for_;
    std::vector<std::vector<std::size_t>> followers_;
    std::vector<std::size_t> open_;  // how many each still waits for
    std::vector<bool> done_;
    std::vector<bool> well_;
};

}  // namespace steward::supervise
