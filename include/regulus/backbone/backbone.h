#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <optional>
#include <string>

#include "regulus/backbone/input_convention.h"
#include "regulus/backbone/work.h"
#include "regulus/data/vocabulary.h"

namespace regulus::backbone {

/// Predictions and their derivative with respect to one source's value, for a batch of states.
struct DualResponse {
  at::Tensor primal;   ///< [B, T] 𝓜(state)_j
  at::Tensor tangent;  ///< [B, T] ∂𝓜(state)_j / ∂v_source
};

/// Positions of a panel: [first, first + count).
struct PanelRange {
  std::int64_t first = 0;
  std::int64_t count = 0;
};

/// One panel of L genes over one background: what every probe asks a model for. A *state* is the background
/// with the value of one source replaced. Positions count from 0 in the panel as opened; T of them are the
/// targets, whose predictions are returned. Memory for any number of states is that of a few; passes of one
/// backbone may be open at the same time, but one pass serves one caller. No member communicates.
class PanelPass {
 public:
  PanelPass() = default;
  PanelPass(const PanelPass&) = delete;
  PanelPass& operator=(const PanelPass&) = delete;
  virtual ~PanelPass() = default;

  /// \return [T] 𝓜(background)
  virtual at::Tensor baseline() = 0;

  /// Forward pass of the states: background with position sources[b] set to values[b].
  /// \param sources [B] int64 positions \param values [B], converted to the model's precision \return [B, T]
  virtual at::Tensor respond(const at::Tensor& sources, const at::Tensor& values) = 0;

  /// Dual pass of the same states: predictions and their derivative with respect to the replaced value.
  virtual DualResponse respond_dual(const at::Tensor& sources, const at::Tensor& values) = 0;

  /// Derivatives at the background itself: one primal serves all sources. \return [B, T]
  virtual at::Tensor tangents(const at::Tensor& sources) = 0;

  /// Attention at the background that target j pays to key sources[b], mean over heads.
  /// \param all_layers every layer, in order, instead of the last alone \return [B, T, layers]
  virtual at::Tensor attention(const at::Tensor& sources, bool all_layers) = 0;
};

/// A frozen single-cell foundation model, as the probes see it.
class Backbone {
 public:
  Backbone() = default;
  Backbone(const Backbone&) = delete;
  Backbone& operator=(const Backbone&) = delete;
  virtual ~Backbone() = default;

  virtual const data::Vocabulary& vocabulary() const = 0;
  /// Type of values and responses.
  virtual at::ScalarType precision() const = 0;
  virtual const InputConvention& input() const = 0;
  /// SHA-256 of the file with the weights.
  virtual const std::string& checkpoint_sha256() const = 0;

  /// Why the prediction has no derivative by the values (they are discrete tokens …); empty if it has one.
  virtual std::string no_derivative() const = 0;
  /// Layers whose attention can be seen; 0 if none.
  virtual std::int64_t attention_layers() const = 0;
  /// d of embeddings(); 0 if the model does not show them.
  virtual std::int64_t embedding_width() const = 0;

  /// What the work of a pass depends on, without length and targets, which are the panel's; nothing if the
  /// model does not say.
  virtual std::optional<PassShape> pass_shape() const = 0;
  /// Memory that closed passes left for the next ones; 0 where passes keep none.
  virtual std::size_t workspace_bytes() const = 0;

  /// The model's own embeddings of tokens, as its table holds them. \param gene_ids [n] int64 \return [n, d]
  virtual at::Tensor embeddings(const at::Tensor& gene_ids) const = 0;

  /// \param gene_ids [L] int64 \param background [L] values in precision() \param targets positions whose
  /// predictions are wanted; fewer cost less
  virtual std::unique_ptr<PanelPass> open_panel(const at::Tensor& gene_ids, const at::Tensor& background,
                                                const PanelRange& targets) const = 0;

  /// With every position a target.
  std::unique_ptr<PanelPass> open_panel(const at::Tensor& gene_ids, const at::Tensor& background) const {
    return open_panel(gene_ids, background, {0, gene_ids.size(0)});
  }
};

}  // namespace regulus::backbone
