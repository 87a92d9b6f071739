#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace regulus::evaluate {

/// The four numbers of one method on one set of labelled pairs.
struct Scores {
  double auprc = 0.0;        ///< average precision
  double auprc_ratio = 0.0;  ///< auprc / share of positives, so 1 is random
  double auroc = 0.0;
  double epr = 0.0;  ///< BEELINE's early precision / share of positives, so 1 is random
};

/// One point of the precision-recall (and ROC) curve: all pairs with score >= threshold are called edges.
struct CurvePoint {
  double threshold, recall, precision, false_positive_rate;
};

/// Labelled pairs in the order of falling scores, sorted once and then evaluated any number of times with
/// other weights (a bootstrap replicate is a weight per pair), each time in O(pairs).
///
/// A score of minus infinity means "not predicted" (a pair that another tool does not list): it ranks last in
/// AUPRC and AUROC, as a score of zero does in BEELINE, and is never part of the early precision.
class Ranking {
 public:
  /// \param score  [pairs] higher means more likely an edge; ties are kept as ties
  /// \param label  [pairs] 1 for an edge of the network, 0 otherwise
  /// \param what   network and data set, for errors
  /// \throws InputError on NaN scores, different lengths, no positive or no negative pair
  Ranking(std::span<const double> score, std::span<const std::uint8_t> label, std::string what = {});

  std::int64_t size() const { return static_cast<std::int64_t>(order_.size()); }
  std::int64_t positives() const { return static_cast<std::int64_t>(positive_.size()); }
  double density() const;  ///< share of positives

  /// With every pair counted once.
  Scores scores() const;
  /// With pair i counted weight[i] times. There must be a positive and a negative of non-zero weight. Weights
  /// are single bytes because they are looked up in random order, which is fast only while they fit a core's
  /// cache.
  Scores scores(std::span<const std::uint8_t> weight) const;
  /// One point per distinct score, from the highest down; the last has recall 1.
  std::vector<CurvePoint> curve() const;

 private:
  template <typename WeightOf>
  Scores evaluate(double positives, double total, WeightOf&& weight_of) const;

  std::vector<std::int32_t> order_;      ///< pair index by rank
  std::vector<std::uint8_t> label_;      ///< by rank
  std::vector<std::int32_t> positive_;   ///< pair indices of the positives
  std::vector<std::int32_t> group_end_;  ///< ends of the runs of equal scores, in ranks
  std::vector<double> group_score_;
  std::size_t predicted_groups_ = 0;  ///< groups with a score above minus infinity
};

/// Area under the precision-recall curve as the sum over distinct thresholds n of (R_n - R_{n-1}) P_n: equal
/// to scikit-learn's average_precision_score. \throws as Ranking
double average_precision(std::span<const double> score, std::span<const std::uint8_t> label);

/// Probability that a positive scores above a negative, ties counting half (mid-ranks). \throws as Ranking
double auroc(std::span<const double> score, std::span<const std::uint8_t> label);

/// Early precision ÷ share of positives: the precision over all pairs whose score reaches the k-th highest, k
/// the number of positives, so pairs that tie with the k-th count as well. \throws as Ranking \see BEELINE
/// (Pratapa et al. 2020), evalEarlyPrecision
double early_precision_ratio(std::span<const double> score, std::span<const std::uint8_t> label);

/// At most `count` points of a curve, evenly spaced in recall, first and last kept. For plots; metrics use
/// all points.
std::vector<CurvePoint> thin_curve(const std::vector<CurvePoint>& curve, std::int64_t count);

}  // namespace regulus::evaluate
