#include "regulus/translator/standardiser.h"

#include <algorithm>
#include <cmath>

#include "regulus/core/error.h"

namespace regulus::translator {

namespace {

double transformed(Transform transform, double value, double scale) {
  return transform == Transform::Asinh ? std::asinh(value / scale) : value;
}

double mean_of(const std::vector<double>& values) {
  double sum = 0.0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

/// The typical magnitude of a column: the upper median of |x|, or the mean where most entries are zero.
double magnitude(std::vector<double> column) {
  for (double& value : column) value = std::abs(value);
  const double mean = mean_of(column);
  const auto middle = column.begin() + static_cast<std::ptrdiff_t>(column.size() / 2);
  std::nth_element(column.begin(), middle, column.end());
  if (*middle > 0.0) return *middle;
  return mean > 0.0 ? mean : 1.0;
}

/// Rounding alone gives a constant column a spread of about its magnitude times 1e-16.
double spread(const std::vector<double>& column, double mean) {
  double sum = 0.0;
  for (const double value : column) sum += (value - mean) * (value - mean);
  const double std = std::sqrt(sum / static_cast<double>(column.size()));
  return std > 1e-12 * std::abs(mean) ? std : 1.0;
}

}  // namespace

Transform parse_transform(const std::string& text) {
  if (text == "none") return Transform::None;
  if (text == "asinh") return Transform::Asinh;
  throw OptionError("unknown feature transform '" + text + "'", "--transform", "use asinh or none");
}

std::string to_string(Transform transform) {
  return transform == Transform::Asinh ? "asinh" : "none";
}

Standardiser Standardiser::fit(std::span<const float> values, std::int64_t width,
                               std::span<const std::int64_t> rows, Transform transform) {
  Standardiser fitted;
  fitted.transform = transform;
  std::vector<double> column(rows.size());
  for (std::int64_t c = 0; c < width; ++c) {
    for (std::size_t i = 0; i < rows.size(); ++i)
      column[i] = static_cast<double>(values[static_cast<std::size_t>(rows[i] * width + c)]);
    const double scale = transform == Transform::Asinh ? magnitude(column) : 1.0;
    for (double& value : column) value = transformed(transform, value, scale);
    const double mean = mean_of(column);
    fitted.scale.push_back(scale);
    fitted.mean.push_back(mean);
    fitted.std.push_back(spread(column, mean));
  }
  return fitted;
}

void Standardiser::apply(const float* row, float* out) const {
  for (std::size_t c = 0; c < mean.size(); ++c)
    out[c] = static_cast<float>((transformed(transform, static_cast<double>(row[c]), scale[c]) - mean[c]) /
                                std[c]);
}

}  // namespace regulus::translator
