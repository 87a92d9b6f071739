#include "grid_responses.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>

namespace regulus::probe {

namespace {

at::Tensor values_of(const State* states, std::int64_t n) {
  at::Tensor result = at::empty({n}, at::kDouble);
  for (std::int64_t i = 0; i < n; ++i) result.data_ptr<double>()[i] = states[i].value;
  return result;
}

}  // namespace

GridResponses::GridResponses(const ProbeJob& job, const TilePanel& panel, SourceRange sources)
    : job_(job), panel_(panel), sources_(sources), tile_(job, panel) {
  merge_grids();
  const auto pairs = static_cast<std::size_t>((sources.end - sources.begin) * panel.target_count());
  if (job.vvp) vvp_.resize(pairs * job.perturbation_grid.size());
  if (job.gdt_on_backgrounds()) gdt_.resize(pairs * job.gradient_grid.size());
}

GridResponses::GridValue& GridResponses::grid_value(double value) {
  const auto found =
      std::find_if(grid_.begin(), grid_.end(), [&](const GridValue& v) { return v.value == value; });
  return found != grid_.end() ? *found : grid_.emplace_back(GridValue{value, {}, {}});
}

void GridResponses::merge_grids() {
  for (std::size_t m = 0; job_.vvp && m < job_.perturbation_grid.size(); ++m)
    grid_value(job_.perturbation_grid[m]).vvp_columns.push_back(m);
  for (std::size_t t = 0; job_.gdt_on_backgrounds() && t < job_.gradient_grid.size(); ++t)
    grid_value(job_.gradient_grid[t]).gdt_columns.push_back(t);
}

void GridResponses::compute(backbone::PanelPass& pass, const std::vector<float>& values, std::int64_t row) {
  what_ = fmt::format("background {}", row);
  std::vector<State> dual;
  std::vector<State> forward;
  for (std::int64_t s = sources_.begin; s < sources_.end; ++s)
    for (const GridValue& value : grid_)
      (value.gdt_columns.empty() ? forward : dual).push_back({s, value.value});
  in_calls(dual, [&](const State* states, std::int64_t n) { run_dual(pass, states, n); });
  in_calls(forward, [&](const State* states, std::int64_t n) { run_forward(pass, states, n); });
  if (job_.vvp) subtract_reference(pass, values);
}

void GridResponses::run_dual(backbone::PanelPass& pass, const State* states, std::int64_t n) {
  const auto response = pass.respond_dual(tile_.positions(states, n), values_of(states, n));
  if (job_.vvp) scatter(tile_.checked(response.primal, states, what_), states, &GridValue::vvp_columns, vvp_);
  scatter(tile_.checked(response.tangent, states, what_), states, &GridValue::gdt_columns, gdt_);
}

void GridResponses::run_forward(backbone::PanelPass& pass, const State* states, std::int64_t n) {
  const at::Tensor response = pass.respond(tile_.positions(states, n), values_of(states, n));
  scatter(tile_.checked(response, states, what_), states, &GridValue::vvp_columns, vvp_);
}

std::size_t GridResponses::offset(const State& state, std::size_t width) const {
  return static_cast<std::size_t>((state.source - sources_.begin) * panel_.target_count()) * width;
}

void GridResponses::scatter(const at::Tensor& rows, const State* states, Columns columns,
                            std::vector<double>& out) const {
  const auto targets = static_cast<std::size_t>(panel_.target_count());
  const std::size_t width =
      out.size() / static_cast<std::size_t>((sources_.end - sources_.begin) * panel_.target_count());
  for (std::int64_t i = 0; i < rows.size(0); ++i) {
    const double* row = rows.data_ptr<double>() + i * panel_.target_count();
    const auto value = std::find_if(grid_.begin(), grid_.end(),
                                    [&](const GridValue& v) { return v.value == states[i].value; });
    for (const std::size_t column : (*value).*columns)
      for (std::size_t j = 0; j < targets; ++j) out[offset(states[i], width) + j * width + column] = row[j];
  }
}

bool GridResponses::is_at_v_b(const State& state, const std::vector<float>& background) const {
  const std::int64_t place = panel_.sources[static_cast<std::size_t>(state.source)];
  return static_cast<double>(background[static_cast<std::size_t>(place)]) == job_.v_b;
}

void GridResponses::subtract_reference(backbone::PanelPass& pass, const std::vector<float>& background) {
  std::vector<State> states;
  for (std::int64_t s = sources_.begin; s < sources_.end; ++s) states.push_back({s, job_.v_b});
  const at::Tensor baseline = pass.baseline().unsqueeze(0);
  in_calls(states, [&](const State* batch, std::int64_t n) {
    const bool at_baseline =
        std::all_of(batch, batch + n, [&](const State& state) { return is_at_v_b(state, background); });
    const at::Tensor response = at_baseline ? baseline.expand({n, baseline.size(1)})
                                            : pass.respond(tile_.positions(batch, n), values_of(batch, n));
    subtract(tile_.checked(response, batch, what_), batch);
  });
}

void GridResponses::subtract(const at::Tensor& rows, const State* states) {
  const std::size_t width = job_.perturbation_grid.size();
  for (std::int64_t i = 0; i < rows.size(0); ++i) {
    double* out = vvp_.data() + offset(states[i], width);
    const double* row = rows.data_ptr<double>() + i * panel_.target_count();
    for (std::int64_t j = 0; j < panel_.target_count(); ++j)
      for (std::size_t m = 0; m < width; ++m) *out++ -= row[j];
  }
}

}  // namespace regulus::probe
