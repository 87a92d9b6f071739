#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>

#include "regulus/data/vocabulary.h"

namespace regulus::backbone {

/// Predictions and their derivative with respect to one source's value, for a batch of states.
struct DualResponse {
  at::Tensor primal;   ///< [B, L] 𝓜(state)_j
  at::Tensor tangent;  ///< [B, L] ∂𝓜(state)_j / ∂v_source
};

/// One panel of L genes over one background: what every probe asks a model for. A *state* is the background
/// with the value of one source replaced. Positions count from 0 in the panel as opened; no member
/// communicates.
class PanelPass {
 public:
  PanelPass() = default;
  PanelPass(const PanelPass&) = delete;
  PanelPass& operator=(const PanelPass&) = delete;
  virtual ~PanelPass() = default;

  /// \return [L] 𝓜(background)
  virtual at::Tensor baseline() = 0;

  /// Forward pass of the states: background with position sources[b] set to values[b].
  /// \param sources [B] int64 positions \param values [B], converted to the model's precision \return [B, L]
  virtual at::Tensor respond(const at::Tensor& sources, const at::Tensor& values) = 0;

  /// Dual pass of the same states: predictions and their derivative with respect to the replaced value.
  virtual DualResponse respond_dual(const at::Tensor& sources, const at::Tensor& values) = 0;

  /// Derivatives at the background itself: one primal serves all sources. \return [B, L]
  virtual at::Tensor tangents(const at::Tensor& sources) = 0;
};

/// A frozen single-cell foundation model, as the probes see it.
class Backbone {
 public:
  Backbone() = default;
  Backbone(const Backbone&) = delete;
  Backbone& operator=(const Backbone&) = delete;
  virtual ~Backbone() = default;

  virtual const data::Vocabulary& vocabulary() const = 0;
  virtual at::ScalarType precision() const = 0;
  /// Largest input value of training, 0 if unknown.
  virtual double value_max() const = 0;
  /// Longest panel that the model was trained with.
  virtual std::int64_t max_panel() const = 0;

  /// The model's own embeddings of tokens, as its table holds them. \param gene_ids [n] int64 \return [n, d]
  virtual at::Tensor embeddings(const at::Tensor& gene_ids) const = 0;

  /// \param gene_ids [L] int64 \param background [L] values in precision()
  virtual std::unique_ptr<PanelPass> open_panel(const at::Tensor& gene_ids,
                                                const at::Tensor& background) const = 0;
};

}  // namespace regulus::backbone
