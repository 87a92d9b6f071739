#include "regulus/probe/tile_features.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "embedding_sums.h"
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

/// Features of a pair, over all that is averaged over rows.
struct Widths {
  explicit Widths(const ProbeJob& job)
      : vvp(job.vvp ? job.perturbation_grid.size() : 0),
        gdt(job.gdt ? job.gradient_grid.size() : 0),
        attn(job.attn ? static_cast<std::size_t>(job.attention_width) : 0),
        pert(job.pert ? 1 : 0),
        moments(job.osg ? kMoments : 0) {}

  std::size_t vvp, gdt, attn, pert, moments;
};

std::size_t pairs(const storage::TileBlock& block) {
  return static_cast<std::size_t>(block.pairs());
}

}  // namespace

TileFeatures::TileFeatures(const ProbeJob& job, std::int64_t tile)
    : job_(job),
      panel_(panel_of(job, tile)),
      vvp_(pairs(panel_.block) * Widths(job).vvp, job.backgrounds->count(), job.spread),
      gdt_(pairs(panel_.block) * Widths(job).gdt, job.uniform ? 1 : job.backgrounds->count(),
           job.spread && !job.uniform),
      attn_(pairs(panel_.block) * Widths(job).attn, job.backgrounds->count(), job.spread),
      pert_(pairs(panel_.block) * Widths(job).pert, 1, false),
      moments_(exact_sum(pairs(panel_.block) * Widths(job).moments, job.cells->count())) {}

std::size_t TileFeatures::bytes(const ProbeJob& job, const storage::TileBlock& block) {
  const Widths width(job);
  const std::size_t spread = job.spread ? 2 : 1;
  return pairs(block) * sizeof(std::int64_t) *
         (spread * (width.vvp + width.gdt + width.attn) + width.pert + width.moments);
}

void TileFeatures::add(const backbone::Backbone& model, const TilePart& part) {
  const auto for_each_row = [&](const ValueRows& rows, auto use) {
    const std::vector<float> all = rows.read(part.begin, part.end);
    for (std::int64_t row = part.begin; row < part.end; ++row) {
      const std::vector<float> values =
          values_of_panel(panel_, all.data() + (row - part.begin) * job_.gene_count());
      use(*open_panel(model, job_, panel_, values), values, row);
    }
  };
  switch (part.kind) {
    case TilePart::Kind::Backgrounds:
      if (part.source_count(panel_.source_count()) == 0) return;
      for_each_row(*job_.backgrounds, [&](auto& pass, const std::vector<float>& values, std::int64_t row) {
        const std::int64_t end = std::min(part.source_end, panel_.source_count());
        for (std::int64_t s = part.source_begin; s < end; s += job_.sources_per_part)
          add_background(pass, values, row, {s, std::min(s + job_.sources_per_part, end)});
      });
      break;
    case TilePart::Kind::Trajectory:
      for (std::int64_t t = part.begin; t < part.end; ++t) add_uniform(model, t);
      break;
    case TilePart::Kind::Cells:
      for_each_row(*job_.cells, [this](auto& pass, const std::vector<float>& values, std::int64_t row) {
        add_cell(pass, values, row);
      });
      break;
    case TilePart::Kind::Mean:
      add_mean(*open_panel(model, job_, panel_, values_of_panel(panel_, job_.mean.data())));
      break;
  }
}

template <typename ValueAt>
std::vector<State> TileFeatures::states(SourceRange sources, ValueAt value_at) const {
  std::vector<State> result;
  for (std::int64_t s = sources.begin; s < sources.end; ++s)
    result.push_back({s, value_at(static_cast<std::size_t>(panel_.sources[static_cast<std::size_t>(s)]))});
  return result;
}

SourceRange TileFeatures::all_sources() const {
  return {0, panel_.source_count()};
}

void TileFeatures::add_background(backbone::PanelPass& pass, const std::vector<float>& values,
                                  std::int64_t row, SourceRange sources) {
  const auto pairs = static_cast<std::size_t>(sources.begin * panel_.target_count());
  if (job_.vvp || job_.gdt_on_backgrounds()) {
    GridResponses responses(job_, panel_, sources);
    responses.compute(pass, values, row);
    if (job_.vvp) vvp_.add(responses.vvp(), pairs * job_.perturbation_grid.size());
    if (job_.gdt_on_backgrounds()) gdt_.add(responses.gdt(), pairs * job_.gradient_grid.size());
  }
  if (job_.attn) add_attention(pass, row, sources);
}

