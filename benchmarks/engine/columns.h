#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "machine.h"
#include "workload.h"

namespace regulus::benchmark {

/// What the engine and its peers both compute.
struct Columns {
  Shape shape;
  std::string precision = "float32";
  std::int64_t count = 8;  ///< sources, one column of derivatives each
  double seconds = 1.0;    ///< each probe is repeated for about that long, at least once
  Clock clock = Clock::Wall;
  std::filesystem::path folder;
};

/// Times a column of derivatives with each probe, and writes for the peers the model's folder and panel.json:
/// gene_ids, background, sources, values, and the columns, [count][L]: vvp+gdt (the source at its value) and
/// osg (at the background).
/// \return vvp+gdt, osg: seconds per column
nlohmann::json time_columns(const Columns& columns);

}  // namespace regulus::benchmark
