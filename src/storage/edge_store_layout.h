// Names inside an edge file (docs/formats/edges.md).
#pragma once

#include <cstdint>

namespace regulus::storage::edge_layout {

inline constexpr const char* kFormat = "regulus edges";
inline constexpr std::int64_t kVersion = 1;

inline constexpr const char* kSources = "/genes/source";
inline constexpr const char* kTargets = "/genes/target";
inline constexpr const char* kTarget = "/edges/target";
inline constexpr const char* kScore = "/edges/score";
inline constexpr const char* kSpread = "/edges/spread";
inline constexpr const char* kFalseDiscovery = "/edges/false_discovery";
inline constexpr const char* kScores = "/scores";

}  // namespace regulus::storage::edge_layout
