#include "states.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>

#include "regulus/core/error.h"

namespace regulus::probe {

namespace {

std::int64_t lead(const ProbeJob& job) {
  return job.cls_id ? 1 : 0;
}

[[noreturn]] void not_finite(const ProbeJob& job, const State& state, const std::string& what) {
  const std::string& gene =
      job.genes[static_cast<std::size_t>(job.sources[static_cast<std::size_t>(state.source)])];
  throw ModelError(fmt::format("the model's response to {} = {} is not finite ({})", gene, state.value, what),
                   "probe", "check the checkpoint and the range of the input values");
}

}  // namespace

std::unique_ptr<backbone::PanelPass> open_panel(const backbone::Backbone& model, const ProbeJob& job,
                                                const float* row) {
  const std::int64_t length = job.gene_count() + lead(job);
  at::Tensor ids = at::empty({length}, at::kLong);
  at::Tensor values = at::empty({length}, at::kFloat);
  if (job.cls_id) {
    ids[0] = *job.cls_id;
    values[0] = job.cls_value;
  }
  std::copy(job.gene_ids.begin(), job.gene_ids.end(), ids.data_ptr<std::int64_t>() + lead(job));
  std::copy(row, row + job.gene_count(), values.data_ptr<float>() + lead(job));
  return model.open_panel(ids, values.to(model.precision()), {lead(job), job.gene_count()});
}

at::Tensor positions(const ProbeJob& job, const State* states, std::int64_t count) {
  at::Tensor result = at::empty({count}, at::kLong);
  for (std::int64_t i = 0; i < count; ++i)
    result.data_ptr<std::int64_t>()[i] = job.sources[static_cast<std::size_t>(states[i].source)] + lead(job);
  return result;
}

at::Tensor checked(const ProbeJob& job, const at::Tensor& response, const State* states,
                   const std::string& what) {
  at::Tensor columns = response.to(at::kDouble).contiguous();
  const at::Tensor finite = at::isfinite(columns).all(1);
  for (std::int64_t i = 0; i < finite.size(0); ++i)
    if (!finite.data_ptr<bool>()[i]) not_finite(job, states[i], what);
  return columns;
}

}  // namespace regulus::probe
