#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>

#include "regulus/backbone/backbone.h"

namespace regulus::backbone {

/// The largest batch that the device's memory is believed to hold: halved whenever one did not fit.
class BatchLimit {
 public:
  /// Calls run(first, count) for consecutive parts of a batch; where memory runs out in one, the rest goes on
  /// in halves, and so do later batches. The first time is logged. \param run may throw after doing half its
  /// work, and is then called again from its own start \throws ModelError if not even one state fits; what
  /// else run() throws
  void in_parts(std::int64_t states, std::int64_t most_states,
                const std::function<void(std::int64_t, std::int64_t)>& run);

 private:
  void halve(std::int64_t failed);

  std::int64_t most_ = std::numeric_limits<std::int64_t>::max();
};

/// A pass that survives a lack of memory: batches that do not fit are computed in parts.
/// \param limit shared by the panels of one model \param most_states at once, whatever the memory
std::unique_ptr<PanelPass> divide(std::unique_ptr<PanelPass> pass, std::shared_ptr<BatchLimit> limit,
                                  std::int64_t most_states = std::numeric_limits<std::int64_t>::max());

}  // namespace regulus::backbone
