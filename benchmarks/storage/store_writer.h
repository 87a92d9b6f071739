#pragma once

#include "raw_writer.h"

namespace regulus::benchmark {

/// Of a feature store with the probes vvp and gdt.
struct StoreShape {
  std::int64_t targets = 2000;
  std::int64_t width = 8;  ///< of each probe
  std::int64_t sources_per_tile = 64;
  std::int64_t targets_per_tile = 0;
  int compression = 0;
};

/// As many whole source blocks as the amount asks for, one tile a rank in every round, always the same
/// values; creating, finishing and forcing to disk are counted as well. Then all features are read, by blocks
/// of sources, by rank 0 alone. The file is removed. \return bytes (of the features), file_bytes, seconds,
/// read_seconds \collective yes
nlohmann::json write_store(const comm::Communicator& world, const Amount& amount, const StoreShape& shape);

}  // namespace regulus::benchmark
