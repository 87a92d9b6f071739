#pragma once

#include <cstdint>

namespace regulus::backbone {

/// What the cost of a pass through a scGPT-style transformer depends on.
struct PassShape {
  std::int64_t width = 0;    ///< d
  std::int64_t hidden = 0;   ///< of the feed-forward block
  std::int64_t heads = 1;    ///< divides width; the work does not depend on it
  std::int64_t layers = 0;   ///< N
  std::int64_t length = 0;   ///< L, positions of the panel
  std::int64_t targets = 0;  ///< wanted positions, at most L: the queries of the last layer
};

/// The *necessary* work of a pass with the expression decoder, in floating point operations: a multiply-add
/// is two, and only matrix products count (softmax, norms and activations do not, nor does what a pass shares
/// with others). In units of the forward pass, a dual pass costs 2 in the linear layers and 3 in attention;
/// the tangent alone, around a primal that is there, 1 and 2. The states of a panel share their first layer:
/// what is left of it is the output projection and the feed-forward block. The last layer asks for the
/// targets alone, but of all keys and values. \see DESIGN: The idea that makes it fast

/// A whole pass that shares nothing: the background of a panel.
double primal_flops(const PassShape& shape);

/// The forward pass of one state, first layer shared: PanelPass::respond().
double forward_pass_flops(const PassShape& shape);

/// The dual pass of one state, first layer shared: PanelPass::respond_dual().
double dual_pass_flops(const PassShape& shape);

/// The tangents of one source around the background's primal: PanelPass::tangents().
double tangent_pass_flops(const PassShape& shape);

/// Memory that the CPU engine keeps for passes of this shape, in bytes, within about a third: what is
/// recorded of one background, and the batches of every thread. \see docs/engine.md, Memory
double engine_workspace_bytes(const PassShape& shape, int threads);

}  // namespace regulus::backbone
