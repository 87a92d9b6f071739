#include "regulus/data/normalise.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
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

}  // namespace

Normalise parse_normalise(const std::string& text) {
  if (text == "auto") return Normalise::Auto;
  if (text == "none") return Normalise::None;
  if (text == "log1p-cp10k") return Normalise::Log1pCp10k;
  throw OptionError("unknown normalisation '" + text + "'", "--normalise", "use auto, none or log1p-cp10k");
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
  for (std::size_t cell = 0; cell < expression.cells.size(); ++cell) {
    const auto begin = expression.value.begin() + expression.row_begin[cell];
    const auto end = expression.value.begin() + expression.row_begin[cell + 1];
    double total = 0.0;
    for (auto value = begin; value != end; ++value) total += *value;
    for (auto value = begin; value != end; ++value)
      *value = static_cast<float>(std::log1p(kCountsPerCell * *value / total));
  }
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
  log::info("{}: values look like {}, normalised by log1p-cp10k", where, to_string(scale));
  log1p_cp10k(expression);
  return ValueScale::LogNormalised;
}

}  // namespace regulus::data
