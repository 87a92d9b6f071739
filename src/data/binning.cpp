#include "regulus/data/binning.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "regulus/core/error.h"

namespace regulus::data {

namespace {

constexpr int kMinBins = 2;

/// Between a and b; from whichever end is nearer, as numpy does it, so that both ends are met exactly.
double interpolate(double a, double b, double share) {
  return share < 0.5 ? a + (b - a) * share : b - (b - a) * (1.0 - share);
}

double digit(double value, const std::vector<double>& edges, double draw) {
  const auto not_above = std::upper_bound(edges.begin(), edges.end(), value) - edges.begin();
  const auto below = std::lower_bound(edges.begin(), edges.end(), value) - edges.begin();
  const auto left = static_cast<double>(not_above);
  const auto right = static_cast<double>(below);
  // A draw next to 1 can be rounded to the edge itself, which belongs to the bin below.
  return std::clamp(std::ceil(draw * (right - left) + left), std::min(right + 1.0, left), left);
}

}  // namespace

std::vector<double> bin_edges(std::span<const double> values, int n_bins) {
  if (n_bins < kMinBins) throw Error(ErrorKind::Internal, "binning needs at least two bins");
  std::vector<double> sorted;
  std::copy_if(values.begin(), values.end(), std::back_inserter(sorted), [](double x) { return x != 0.0; });
  if (sorted.empty()) return {};
  std::sort(sorted.begin(), sorted.end());
  const auto last = static_cast<double>(sorted.size() - 1);
  const int count = n_bins - 1;
  const double step = count > 1 ? 1.0 / (count - 1) : 0.0;
  std::vector<double> edges;
  for (int k = 0; k < count; ++k) {
    const double position = k > 0 && k == count - 1 ? last : k * step * last;
    const auto before = static_cast<std::size_t>(position);
    const std::size_t after = std::min(before + 1, sorted.size() - 1);
    const double edge = interpolate(sorted[before], sorted[after], position - std::floor(position));
    edges.push_back(edges.empty() ? edge : std::max(edge, edges.back()));
  }
  return edges;
}

std::vector<float> bin_values(std::span<const double> values, int n_bins, std::span<const double> draws) {
  const std::vector<double> edges = bin_edges(values, n_bins);
  std::vector<float> digits;
  digits.reserve(values.size());
  std::size_t used = 0;
  for (const double value : values) {
    if (value != 0.0 && used == draws.size())
      throw Error(ErrorKind::Internal, "binning has fewer draws than entries that are not zero");
    digits.push_back(value == 0.0 ? 0.0F : static_cast<float>(digit(value, edges, draws[used++])));
  }
  if (used != draws.size())
    throw Error(ErrorKind::Internal, "binning has more draws than entries that are not zero");
  return digits;
}

std::vector<float> bin_values(std::span<const float> values, int n_bins, RandomStream& random) {
  const std::vector<double> exact(values.begin(), values.end());
  std::vector<double> draws;
  for (const double value : exact)
    if (value != 0.0) draws.push_back(random.uniform());
  return bin_values(exact, n_bins, draws);
}

void bin_cell(std::span<float> values, int n_bins, std::uint64_t seed, std::int64_t cell) {
  RandomStream random(seed, "data.binning", static_cast<std::uint64_t>(cell));
  const std::vector<float> digits = bin_values(values, n_bins, random);
  std::copy(digits.begin(), digits.end(), values.begin());
}

}  // namespace regulus::data
