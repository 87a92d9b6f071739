#include "columns.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "regulus/storage/text_file.h"

namespace regulus::benchmark {

namespace {

struct Timed {
  at::Tensor columns;
  double seconds_per_column = std::numeric_limits<double>::infinity();
};

Timed time_probe(backbone::PanelPass& pass, Probe probe, const States& states, const Columns& columns) {
  Timed timed;
  const auto count = static_cast<double>(states.sources.size(0));
  const double start = now_s(columns.clock);
  do {
    const double begin = now_s(columns.clock);
    timed.columns = run(pass, probe, states);
    timed.seconds_per_column = std::min(timed.seconds_per_column, (now_s(columns.clock) - begin) / count);
  } while (now_s(columns.clock) - start < columns.seconds);
  return timed;
}

nlohmann::json to_json(const at::Tensor& tensor) {
  if (tensor.dim() > 1) {
    nlohmann::json rows = nlohmann::json::array();
    for (const at::Tensor& row : tensor.unbind()) rows.push_back(to_json(row));
    return rows;
  }
  const at::Tensor values = tensor.to(at::kDouble).contiguous();
  return std::vector<double>(values.data_ptr<double>(), values.data_ptr<double>() + values.numel());
}

}  // namespace

nlohmann::json time_columns(const Columns& columns) {
  const Shape& shape = columns.shape;
  const backbone::Model model = random_model(shape);
  backbone::save_model(columns.folder, model.config, model.vocabulary, model.weights, {});
  const auto engine = open_engine(model, columns.precision);
  const at::Tensor background = panel_background(shape);
  States states = grid_states(shape, columns.count, 1);
  states.values = at::linspace(1.0, 8.0, columns.count, at::kFloat);

  const auto pass = engine->open_panel(panel_genes(shape), background.to(engine->precision()));
  for (const Probe probe : {Probe::Dual, Probe::Tangents}) run(*pass, probe, grid_states(shape, 1, 1));
  const Timed dual = time_probe(*pass, Probe::Dual, states, columns);
  const Timed tangents = time_probe(*pass, Probe::Tangents, states, columns);

  const nlohmann::json panel = {
      {"gene_ids", to_json(panel_genes(shape))}, {"background", to_json(background)},
      {"sources", to_json(states.sources)},      {"values", to_json(states.values)},
      {"vvp+gdt", to_json(dual.columns)},        {"osg", to_json(tangents.columns)}};
  storage::write_text_atomically(columns.folder / "panel.json", panel.dump());
  return {{"vvp+gdt", dual.seconds_per_column}, {"osg", tangents.seconds_per_column}};
}

}  // namespace regulus::benchmark
