#pragma once

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "regulus/backbone/backbone.h"
#include "regulus/probe/tile_panel.h"

namespace regulus::probe {

/// One state: the panel's background with one source at one value.
struct State {
  std::int64_t source = 0;  ///< number of the source in its tile
  double value = 0.0;
};

/// Some sources of a tile.
struct SourceRange {
  std::int64_t begin = 0, end = 0;
};

/// Opens a tile's panel, <cls> included, over its values [L].
std::unique_ptr<backbone::PanelPass> open_panel(const backbone::Backbone& model, const ProbeJob& job,
                                                const TilePanel& panel, const std::vector<float>& values);

/// States in one call of the model: a number of its own, so that calls, and with them the bits, never depend
/// on the ranks; enough for all threads of a rank, and an answer of few MiB.
constexpr std::int64_t kStatesPerCall = 256;

/// Calls run(first state, number of states) for one call of the model after the other.
template <typename Run>
void in_calls(const std::vector<State>& states, Run run) {
  const auto total = static_cast<std::int64_t>(states.size());
  for (std::int64_t begin = 0; begin < total; begin += kStatesPerCall)
    run(states.data() + begin, std::min(kStatesPerCall, total - begin));
}

/// What the states of one tile have in common.
class TileStates {
 public:
  TileStates(const ProbeJob& job, const TilePanel& panel) : job_(job), panel_(panel) {}

  /// Positions of the states' sources in the panel as the model sees it. \return [n] int64
  at::Tensor positions(const State* states, std::int64_t count) const;

  /// A model's responses as doubles. \param response [n, targets] \return the same, contiguous \param states
  /// the n states, for the error \param what the rows' name ("background 3"), for the error
  /// \throws ModelError if one is not finite, naming the source
  at::Tensor checked(const at::Tensor& response, const State* states, const std::string& what) const;

 private:
  [[noreturn]] void not_finite(const State& state, const std::string& what) const;

  const ProbeJob& job_;
  const TilePanel& panel_;
};

}  // namespace regulus::probe