void TileFeatures::add_attention(backbone::PanelPass& pass, std::int64_t row, SourceRange sources) {
  const TileStates tile(job_, panel_);
  std::vector<double> values;
  in_calls(states(sources, [](std::size_t) { return 0.0; }), [&](const State* batch, std::int64_t n) {
    const at::Tensor columns = pass.attention(tile.positions(batch, n), job_.attention_width > 1);
    std::vector<at::Tensor> layers;
    for (std::int64_t k = 0; k < job_.attention_width; ++k)
      layers.push_back(tile.checked(columns.select(-1, k), batch, fmt::format("background {}", row)));
    for (std::int64_t pair = 0; pair < n * panel_.target_count(); ++pair)
      for (const at::Tensor& layer : layers) values.push_back(layer.data_ptr<double>()[pair]);
  });
  attn_.add(values, static_cast<std::size_t>(sources.begin * panel_.target_count() * job_.attention_width));
}

void TileFeatures::add_uniform(const backbone::Backbone& model, std::int64_t grid_index) {
  const double value = job_.gradient_grid[static_cast<std::size_t>(grid_index)];
  const std::vector<float> uniform(panel_.genes.size(), static_cast<float>(value));
  const auto pass = open_panel(model, job_, panel_, uniform);
  const TileStates tile(job_, panel_);
  const std::string what = fmt::format("every gene at {}", value);
  const std::size_t width = job_.gradient_grid.size();
  std::vector<double> columns(gdt_.size(), 0.0);
  std::size_t next = static_cast<std::size_t>(grid_index);
  in_calls(states(all_sources(), [value](std::size_t) { return value; }),
           [&](const State* batch, std::int64_t n) {
             const at::Tensor rows = tile.checked(pass->tangents(tile.positions(batch, n)), batch, what);
             for (std::int64_t pair = 0; pair < rows.numel(); ++pair, next += width)
               columns[next] = rows.data_ptr<double>()[pair];
           });
  gdt_.add(columns);
}

void TileFeatures::add_mean(backbone::PanelPass& pass) {
  const TileStates tile(job_, panel_);
  std::vector<double> values;
  values.reserve(pert_.size());
  const at::Tensor baseline = pass.baseline().unsqueeze(0);
  in_calls(states(all_sources(), [](std::size_t) { return 0.0; }), [&](const State* batch, std::int64_t n) {
    const at::Tensor without = pass.respond(tile.positions(batch, n), at::zeros({n}, at::kDouble));
    const at::Tensor rows = tile.checked(baseline - without, batch, "mean of the cells");
    values.insert(values.end(), rows.data_ptr<double>(), rows.data_ptr<double>() + rows.numel());
  });
  pert_.add(values);
}

void TileFeatures::add_cell(backbone::PanelPass& pass, const std::vector<float>& cell, std::int64_t row) {
  const auto observed =
      states(all_sources(), [&cell](std::size_t place) { return static_cast<double>(cell[place]); });
  const TileStates tile(job_, panel_);
  std::vector<double> moments;
  moments.reserve(moments_.size());
  in_calls(observed, [&](const State* batch, std::int64_t n) {
    const at::Tensor rows =
        tile.checked(pass.tangents(tile.positions(batch, n)), batch, fmt::format("cell {}", row));
    for (std::int64_t pair = 0; pair < rows.numel(); ++pair) {
      const double slope = rows.data_ptr<double>()[pair];
      const double value = batch[pair / panel_.target_count()].value;
      moments.insert(moments.end(), {slope, std::abs(slope), slope * slope, slope * value});
    }
  });
  moments_.add(moments);
}

void TileFeatures::send(comm::PendingSends& sends, int to) const {
  for (const RowMean* feature : {&vvp_, &gdt_, &attn_, &pert_}) feature->send(sends, to);
  moments_.send(sends, to);
}

void TileFeatures::receive(const comm::Communicator& comm, int from) {
  for (RowMean* feature : {&vvp_, &gdt_, &attn_, &pert_}) feature->receive(comm, from);
  moments_.receive(comm, from);
}

std::map<std::string, std::vector<float>> TileFeatures::features(const backbone::Backbone& model) const {
  std::map<std::string, std::vector<float>> features;
  const auto put = [&](const std::string& name, const RowMean& feature) {
    RowMean::Result result = feature.result();
    features[name] = std::move(result.mean);
    if (!result.deviation.empty()) features[name + "_sd"] = std::move(result.deviation);
  };
  if (job_.vvp) put("vvp", vvp_);
  if (job_.gdt) put("gdt", gdt_);
  if (job_.attn) put("attn", attn_);
  if (job_.pert) put("pert", pert_);
  if (job_.osg) features["osg"] = observed_features(moments_.totals(), job_.cells->count());
  if (job_.emb) features["emb"] = embedding_sums(model, job_, panel_.block);
  return features;
}

}  // namespace regulus::probe
