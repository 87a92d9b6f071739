#include "regulus/evaluate/evaluation.h"

#include <limits>

#include "regulus/comm/agree.h"

namespace regulus::evaluate {

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

MetricRow row_of(const Subject& subject, const std::string& method, const Ranking& ranking) {
  MetricRow row;
  row.method = method;
  row.dataset = subject.dataset;
  row.network = subject.network;
  row.protocol = subject.protocol;
  row.setting = subject.setting;
  row.pairs = ranking.size();
  row.positives = ranking.positives();
  return row;
}

MetricRow method_row(MetricRow row, const Scores& scores, const ScoreIntervals& intervals) {
  row.auprc = {scores.auprc, intervals.auprc};
  row.auprc_ratio = {scores.auprc_ratio, intervals.auprc_ratio};
  row.auroc = {scores.auroc, intervals.auroc};
  row.epr = {scores.epr, intervals.epr};
  return row;
}

MetricRow random_row(MetricRow row, double density) {
  const ScoreIntervals none{{kNaN, kNaN}, {kNaN, kNaN}, {kNaN, kNaN}, {kNaN, kNaN}};
  return method_row(std::move(row), {.auprc = density, .auprc_ratio = 1.0, .auroc = 0.5, .epr = 1.0}, none);
}

}  // namespace

Evaluation evaluate_methods(const comm::Communicator& comm, const Subject& subject,
                            std::span<const Method> methods, std::span<const std::uint8_t> label,
                            const BootstrapOptions& options, Progress* progress) {
  const std::string what = subject.dataset + " × " + subject.network;
  const auto rankings = comm::agree(comm, "ranking pairs", [&] {
    std::vector<Ranking> all;
    for (const Method& method : methods) all.emplace_back(method.score, label, what + ", " + method.name);
    return all;
  });
  const auto intervals = bootstrap(comm, rankings, label, options, progress);
  Evaluation result;
  for (std::size_t m = 0; m < methods.size(); ++m) {
    const std::string& name = methods[m].name;
    result.rows.push_back(method_row(row_of(subject, name, rankings[m]), rankings[m].scores(), intervals[m]));
    result.curves.push_back({subject, name, thin_curve(rankings[m].curve(), kCurvePoints)});
  }
  if (!rankings.empty())
    result.rows.push_back(
        random_row(row_of(subject, "random", rankings.front()), rankings.front().density()));
  return result;
}

std::vector<double> mean_score(std::span<const std::vector<double>> scores) {
  std::vector<double> mean(scores.front().size(), 0.0);
  for (const auto& one : scores)
    for (std::size_t pair = 0; pair < mean.size(); ++pair) mean[pair] += one[pair];
  for (double& value : mean) value /= static_cast<double>(scores.size());
  return mean;
}

}  // namespace regulus::evaluate
