#pragma once

#include <algorithm>
#include <cstddef>

namespace regulus::probe {

/// Finished and unfinished tiles that a rank holds, by default, before it asks for a write.
constexpr std::size_t kHeldBytes = std::size_t{256} << 20U;

/// When ranks leave their units for a collective write. Shared by the runner and by the simulation of it. The
/// first round is one unit, which all ranks begin together: it tells how long units are, at little waiting.
class RoundRule {
 public:
  /// Rounds of so many units keep the wait for the last unit of a round at half a percent.
  static constexpr double kUnitsPerRound = 100.0;
  static constexpr double kShortest_s = 10.0, kLongest_s = 1800.0;

  explicit RoundRule(double shortest_s = kShortest_s, double longest_s = kLongest_s,
                     std::size_t held_bytes = kHeldBytes)
      : shortest_s_(shortest_s), longest_s_(longest_s), held_bytes_(held_bytes) {}

  /// Whether a rank takes no other unit in this round. Asked after each unit.
  bool over(double seconds, std::size_t held_bytes) const {
    return seconds >= round_s_ || held_bytes >= held_bytes_;
  }

  /// The length of the next round. \param longest_unit_s of any rank, so far
  void plan_next(double longest_unit_s) {
    round_s_ = std::clamp(kUnitsPerRound * longest_unit_s, shortest_s_, longest_s_);
  }

 private:
  double shortest_s_, longest_s_;
  std::size_t held_bytes_;
  double round_s_ = 0.0;
};

}  // namespace regulus::probe
