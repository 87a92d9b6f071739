// Names inside a feature store (docs/formats/feature_store.md).
#pragma once

#include <cstdint>
#include <string>

namespace regulus::storage::layout {

inline constexpr const char* kFormat = "regulus feature store";
inline constexpr std::int64_t kVersion = 1;

inline constexpr const char* kSources = "/genes/source";
inline constexpr const char* kTargets = "/genes/target";
inline constexpr const char* kFeatures = "/features";
inline constexpr const char* kTilePlan = "/tiles/plan";
inline constexpr const char* kTilesDone = "/tiles/done";

inline std::string features_of(const std::string& probe) {
  return std::string(kFeatures) + "/" + probe;
}

}  // namespace regulus::storage::layout
