#include "regulus/probe/tile_features.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "grid_responses.h"
#include "states.h"

namespace regulus::probe {

namespace {

constexpr std::size_t kMoments = 4;  // J, |J|, J², J·x

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

std::int64_t sources_in_tile(const ProbeJob& job, std::int64_t tile) {
  return std::min(job.sources_per_tile, job.source_count() - tile * job.sources_per_tile);
}

std::size_t values_of_tile(const ProbeJob& job, std::int64_t tile, std::size_t width) {
  return static_cast<std::size_t>(sources_in_tile(job, tile) * job.gene_count()) * width;
}

/// A feature that is averaged over the backgrounds.
RowMean over_backgrounds(const ProbeJob& job, std::int64_t tile, std::size_t width) {
  return {values_of_tile(job, tile, width), job.backgrounds->count(), job.spread};
}

}  // namespace

std::vector<Unit> units_of_tile(const ProbeJob& job, std::int64_t tile) {
  std::vector<Unit> units;
  const auto add = [&](Unit::Kind kind, std::int64_t rows, std::int64_t step) {
    for (std::int64_t begin = 0; begin < rows; begin += step)
      units.push_back({tile, kind, begin, std::min(begin + step, rows)});
  };
  if (job.needs_backgrounds()) add(Unit::Kind::Backgrounds, job.backgrounds->count(), job.cells_per_unit);
  if (job.gdt && job.uniform)
    add(Unit::Kind::Trajectory, static_cast<std::int64_t>(job.gradient_grid.size()), job.cells_per_unit);
  if (job.osg) add(Unit::Kind::Cells, job.cells->count(), job.cells_per_unit);
  if (job.pert) add(Unit::Kind::Mean, 1, 1);
  return units;
}

TileFeatures::TileFeatures(const ProbeJob& job, std::int64_t tile)
    : job_(job),
      first_source_(tile * job.sources_per_tile),
      source_count_(sources_in_tile(job, tile)),
      vvp_(over_backgrounds(job, tile, job.vvp ? job.perturbation_grid.size() : 0)),
      gdt_(job.uniform ? RowMean(values_of_tile(job, tile, job.gdt ? job.gradient_grid.size() : 0), 1, false)
                       : over_backgrounds(job, tile, job.gdt ? job.gradient_grid.size() : 0)),
      attn_(over_backgrounds(job, tile, job.attn ? static_cast<std::size_t>(job.attention_width) : 0)),
      pert_(values_of_tile(job, tile, job.pert ? 1 : 0), 1, false),
      moments_(exact_sum(values_of_tile(job, tile, job.osg ? kMoments : 0), job.cells->count())) {}

void TileFeatures::add(const backbone::Backbone& model, const Unit& unit) {
  const auto for_each_row = [&](const ValueRows& rows, auto use) {
    const std::vector<float> values = rows.read(unit.begin, unit.end);
    for (std::int64_t row = unit.begin; row < unit.end; ++row) {
      const float* cell = values.data() + (row - unit.begin) * job_.gene_count();
      use(*open_panel(model, job_, cell), cell, row);
    }
  };
  switch (unit.kind) {
    case Unit::Kind::Backgrounds:
      for_each_row(*job_.backgrounds, [this](auto& pass, const float* values, std::int64_t row) {
        add_background(pass, values, row);
      });
      break;
    case Unit::Kind::Trajectory:
      for (std::int64_t t = unit.begin; t < unit.end; ++t) add_uniform(model, t);
      break;
    case Unit::Kind::Cells:
      for_each_row(*job_.cells, [this](auto& pass, const float* values, std::int64_t row) {
        add_cell(pass, values, row);
      });
      break;
    case Unit::Kind::Mean:
      add_mean(*open_panel(model, job_, job_.mean.data()));
      break;
  }
}

template <typename ValueAt>
std::vector<State> TileFeatures::states(ValueAt value_at) const {
  std::vector<State> result;
  for (std::int64_t s = first_source_; s < first_source_ + source_count_; ++s)
    result.push_back({s, value_at(job_.sources[static_cast<std::size_t>(s)])});
  return result;
}

void TileFeatures::add_background(backbone::PanelPass& pass, const float* values, std::int64_t row) {
  if (job_.vvp || job_.gdt_on_backgrounds()) {
    GridResponses responses(job_, first_source_, source_count_);
    responses.compute(pass, values, row);
    if (job_.vvp) vvp_.add(responses.vvp());
    if (job_.gdt_on_backgrounds()) gdt_.add(responses.gdt());
  }
  if (job_.attn) add_attention(pass, row);
}

void TileFeatures::add_attention(backbone::PanelPass& pass, std::int64_t row) {
  std::vector<double> values;
  values.reserve(attn_.size());
  in_calls(states([](std::int64_t) { return 0.0; }), [&](const State* batch, std::int64_t n) {
    const at::Tensor columns = pass.attention(positions(job_, batch, n), job_.attention_width > 1);
    std::vector<at::Tensor> layers;
    for (std::int64_t k = 0; k < job_.attention_width; ++k)
      layers.push_back(checked(job_, columns.select(-1, k), batch, fmt::format("background {}", row)));
    for (std::int64_t pair = 0; pair < n * job_.gene_count(); ++pair)
      for (const at::Tensor& layer : layers) values.push_back(layer.data_ptr<double>()[pair]);
  });
  attn_.add(values);
}

void TileFeatures::add_uniform(const backbone::Backbone& model, std::int64_t grid_index) {
  const double value = job_.gradient_grid[static_cast<std::size_t>(grid_index)];
  const std::vector<float> uniform(job_.genes.size(), static_cast<float>(value));
  const auto pass = open_panel(model, job_, uniform.data());
  const std::string what = fmt::format("every gene at {}", value);
  const std::size_t width = job_.gradient_grid.size();
  std::vector<double> columns(gdt_.size(), 0.0);
  std::size_t next = static_cast<std::size_t>(grid_index);
  in_calls(states([value](std::int64_t) { return value; }), [&](const State* batch, std::int64_t n) {
    const at::Tensor rows = checked(job_, pass->tangents(positions(job_, batch, n)), batch, what);
    for (std::int64_t pair = 0; pair < rows.numel(); ++pair, next += width)
      columns[next] = rows.data_ptr<double>()[pair];
  });
  gdt_.add(columns);
}

void TileFeatures::add_mean(backbone::PanelPass& pass) {
  std::vector<double> values;
  values.reserve(pert_.size());
  const at::Tensor baseline = pass.baseline().unsqueeze(0);
  in_calls(states([](std::int64_t) { return 0.0; }), [&](const State* batch, std::int64_t n) {
    const at::Tensor without = pass.respond(positions(job_, batch, n), at::zeros({n}, at::kDouble));
    const at::Tensor rows = checked(job_, baseline - without, batch, "mean of the cells");
    values.insert(values.end(), rows.data_ptr<double>(), rows.data_ptr<double>() + rows.numel());
  });
  pert_.add(values);
}

void TileFeatures::add_cell(backbone::PanelPass& pass, const float* cell, std::int64_t row) {
  const auto observed = states([cell](std::int64_t position) { return static_cast<double>(cell[position]); });
  std::vector<double> moments;
  moments.reserve(moments_.size());
  in_calls(observed, [&](const State* batch, std::int64_t n) {
    const at::Tensor rows =
        checked(job_, pass.tangents(positions(job_, batch, n)), batch, fmt::format("cell {}", row));
    for (std::int64_t pair = 0; pair < rows.numel(); ++pair) {
      const double slope = rows.data_ptr<double>()[pair];
      const double value = batch[pair / job_.gene_count()].value;
      moments.insert(moments.end(), {slope, std::abs(slope), slope * slope, slope * value});
    }
  });
  moments_.add(moments);
}

std::map<std::string, std::vector<float>> TileFeatures::reduce(const comm::Communicator& comm, int owner) {
  std::map<std::string, std::vector<float>> features;
  const auto put = [&](const std::string& name, RowMean& feature) {
    RowMean::Result result = feature.reduce(comm, owner);
    features[name] = std::move(result.mean);
    if (!result.deviation.empty()) features[name + "_sd"] = std::move(result.deviation);
  };
  if (job_.vvp) put("vvp", vvp_);
  if (job_.gdt) put("gdt", gdt_);
  if (job_.attn) put("attn", attn_);
  if (job_.pert) put("pert", pert_);
  if (job_.osg) features["osg"] = observed_features(moments_.reduce_to(comm, owner), job_.cells->count());
  if (comm.rank() != owner) features.clear();
  return features;
}

}  // namespace regulus::probe
