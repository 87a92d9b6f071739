#include "divided_pass.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "regulus/core/error.h"
#include "regulus/core/log.h"
#include "torch_compat.h"

namespace regulus::backbone {

namespace {

/// Whether the work fitted into memory. What it held is free again when this returns.
bool fits(const std::function<void()>& work) {
  try {
    work();
    return true;
  } catch (const std::exception& failure) {
    if (!is_out_of_memory(failure)) throw;
    return false;
  }
}

class DividedPass final : public PanelPass {
 public:
  DividedPass(std::unique_ptr<PanelPass> pass, std::shared_ptr<BatchLimit> limit, std::int64_t most_states)
      : pass_(std::move(pass)), limit_(std::move(limit)), most_states_(most_states) {}

  at::Tensor baseline() override { return pass_->baseline(); }

  at::Tensor respond(const at::Tensor& sources, const at::Tensor& values) override {
    return rows(sources, [&](std::int64_t first, std::int64_t count) {
      return pass_->respond(sources.narrow(0, first, count), values.narrow(0, first, count));
    });
  }

  DualResponse respond_dual(const at::Tensor& sources, const at::Tensor& values) override {
    std::vector<at::Tensor> primal, tangent;
    limit_->in_parts(sources.size(0), most_states_, [&](std::int64_t first, std::int64_t count) {
      const DualResponse part =
          pass_->respond_dual(sources.narrow(0, first, count), values.narrow(0, first, count));
      primal.push_back(part.primal);
      tangent.push_back(part.tangent);
    });
    return {at::cat(primal), at::cat(tangent)};
  }

  at::Tensor tangents(const at::Tensor& sources) override {
    return rows(sources, [&](std::int64_t first, std::int64_t count) {
      return pass_->tangents(sources.narrow(0, first, count));
    });
  }

  at::Tensor attention(const at::Tensor& sources, bool all_layers) override {
    return rows(sources, [&](std::int64_t first, std::int64_t count) {
      return pass_->attention(sources.narrow(0, first, count), all_layers);
    });
  }

 private:
  template <typename Compute>
  at::Tensor rows(const at::Tensor& sources, Compute compute) {
    std::vector<at::Tensor> parts;
    limit_->in_parts(sources.size(0), most_states_,
                     [&](std::int64_t first, std::int64_t count) { parts.push_back(compute(first, count)); });
    return at::cat(parts);
  }

  std::unique_ptr<PanelPass> pass_;
  std::shared_ptr<BatchLimit> limit_;
  std::int64_t most_states_;
};

}  // namespace

void BatchLimit::in_parts(std::int64_t states, std::int64_t most_states,
                          const std::function<void(std::int64_t, std::int64_t)>& run) {
  std::int64_t first = 0;
  do {
    const std::int64_t count = std::min({most_, most_states, states - first});
    if (fits([&] { run(first, count); }))
      first += count;
    else
      halve(count);
  } while (first < states);
}

void BatchLimit::halve(std::int64_t failed) {
  if (failed <= 1)
    throw ModelError("one state of the panel does not fit into the device's memory", "probe",
                     "use --device cpu, fewer genes, or --precision bfloat16");
  if (most_ == std::numeric_limits<std::int64_t>::max())
    log::warning("{} states do not fit into the device's memory: going on with halves", failed);
  most_ = (failed + 1) / 2;
}

std::unique_ptr<PanelPass> divide(std::unique_ptr<PanelPass> pass, std::shared_ptr<BatchLimit> limit,
                                  std::int64_t most_states) {
  return std::make_unique<DividedPass>(std::move(pass), std::move(limit), most_states);
}

}  // namespace regulus::backbone
