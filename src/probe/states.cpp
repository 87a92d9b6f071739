#include "states.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>

#include "regulus/core/error.h"

namespace regulus::probe {

namespace {

/// Positions before the panel's genes.
std::int64_t lead(const ProbeJob& job) {
  return job.cls_id ? 1 : 0;
}

}  // namespace

std::unique_ptr<backbone::PanelPass> open_panel(const backbone::Backbone& model, const ProbeJob& job,
                                                const TilePanel& panel, const std::vector<float>& values) {
  std::vector<std::int64_t> ids;
  std::vector<float> inputs;
  if (job.cls_id) {
    ids.push_back(*job.cls_id);
    inputs.push_back(static_cast<float>(job.cls_value));
  }
  for (const std::int64_t gene : panel.genes) ids.push_back(job.gene_ids[static_cast<std::size_t>(gene)]);
  inputs.insert(inputs.end(), values.begin(), values.end());
  return model.open_panel(at::tensor(ids, at::kLong), at::tensor(inputs).to(model.precision()),
                          {lead(job) + panel.first_target, panel.target_count()});
}

at::Tensor TileStates::positions(const State* states, std::int64_t count) const {
  at::Tensor result = at::empty({count}, at::kLong);
  for (std::int64_t i = 0; i < count; ++i)
    result.data_ptr<std::int64_t>()[i] =
        panel_.sources[static_cast<std::size_t>(states[i].source)] + lead(job_);
  return result;
}

at::Tensor TileStates::checked(const at::Tensor& response, const State* states,
                               const std::string& what) const {
  at::Tensor columns = response.to(at::kDouble).contiguous();
  const at::Tensor finite = at::isfinite(columns).all(1);
  for (std::int64_t i = 0; i < finite.size(0); ++i)
    if (!finite.data_ptr<bool>()[i]) not_finite(states[i], what);
  return columns;
}

void TileStates::not_finite(const State& state, const std::string& what) const {
  const std::int64_t place = panel_.sources[static_cast<std::size_t>(state.source)];
  const std::string& gene =
      job_.genes[static_cast<std::size_t>(panel_.genes[static_cast<std::size_t>(place)])];
  throw ModelError(fmt::format("the model's response to {} = {} is not finite ({})", gene, state.value, what),
                   "probe", "check the checkpoint and the range of the input values");
}

}  // namespace regulus::probe
