// Edges of all sources in one descending order; private to the module.
#pragma once

#include <cstdint>
#include <queue>
#include <vector>

#include "regulus/storage/edge_store.h"

namespace regulus::report {

/// One edge; the optional columns are 0 where the file has none.
struct Edge {
  std::int32_t source = 0, target = 0;  ///< indices in the header's lists
  float score = 0.0F;
  float spread = 0.0F, false_discovery = 0.0F;
};

/// Which edges of every source count: the best `top_k` with at least this score. Of equal scores those with
/// the lower target index are the better ones.
struct EdgeLimits {
  std::int64_t top_k = 0;
  float threshold = 0.0F;
};

/// Reads one source's edges, best first, a piece at a time.
class EdgeCursor {
 public:
  /// \param store must outlive the cursor
  EdgeCursor(const storage::EdgeStore& store, std::int64_t source, const EdgeLimits& limits,
             std::int64_t piece);

  bool at_end() const { return at_end_; }
  float score() const { return rows_.score[position_]; }  ///< of the next edge

  /// Takes all next edges of equal score, by target; fewer if `top_k` ends among them.
  void take_ties(std::vector<Edge>& ties);

 private:
  void advance();
  void settle();

  const storage::EdgeStore* store_;
  std::int64_t source_;
  EdgeLimits limits_;
  std::int64_t piece_;
  std::int64_t taken_ = 0;
  std::int64_t read_ = 0;
  std::size_t position_ = 0;
  storage::EdgeRows rows_;
  bool at_end_ = false;
};

/// Merges the sources: edges by descending score, then by source, then by target.
class EdgeMerge {
 public:
  /// Edges that all cursors together hold in memory, some 64 MiB.
  static constexpr std::int64_t kBuffered_edges = std::int64_t{1} << 22U;

  EdgeMerge(const storage::EdgeStore& store, const EdgeLimits& limits,
            std::int64_t buffered_edges = kBuffered_edges);

  /// The next edge; false when there is none. \throws InputError if the file is damaged
  bool next(Edge& edge);

 private:
  struct Head {
    float score;
    std::int32_t source;
    bool operator<(const Head& other) const {
      return score != other.score ? score < other.score : source > other.source;
    }
  };
  void push(std::int32_t source);

  std::vector<EdgeCursor> cursors_;
  std::priority_queue<Head> heads_;
  std::vector<Edge> ties_;
  std::size_t next_tie_ = 0;
};

}  // namespace regulus::report
