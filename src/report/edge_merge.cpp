#include "edge_merge.h"

#include <algorithm>

#include "regulus/core/error.h"

namespace regulus::report {

namespace {

constexpr std::int64_t kLeastPiece = 16;

}  // namespace

EdgeCursor::EdgeCursor(const storage::EdgeStore& store, std::int64_t source, const EdgeLimits& limits,
                       std::int64_t piece)
    : store_(&store), source_(source), limits_(limits), piece_(piece) {
  settle();
}

/// Reads the next piece where the last one is used up, and finds out whether there is a next edge.
void EdgeCursor::settle() {
  const std::int64_t all = store_->header().edges_per_source;
  if (position_ == rows_.target.size() && read_ < all) {
    const std::int64_t count = std::min(piece_, all - read_);
    rows_ = store_->read_part(source_, read_, count);
    read_ += count;
    position_ = 0;
  }
  at_end_ = position_ == rows_.target.size() || taken_ >= limits_.top_k || score() < limits_.threshold;
}

void EdgeCursor::advance() {
  const float before = score();
  ++position_;
  settle();
  if (position_ < rows_.target.size() && score() > before)
    throw InputError("the edges of " + store_->header().sources[static_cast<std::size_t>(source_)] +
                         " are not in descending order",
                     store_->name(), "the edge file is damaged: run `regulus infer` again");
}

void EdgeCursor::take_ties(std::vector<Edge>& ties) {
  ties.clear();
  const float tied = score();
  while (!at_end_ && score() == tied) {
    const auto column = [&](const std::vector<float>& values) {
      return values.empty() ? 0.0F : values[position_];
    };
    ties.push_back({static_cast<std::int32_t>(source_), rows_.target[position_], tied, column(rows_.spread),
                    column(rows_.false_discovery)});
    advance();
  }
  std::sort(ties.begin(), ties.end(), [](const Edge& a, const Edge& b) { return a.target < b.target; });
  const auto left =
      static_cast<std::size_t>(std::min(limits_.top_k - taken_, static_cast<std::int64_t>(ties.size())));
  ties.resize(left);
  taken_ += static_cast<std::int64_t>(left);
  at_end_ = at_end_ || taken_ >= limits_.top_k;
}

EdgeMerge::EdgeMerge(const storage::EdgeStore& store, const EdgeLimits& limits, std::int64_t buffered_edges) {
  const std::int64_t piece = std::max(kLeastPiece, buffered_edges / store.source_count());
  cursors_.reserve(static_cast<std::size_t>(store.source_count()));
  for (std::int64_t source = 0; source < store.source_count(); ++source) {
    cursors_.emplace_back(store, source, limits, piece);
    push(static_cast<std::int32_t>(source));
  }
}

void EdgeMerge::push(std::int32_t source) {
  const EdgeCursor& cursor = cursors_[static_cast<std::size_t>(source)];
  if (!cursor.at_end()) heads_.push({cursor.score(), source});
}

bool EdgeMerge::next(Edge& edge) {
  if (next_tie_ == ties_.size()) {
    if (heads_.empty()) return false;
    const std::int32_t source = heads_.top().source;
    heads_.pop();
    cursors_[static_cast<std::size_t>(source)].take_ties(ties_);
    push(source);
    next_tie_ = 0;
  }
  edge = ties_[next_tie_++];
  return true;
}

}  // namespace regulus::report
