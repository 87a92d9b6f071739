#pragma once

#include <memory>
#include <optional>
#include <string>

#include "regulus/backbone/backbone.h"
#include "torchscript_module.h"

namespace regulus::backbone {

/// One panel over one background.
struct ScriptPanel {
  at::Tensor gene_ids;    ///< [L] int64
  at::Tensor background;  ///< [L], in the module's precision
};

/// The background with position sources[b] set to values[b]; differentiable by `values`. \return [B, L]
at::Tensor panel_states(const ScriptPanel& panel, const at::Tensor& sources, const at::Tensor& values);

/// The module's predictions for states of one panel. \param states [B, L] \return [B, L]
at::Tensor predict_states(const ScriptModule& module, const ScriptPanel& panel, const at::Tensor& states);

/// A panel of the first tokens with values about those of expression, the same for every model and rank.
ScriptPanel trial_panel(std::int64_t vocabulary, std::int64_t length, at::ScalarType precision);

/// How a module's derivatives are computed.
enum class DerivativeMode {
  Forward,      ///< forward-mode AD: one pass
  TwoBackward,  ///< the derivative by u of the vector-Jacobian product with u: two backward passes per batch
  Reverse       ///< one backward pass per target
};

/// Derivatives of a module's predictions by the values of sources.
class ScriptDerivative {
 public:
  /// \param trial a small panel, on which the ways of differentiating are tried
  ScriptDerivative(std::shared_ptr<const ScriptModule> module, ScriptPanel trial);

  /// Why there is no derivative; empty if there is one.
  const std::string& missing() const { return missing_; }

  /// \throws ModelError if there is no derivative
  DualResponse respond(const ScriptPanel& panel, const at::Tensor& sources, const at::Tensor& values) const;
  /// At the background. \return [B, L] \throws ModelError as respond()
  at::Tensor tangents(const ScriptPanel& panel, const at::Tensor& sources) const;

 private:
  std::string find_missing() const;
  DerivativeMode mode() const;
  DerivativeMode choose_mode() const;
  std::string objection(DerivativeMode mode, const at::Tensor& sources, const DualResponse& expected) const;

  std::shared_ptr<const ScriptModule> module_;
  ScriptPanel trial_;
  std::string missing_;
  mutable std::optional<DerivativeMode> mode_;  ///< chosen when first needed
};

}  // namespace regulus::backbone
