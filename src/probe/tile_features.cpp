#include "regulus/probe/tile_features.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "grid_responses.h"
#include "states.h"

namespace regulus::probe {

namespace {

constexpr std::int64_t kMoments = 4;  // J, |J|, J², J·x
/// Resolution 2^-46: the mean over N rows is in range for responses up to 2^16 / N.
constexpr int kFractionBits = 46;

comm::ExactSum sums(std::int64_t sources, std::int64_t genes, std::size_t width, std::int64_t rows) {
  return comm::ExactSum(static_cast<std::size_t>(sources * genes) * width, kFractionBits,
                        std::max<std::int64_t>(rows, 1));
}

std::vector<float> means(const std::vector<double>& sums, std::int64_t rows) {
  std::vector<float> result(sums.size());
  std::transform(sums.begin(), sums.end(), result.begin(),
                 [rows](double sum) { return static_cast<float>(sum / static_cast<double>(rows)); });
  return result;
}

/// mean J, mean |J|, standard deviation of J, mean J·x, from the sums of J, |J|, J² and J·x.
std::vector<float> observed_features(const std::vector<double>& sums, std::int64_t cells) {
  std::vector<float> result(sums.size());
  const auto n = static_cast<double>(cells);
  for (std::size_t k = 0; k < sums.size(); k += kMoments) {
    const double mean = sums[k] / n;
    result[k] = static_cast<float>(mean);
    result[k + 1] = static_cast<float>(sums[k + 1] / n);
    result[k + 2] = static_cast<float>(std::sqrt(std::max(0.0, sums[k + 2] / n - mean * mean)));
    result[k + 3] = static_cast<float>(sums[k + 3] / n);
  }
  return result;
}

}  // namespace

std::vector<Unit> units_of_tile(const ProbeJob& job, std::int64_t tile) {
  std::vector<Unit> units;
  for (std::int64_t b = 0; b < job.backgrounds.rows(); b += job.cells_per_unit)
    units.push_back({tile, b, std::min(b + job.cells_per_unit, job.backgrounds.rows()), 0, 0});
  for (std::int64_t c = 0; c < job.cells.rows(); c += job.cells_per_unit)
    units.push_back({tile, 0, 0, c, std::min(c + job.cells_per_unit, job.cells.rows())});
  return units;
}

TileFeatures::TileFeatures(const ProbeJob& job, std::int64_t tile)
    : job_(job),
      first_source_(tile * job.sources_per_tile),
      source_count_(std::min(job.sources_per_tile, job.source_count() - first_source_)),
      vvp_(sums(source_count_, job.gene_count(), job.vvp ? job.perturbation_grid.size() : 0,
                job.backgrounds.rows())),
      gdt_(sums(source_count_, job.gene_count(), job.gdt ? job.gradient_grid.size() : 0,
                job.backgrounds.rows())),
      moments_(sums(source_count_, job.gene_count(), job.osg ? kMoments : 0, job.cells.rows())) {}

void TileFeatures::add(const backbone::Backbone& model, const Unit& unit) {
  for (std::int64_t row = unit.background_begin; row < unit.background_end; ++row)
    add_grids(*open_panel(model, job_, job_.backgrounds.row(row)), row);
  for (std::int64_t row = unit.cell_begin; row < unit.cell_end; ++row)
    add_observed(*open_panel(model, job_, job_.cells.row(row)), row);
}

void TileFeatures::add_grids(backbone::PanelPass& pass, std::int64_t row) {
  GridResponses responses(job_, first_source_, source_count_);
  responses.compute(pass, row);
  vvp_.add(responses.vvp());
  gdt_.add(responses.gdt());
}

void TileFeatures::add_observed(backbone::PanelPass& pass, std::int64_t row) {
  const float* cell = job_.cells.row(row);
  std::vector<State> states;
  for (std::int64_t s = first_source_; s < first_source_ + source_count_; ++s)
    states.push_back({s, static_cast<double>(cell[job_.sources[static_cast<std::size_t>(s)]])});
  const at::Tensor tangents = pass.tangents(positions(job_, states.data(), source_count_));
  const at::Tensor rows = gene_columns(job_, tangents, states.data(), fmt::format("cell {}", row));
  std::vector<double> moments;
  moments.reserve(moments_.size());
  for (std::int64_t s = 0; s < source_count_; ++s)
    for (std::int64_t j = 0; j < job_.gene_count(); ++j) {
      const double slope = rows.data_ptr<double>()[s * job_.gene_count() + j];
      moments.insert(moments.end(), {slope, std::abs(slope), slope * slope,
                                     slope * states[static_cast<std::size_t>(s)].value});
    }
  moments_.add(moments);
}

std::map<std::string, std::vector<float>> TileFeatures::reduce(const comm::Communicator& comm, int owner) {
  std::map<std::string, std::vector<float>> features;
  if (job_.vvp) features["vvp"] = means(vvp_.reduce_to(comm, owner), job_.backgrounds.rows());
  if (job_.gdt) features["gdt"] = means(gdt_.reduce_to(comm, owner), job_.backgrounds.rows());
  if (job_.osg) features["osg"] = observed_features(moments_.reduce_to(comm, owner), job_.cells.rows());
  if (comm.rank() != owner) features.clear();
  return features;
}

}  // namespace regulus::probe
