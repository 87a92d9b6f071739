#include "regulus/evaluate/metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "regulus/core/error.h"

namespace regulus::evaluate {

namespace {

void check(std::span<const double> score, std::span<const std::uint8_t> label, const std::string& what) {
  if (score.size() != label.size())
    throw InputError("there are " + std::to_string(score.size()) + " scores for " +
                         std::to_string(label.size()) + " labelled pairs",
                     what);
  if (score.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()))
    throw InputError("more than 2^31 - 1 pairs cannot be evaluated at once", what,
                     "use --protocol balanced or fewer genes");
  if (std::any_of(score.begin(), score.end(), [](double s) { return std::isnan(s); }))
    throw InputError("a score is not a number (NaN)", what);
}

/// Counts while walking down the ranking, and the sums that become the metrics.
struct Tally {
  double positives, negatives;
  double true_positives = 0.0, false_positives = 0.0;
  double precision_sum = 0.0, concordant = 0.0, early_precision = 0.0;
  bool early_done = false;

  /// The next pairs of equal score: tp positives and fp negatives. Most groups have no positive and pass
  /// quickly.
  void add_group(double tp, double fp) {
    true_positives += tp;
    false_positives += fp;
    if (tp == 0.0) return;
    precision_sum += tp * (true_positives / (true_positives + false_positives));
    concordant += tp * (negatives - false_positives + 0.5 * fp);
  }

  /// After a group of predicted pairs: the precision so far, until as many pairs are called as there are
  /// positives.
  void add_early() {
    const double called = true_positives + false_positives;
    if (called > 0.0) early_precision = true_positives / called;
    early_done = called >= positives;
  }

  Scores scores() const {
    const double density = positives / (positives + negatives);
    const double auprc = precision_sum / positives;
    return {auprc, auprc / density, concordant / (positives * negatives), early_precision / density};
  }
};

}  // namespace

Ranking::Ranking(std::span<const double> score, std::span<const std::uint8_t> label, std::string what)
    : order_(score.size()), label_(score.size()) {
  check(score, label, what);
  std::vector<std::pair<double, std::int32_t>> ranked(score.size());
  for (std::size_t pair = 0; pair < ranked.size(); ++pair)
    ranked[pair] = {-score[pair], static_cast<std::int32_t>(pair)};
  std::sort(ranked.begin(), ranked.end());
  for (std::size_t rank = 0; rank < ranked.size(); ++rank) {
    order_[rank] = ranked[rank].second;
    label_[rank] = label[static_cast<std::size_t>(order_[rank])] != 0 ? 1 : 0;
    if (label_[rank] != 0) positive_.push_back(order_[rank]);
    if (rank + 1 < ranked.size() && ranked[rank].first == ranked[rank + 1].first) continue;
    group_end_.push_back(static_cast<std::int32_t>(rank) + 1);
    group_score_.push_back(-ranked[rank].first);
  }
  predicted_groups_ = group_score_.size();
  if (!group_score_.empty() && group_score_.back() == -std::numeric_limits<double>::infinity())
    --predicted_groups_;
  if (positives() == 0)
    throw InputError(
        "none of the " + std::to_string(size()) + " candidate pairs is an edge of the network", what,
        "check that the network and the data set share genes and that not all of them were excluded");
  if (positives() == size())
    throw InputError("all " + std::to_string(size()) + " candidate pairs are edges of the network", what,
                     "metrics need negatives: use --protocol full or a larger gene set");
}

double Ranking::density() const {
  return static_cast<double>(positives()) / static_cast<double>(size());
}

template <typename WeightOf>
Scores Ranking::evaluate(double positives, double total, WeightOf&& weight_of) const {
  Tally tally{.positives = positives, .negatives = total - positives};
  std::size_t rank = 0;
  for (std::size_t group = 0; group < group_end_.size(); ++group) {
    double sum[2] = {0.0, 0.0};
    for (; rank < static_cast<std::size_t>(group_end_[group]); ++rank) sum[label_[rank]] += weight_of(rank);
    tally.add_group(sum[1], sum[0]);
    if (!tally.early_done && group < predicted_groups_) tally.add_early();
  }
  return tally.scores();
}

Scores Ranking::scores() const {
  return evaluate(static_cast<double>(positives()), static_cast<double>(size()),
                  [](std::size_t) { return 1.0; });
}

Scores Ranking::scores(std::span<const std::uint8_t> weight) const {
  const auto total = std::accumulate(weight.begin(), weight.end(), std::uint64_t{0});
  std::uint64_t positive = 0;
  for (const std::int32_t pair : positive_) positive += weight[static_cast<std::size_t>(pair)];
  return evaluate(static_cast<double>(positive), static_cast<double>(total), [&](std::size_t rank) {
    return static_cast<double>(weight[static_cast<std::size_t>(order_[rank])]);
  });
}

std::vector<CurvePoint> Ranking::curve() const {
  std::vector<CurvePoint> points;
  points.reserve(group_end_.size());
  const auto total_positives = static_cast<double>(positives());
  const double negatives = static_cast<double>(size()) - total_positives;
  double true_positives = 0.0;
  std::size_t rank = 0;
  for (std::size_t group = 0; group < group_end_.size(); ++group) {
    for (; rank < static_cast<std::size_t>(group_end_[group]); ++rank) true_positives += label_[rank];
    const auto called = static_cast<double>(rank);
    points.push_back({group_score_[group], true_positives / total_positives, true_positives / called,
                      (called - true_positives) / negatives});
  }
  return points;
}

double average_precision(std::span<const double> score, std::span<const std::uint8_t> label) {
  return Ranking(score, label).scores().auprc;
}

double auroc(std::span<const double> score, std::span<const std::uint8_t> label) {
  return Ranking(score, label).scores().auroc;
}

double early_precision_ratio(std::span<const double> score, std::span<const std::uint8_t> label) {
  return Ranking(score, label).scores().epr;
}

std::vector<CurvePoint> thin_curve(const std::vector<CurvePoint>& curve, std::int64_t count) {
  if (static_cast<std::int64_t>(curve.size()) <= count || count < 2) return curve;
  std::vector<CurvePoint> thin{curve.front()};
  const double step = (1.0 - curve.front().recall) / static_cast<double>(count - 1);
  for (std::size_t i = 1; i + 1 < curve.size(); ++i)
    if (curve[i].recall >= curve.front().recall + step * static_cast<double>(thin.size()))
      thin.push_back(curve[i]);
  if (static_cast<std::int64_t>(thin.size()) == count) thin.pop_back();
  thin.push_back(curve.back());
  return thin;
}

}  // namespace regulus::evaluate
