#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>

#include "regulus/backbone/transformer.h"
#include "regulus/backbone/work.h"

namespace regulus::benchmark {

/// Sizes of a random model and of its panel; every gene is a target.
struct Shape {
  std::int64_t width = 64;
  std::int64_t heads = 4;
  std::int64_t hidden = 64;
  std::int64_t layers = 4;
  std::int64_t length = 512;
  std::uint64_t seed = 1;

  backbone::PassShape pass() const { return {width, hidden, heads, layers, length, length}; }
};

/// What is asked of the engine.
enum class Probe {
  Dual,     ///< VVP and GDT: respond_dual()
  Tangents  ///< OSG: tangents()
};

/// Some states of a panel.
struct States {
  at::Tensor sources;  ///< [B] int64
  at::Tensor values;   ///< [B]; for Probe::Tangents the sources are at the background
};

/// A random model of scGPT's architecture whose vocabulary is the panel.
backbone::Model random_model(const Shape& shape);

/// The engine that runs it. \param precision "float32" or another that the engine has
/// \throws OptionError on an unknown precision
std::unique_ptr<backbone::Backbone> open_engine(const backbone::Model& model, const std::string& precision);

at::Tensor panel_genes(const Shape& shape);  ///< [L] int64

/// [L] float32: values as in a cell, half of them zero
at::Tensor panel_background(const Shape& shape);

/// `sources` genes, evenly spaced over the panel, each at `grid` values.
States grid_states(const Shape& shape, std::int64_t sources, std::int64_t grid);

/// Runs some states in one pass. \return [B, L] ∂𝓜(state)_j / ∂v_source
at::Tensor run(backbone::PanelPass& pass, Probe probe, const States& states);

/// Necessary work of one state.
double flops_per_state(const Shape& shape, Probe probe);

}  // namespace regulus::benchmark
