#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "regulus/backbone/backbone.h"
#include "regulus/comm/communicator.h"
#include "regulus/comm/exact_sum.h"
#include "regulus/probe/probe_job.h"
#include "regulus/probe/row_mean.h"
#include "regulus/probe/tile_panel.h"
#include "regulus/probe/tile_part.h"

namespace regulus::probe {

struct State;

/// Features of one tile, summed over backgrounds and cells in any order and on any ranks with the same bits.
/// The responses are \see DESIGN: VVP, GDT, Pert and Attn of arXiv 2605.08128, and OSG.
class TileFeatures {
 public:
  TileFeatures(const ProbeJob& job, std::int64_t tile);
  TileFeatures(const TileFeatures&) = delete;
  TileFeatures& operator=(const TileFeatures&) = delete;

  /// Bytes that the sums of a tile of this size take.
  static std::size_t bytes(const ProbeJob& job, const storage::TileBlock& block);

  /// Adds one part. \throws ModelError on a response that is not finite, naming gene and background
  /// \collective no
  void add(const backbone::Backbone& model, const TilePart& part);

  /// Adds what other ranks hold of this tile to the owner's. \param ranks those that hold some of it, the
  /// owner included \collective yes, over these ranks alone
  void gather(const comm::Communicator& comm, const std::vector<int>& ranks, int owner);

  /// The features by name once every part was added, float32 [sources of the tile, targets, width].
  /// \throws ModelError if a sum is out of range \collective no
  std::map<std::string, std::vector<float>> features(const backbone::Backbone& model) const;

 private:
  /// A state per source of the tile, at the value that the function gives for its place in the panel.
  template <typename ValueAt>
  std::vector<State> states(ValueAt value_at) const;
  void add_background(backbone::PanelPass& pass, const std::vector<float>& values, std::int64_t row);
  void add_attention(backbone::PanelPass& pass, std::int64_t row);
  void add_uniform(const backbone::Backbone& model, std::int64_t grid_index);
  void add_mean(backbone::PanelPass& pass);
  void add_cell(backbone::PanelPass& pass, const std::vector<float>& cell, std::int64_t row);

  const ProbeJob& job_;
  TilePanel panel_;
  RowMean vvp_, gdt_, attn_, pert_;
  comm::ExactSum moments_;
};

}  // namespace regulus::probe
