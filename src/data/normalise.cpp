#include "regulus/data/normalise.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "regulus/core/error.h"
#include "regulus/core/log.h"

namespace regulus::data {

namespace {

constexpr double kCountsPerCell = 1e4;

float maximum(const Expression& expression) {
  if (expression.value.empty()) return 0.0F;
  return *std::max_element(expression.value.begin(), expression.value.end());
}

Normalise settle(Normalise asked, ValueScale scale, const Expression& expression, const std::string& where) {
  if (asked != Normalise::Auto) return asked;
  if (scale == ValueScale::Counts) return Normalise::Log1pCp10k;
  if (scale == ValueScale::LogNormalised) return Normalise::None;
  throw InputError(
      fmt::format("the values are neither counts (not all are integers) nor log-normalised (the maximum "
                  "is {:g})",
                  maximum(expression)),
      where,
      "say --normalise log1p-cp10k for values in proportion to counts (TPM, RPKM, corrected counts), "
      "or --normalise none to keep them");
}

std::vector<double> cell_totals(const Expression& expression) {
  std::vector<double> totals;
  for (std::size_t cell = 0; cell < expression.cells.size(); ++cell)
    totals.push_back(std::accumulate(expression.value.begin() + expression.row_begin[cell],
                                     expression.value.begin() + expression.row_begin[cell + 1], 0.0));
  return totals;
}

/// ln(1 + target · value / total of the cell)
void scale_and_log(Expression& expression, const std::vector<double>& totals, double target) {
  for (std::size_t cell = 0; cell < expression.cells.size(); ++cell)
    for (auto n = expression.row_begin[cell]; n < expression.row_begin[cell + 1]; ++n) {
      float& value = expression.value[static_cast<std::size_t>(n)];
      value = static_cast<float>(std::log1p(target * value / totals[cell]));
    }
}

}  // namespace

Normalise parse_normalise(const std::string& text) {
  if (text == "auto") return Normalise::Auto;
  if (text == "none") return Normalise::None;
  if (text == "log1p-cp10k") return Normalise::Log1pCp10k;
  if (text == "log1p-median") return Normalise::Log1pMedian;
  throw OptionError("unknown normalisation '" + text + "'", "--normalise",
                    "use auto, none, log1p-cp10k or log1p-median");
}

ValueScale detect_scale(const Expression& expression) {
  const bool integers = std::all_of(expression.value.begin(), expression.value.end(),
                                    [](float value) { return value == std::floor(value); });
  if (integers) return ValueScale::Counts;
  return maximum(expression) < kLogMaximum ? ValueScale::LogNormalised : ValueScale::Other;
}

std::int64_t drop_empty_cells(Expression& expression) {
  std::vector<std::string> kept;
  std::vector<std::int64_t> row_begin = {0};
  for (std::size_t cell = 0; cell < expression.cells.size(); ++cell) {
    if (expression.row_begin[cell] == expression.row_begin[cell + 1]) continue;
    kept.push_back(std::move(expression.cells[cell]));
    row_begin.push_back(expression.row_begin[cell + 1]);
  }
  const auto dropped = static_cast<std::int64_t>(expression.cells.size() - kept.size());
  expression.cells = std::move(kept);
  expression.row_begin = std::move(row_begin);
  return dropped;
}

void log1p_cp10k(Expression& expression) {
  scale_and_log(expression, cell_totals(expression), kCountsPerCell);
}

void log1p_median(Expression& expression) {
  const std::vector<double> totals = cell_totals(expression);
  if (totals.empty()) return;
  std::vector<double> sorted = totals;
  std::sort(sorted.begin(), sorted.end());
  const std::size_t half = sorted.size() / 2;
  const double median = sorted.size() % 2 == 1 ? sorted[half] : 0.5 * (sorted[half - 1] + sorted[half]);
  scale_and_log(expression, totals, median);
}

ValueScale normalise(Expression& expression, Normalise method, const std::string& where) {
  const ValueScale scale = detect_scale(expression);
  const Normalise settled = settle(method, scale, expression, where);
  if (settled == Normalise::None) {
    log::info("{}: values look {} (maximum {:g}), kept as they are", where, to_string(scale),
              maximum(expression));
    return scale;
  }
  if (scale == ValueScale::LogNormalised)
    log::warning("{}: values look log-normalised already (maximum {:g}) and are normalised again, as asked",
                 where, maximum(expression));
  const bool median = settled == Normalise::Log1pMedian;
  log::info("{}: values look like {}, normalised by {}", where, to_string(scale),
            median ? "log1p-median" : "log1p-cp10k");
  (median ? log1p_median : log1p_cp10k)(expression);
  return ValueScale::LogNormalised;
}

}  // namespace regulus::data
