#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "regulus/core/random.h"

namespace regulus::data {

/// Edges of the bins of one cell: n_bins - 1 quantiles from 0 to 1, linearly interpolated, of its entries
/// that are not zero. Empty if there are none. Computed in double precision, increasing. \param n_bins at
/// least 2, the bin of the zeros included (scGPT: 51)
std::vector<double> bin_edges(std::span<const double> values, int n_bins);

/// scGPT's binning of one cell: zeros are 0, other entries 1 to n_bins - 1 by the quantiles of that cell.
/// Where a value falls on several equal edges, the draw decides among their bins: ceil(u · (R - L) + L) with
/// L the number of edges <= x and R the number of edges < x. \param draws one of [0, 1) per entry that is not
/// zero, in order \throws Error (Internal) if there is another number of them, or n_bins < 2
std::vector<float> bin_values(std::span<const double> values, int n_bins, std::span<const double> draws);

/// The same with draws from the stream.
std::vector<float> bin_values(std::span<const float> values, int n_bins, RandomStream& random);

/// Bins the row of a cell in place; the result depends on the values, the seed and the cell's number alone.
void bin_cell(std::span<float> values, int n_bins, std::uint64_t seed, std::int64_t cell);

}  // namespace regulus::data
