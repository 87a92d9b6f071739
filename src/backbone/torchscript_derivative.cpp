#include "torchscript_derivative.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/forward_grad.h>

#include <algorithm>

#include "regulus/core/log.h"

namespace regulus::backbone {

namespace {

/// Tokens in one pass of forward mode, and of the modes that keep every intermediate result.
constexpr std::int64_t kTokensForward = 6144;
constexpr std::int64_t kTokensRecorded = 1024;

/// One level of forward-mode AD, left on every path.
class Level {
 public:
  Level() : index_(static_cast<std::int64_t>(torch::autograd::ForwardADLevel::get_next_idx())) {}
  ~Level() { torch::autograd::ForwardADLevel::release_idx(static_cast<std::uint64_t>(index_)); }
  Level(const Level&) = delete;
  Level& operator=(const Level&) = delete;
  std::int64_t index() const { return index_; }

 private:
  std::int64_t index_;
};

struct Call {
  const ScriptModule& module;
  const ScriptPanel& panel;
};

DualResponse by_forward_mode(const Call& call, const at::Tensor& sources, const at::Tensor& values) {
  const at::NoGradGuard no_graph;
  const at::Tensor states = panel_states(call.panel, sources, values);
  const at::Tensor direction =
      at::zeros_like(states).scatter_(1, sources.unsqueeze(1), at::ones_like(values).unsqueeze(1));
  const Level level;
  const at::Tensor dual =
      predict_states(call.module, call.panel, at::_make_dual(states, direction, level.index()));
  const auto [primal, tangent] = at::_unpack_dual(dual, level.index());
  if (!tangent.defined())
    throw ModelError("forward-mode AD lost the derivative", call.module.where(), "ask for vvp, pert or emb");
  return {primal.clone(), tangent.clone()};
}

/// With g(u) = Jᵀu, linear in u, the derivative of the sum of g by u is J, at any u; not at 0, where backward
/// formulas that take the logarithm of u give NaN.
DualResponse by_two_backward(const Call& call, const at::Tensor& sources, const at::Tensor& values) {
  const at::AutoGradMode graph(true);
  const at::Tensor leaf = values.detach().clone().requires_grad_();
  const at::Tensor primal = predict_states(call.module, call.panel, panel_states(call.panel, sources, leaf));
  const at::Tensor u = at::ones_like(primal).requires_grad_();
  const at::Tensor product = torch::autograd::grad({primal}, {leaf}, {u}, true, true)[0];
  return {primal.detach(), torch::autograd::grad({product.sum()}, {u})[0]};
}

/// d(sum over the states of target j) / d leaf, for every j. \return [leaf size, L]
at::Tensor gradients_by_target(const at::Tensor& primal, const at::Tensor& leaf) {
  const std::int64_t targets = primal.size(1);
  at::Tensor result = at::empty({leaf.size(0), targets}, leaf.options().requires_grad(false));
  for (std::int64_t j = 0; j < targets; ++j)
    result.select(1, j).copy_(torch::autograd::grad({primal.select(1, j).sum()}, {leaf}, {}, true)[0]);
  return result;
}

DualResponse by_reverse_mode(const Call& call, const at::Tensor& sources, const at::Tensor& values) {
  const at::AutoGradMode graph(true);
  const at::Tensor leaf = values.detach().clone().requires_grad_();
  const at::Tensor primal = predict_states(call.module, call.panel, panel_states(call.panel, sources, leaf));
  return {primal.detach(), gradients_by_target(primal, leaf)};
}

/// At the background all sources share the forward pass, and each backward pass serves them all.
at::Tensor tangents_by_reverse_mode(const Call& call, const at::Tensor& sources) {
  const at::AutoGradMode graph(true);
  const at::Tensor leaf = call.panel.background.detach().clone().requires_grad_();
  const at::Tensor primal = predict_states(call.module, call.panel, leaf.unsqueeze(0));
  return gradients_by_target(primal, leaf).index_select(0, sources);
}

DualResponse run(DerivativeMode mode, const Call& call, const at::Tensor& sources, const at::Tensor& values) {
  return translated("the module cannot be differentiated", call.module.where(), "ask for vvp, pert or emb",
                    [&] {
                      if (mode == DerivativeMode::Forward) return by_forward_mode(call, sources, values);
                      if (mode == DerivativeMode::TwoBackward) return by_two_backward(call, sources, values);
                      return by_reverse_mode(call, sources, values);
                    });
}

std::int64_t states_per_pass(DerivativeMode mode, std::int64_t length) {
  const std::int64_t tokens = mode == DerivativeMode::Forward ? kTokensForward : kTokensRecorded;
  return std::max<std::int64_t>(1, tokens / std::max<std::int64_t>(1, length));
}

double tolerance(at::ScalarType precision) {
  return precision == at::kDouble ? 1e-9 : 1e-3;
}

}  // namespace

at::Tensor panel_states(const ScriptPanel& panel, const at::Tensor& sources, const at::Tensor& values) {
  const at::Tensor states = panel.background.expand({sources.size(0), panel.background.size(0)});
  return states.scatter(1, sources.unsqueeze(1), values.to(panel.background.scalar_type()).unsqueeze(1));
}

at::Tensor predict_states(const ScriptModule& module, const ScriptPanel& panel, const at::Tensor& states) {
  return module.forward(panel.gene_ids.expand(states.sizes()).contiguous(), states);
}

ScriptPanel trial_panel(std::int64_t vocabulary, std::int64_t length, at::ScalarType precision) {
  return {at::arange(length, at::kLong).remainder(vocabulary),
          at::arange(length, at::TensorOptions(precision)) * 0.4 + 1.0};
}

ScriptDerivative::ScriptDerivative(std::shared_ptr<const ScriptModule> module, ScriptPanel trial)
    : module_(std::move(module)), trial_(std::move(trial)), missing_(find_missing()) {}

std::string ScriptDerivative::find_missing() const {
  const at::AutoGradMode graph(true);
  const at::Tensor values = trial_.background.unsqueeze(0).requires_grad_();
  try {
    const at::Tensor predictions = predict_states(*module_, trial_, values);
    if (!predictions.requires_grad())
      return "the module's predictions have no derivative by the values: they become discrete tokens, or are "
             "detached";
    const at::Tensor weights = at::arange(1.0, 1.0 + static_cast<double>(values.numel()), values.options());
    const at::Tensor slope =
        torch::autograd::grad({(predictions * weights).sum()}, {values}, {}, {}, false, true)[0];
    if (!slope.defined())
      return "the module's predictions have no derivative by the values: no operation leads from one to the "
             "other";
    if (slope.eq(0).all().item<bool>())
      return "the module's predictions have the derivative 0 by every value: they are rounded to tokens";
  } catch (const std::exception& failure) {
    return "the module cannot be differentiated: " + one_line(failure);
  }
  return "";
}

DualResponse ScriptDerivative::respond(const ScriptPanel& panel, const at::Tensor& sources,
                                       const at::Tensor& values) const {
  if (!missing_.empty()) throw ModelError(missing_, module_->where(), "ask for vvp, pert or emb");
  const std::int64_t step = states_per_pass(mode(), panel.background.size(0));
  std::vector<at::Tensor> primal, tangent;
  for (std::int64_t begin = 0; begin < sources.size(0); begin += step) {
    const std::int64_t count = std::min(step, sources.size(0) - begin);
    DualResponse part =
        run(mode(), {*module_, panel}, sources.narrow(0, begin, count), values.narrow(0, begin, count));
    primal.push_back(part.primal);
    tangent.push_back(part.tangent);
  }
  return {at::cat(primal), at::cat(tangent)};
}

at::Tensor ScriptDerivative::tangents(const ScriptPanel& panel, const at::Tensor& sources) const {
  if (missing_.empty() && mode() == DerivativeMode::Reverse)
    return translated("the module cannot be differentiated", module_->where(), "ask for vvp, pert or emb",
                      [&] {
                        return tangents_by_reverse_mode({*module_, panel}, sources);
                      });
  return respond(panel, sources, panel.background.index_select(0, sources)).tangent;
}

DerivativeMode ScriptDerivative::mode() const {
  if (!mode_) mode_ = choose_mode();
  return *mode_;
}

DerivativeMode ScriptDerivative::choose_mode() const {
  const std::int64_t length = trial_.background.size(0);
  const at::Tensor sources = at::arange(length, at::kLong);
  const DualResponse expected = run(DerivativeMode::Reverse, {*module_, trial_}, sources, trial_.background);
  const std::string forward = objection(DerivativeMode::Forward, sources, expected);
  if (forward.empty()) return DerivativeMode::Forward;
  const std::string backward = objection(DerivativeMode::TwoBackward, sources, expected);
  if (backward.empty()) {
    log::info("{}: derivatives take two backward passes a batch, not forward mode ({})", module_->where(),
              forward);
    return DerivativeMode::TwoBackward;
  }
  log::common_warning("{}: derivatives are slow, one backward pass per target ({}; {})", module_->where(),
                      forward, backward);
  return DerivativeMode::Reverse;
}

/// What speaks against a mode on the trial panel; empty if its numbers are those of reverse mode.
std::string ScriptDerivative::objection(DerivativeMode mode, const at::Tensor& sources,
                                        const DualResponse& expected) const {
  try {
    const DualResponse found = run(mode, {*module_, trial_}, sources, trial_.background);
    const double limit = tolerance(module_->precision()) * expected.tangent.abs().max().item<double>();
    const double error = (found.tangent - expected.tangent).abs().max().item<double>();
    return error <= limit ? "" : "its numbers differ from reverse mode's";
  } catch (const Error& failure) {
    return failure.message();
  }
}

}  // namespace regulus::backbone
