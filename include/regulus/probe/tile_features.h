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

struct SourceRange;
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

  /// Adds one part, or some of one row joined. \throws ModelError on a response that is not finite, naming
  /// gene and background \collective no
  void add(const backbone::Backbone& model, const TilePart& part);

  /// Sends what this rank holds to the tile's owner. It must stay as it is until the sends are done.
  /// \collective no
  void send(comm::PendingSends& sends, int to) const;
  /// Adds what another rank sends. \collective no
  void receive(const comm::Communicator& comm, int from);

  /// The features by name once every part was added, float32 [sources of the tile, targets, width].
  /// \throws ModelError if a sum is out of range \collective no
  std::map<std::string, std::vector<float>> features(const backbone::Backbone& model) const;

 private:
  /// A state per source, at the value that the function gives for its place in the panel.
  template <typename ValueAt>
  std::vector<State> states(SourceRange sources, ValueAt value_at) const;
  SourceRange all_sources() const;
  void add_background(backbone::PanelPass& pass, const std::vector<float>& values, std::int64_t row,
                      SourceRange sources);
  void add_attention(backbone::PanelPass& pass, std::int64_t row, SourceRange sources);
  void add_uniform(const backbone::Backbone& model, std::int64_t grid_index);
  void add_mean(backbone::PanelPass& pass);
  void add_cell(backbone::PanelPass& pass, const std::vector<float>& cell, std::int64_t row);

  const ProbeJob& job_;
  TilePanel panel_;
  RowMean vvp_, gdt_, attn_, pert_;
  comm::ExactSum moments_;
};

}  // namespace regulus::probe
