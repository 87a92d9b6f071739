#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "regulus/comm/communicator.h"
#include "regulus/core/progress.h"
#include "regulus/evaluate/metric_row.h"
#include "regulus/evaluate/metrics.h"

namespace regulus::evaluate {

struct BootstrapOptions {
  std::int64_t replicates = 1000;  ///< 0 for no intervals
  std::uint64_t seed = 0;
  double level = 0.95;
};

/// The intervals of one method's Scores.
struct ScoreIntervals {
  Interval auprc, auprc_ratio, auroc, epr;
};

/// Percentile bootstrap intervals over pairs, stratified: a replicate draws, with replacement, as many
/// positives as there are positives and as many negatives as there are negatives, so every replicate has the
/// density of the data. All methods see the same replicates. The intervals speak of these genes and this
/// network: pairs that share a gene are not independent, so another set of genes may differ by more.
///
/// Replicates are split over the ranks, each with its own random stream, and gathered in their order: the
/// result is the same for any number of ranks. \param methods  rankings of the same pairs with the same
/// labels, one per method \param label    [pairs] \param progress advanced by this rank's replicates where
/// given \return         one element per method; NaN intervals where replicates is 0 \throws OptionError on a
/// negative number of replicates or a level outside (0, 1) \collective yes
std::vector<ScoreIntervals> bootstrap(const comm::Communicator& comm, std::span<const Ranking> methods,
                                      std::span<const std::uint8_t> label, const BootstrapOptions& options,
                                      Progress* progress = nullptr);

/// The q-quantile of values by linear interpolation between order statistics (numpy's default). Values must
/// not be empty.
double quantile(std::vector<double> values, double q);

}  // namespace regulus::evaluate
