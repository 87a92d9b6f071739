#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "regulus/comm/communicator.h"
#include "regulus/core/progress.h"
#include "regulus/evaluate/bootstrap.h"
#include "regulus/evaluate/metric_row.h"
#include "regulus/evaluate/metrics.h"

namespace regulus::evaluate {

/// Names of one evaluation, the same in all of its rows.
struct Subject {
  std::string dataset, network, protocol, setting;
};

/// One way to score the candidate pairs.
struct Method {
  std::string name;
  std::vector<double> score;  ///< [pairs]
};

struct NamedCurve {
  Subject subject;
  std::string method;
  std::vector<CurvePoint> points;
};

/// Rows and thinned curves, one per method and in their order; the rows end with the expectation of a random
/// order
/// ("random": AUPRC is the share of positives, AUROC ½, EPR 1; no interval).
struct Evaluation {
  std::vector<MetricRow> rows;
  std::vector<NamedCurve> curves;
};

/// At most this many points of a curve are kept.
inline constexpr std::int64_t kCurvePoints = 500;

/// Evaluates every method on the same labelled pairs.
/// \throws InputError, naming data set and network, if there are no positives, no negatives or NaN scores
/// \collective yes
Evaluation evaluate_methods(const comm::Communicator& comm, const Subject& subject,
                            std::span<const Method> methods, std::span<const std::uint8_t> label,
                            const BootstrapOptions& options, Progress* progress = nullptr);

/// Mean of several logits per pair, in double: the ensemble.
std::vector<double> mean_score(std::span<const std::vector<double>> scores);

}  // namespace regulus::evaluate
