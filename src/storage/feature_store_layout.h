// Names inside a feature store (docs/formats/feature_store.md).
#pragma once

#include <cstdint>
#include <string>

#include "regulus/storage/feature_store.h"

namespace regulus::storage::layout {

inline constexpr std::int64_t kVersion = 2;  ///< 1 had no job, no tile columns and all targets in every tile

inline constexpr const char* kSources = "/genes/source";
inline constexpr const char* kTargets = "/genes/target";
inline constexpr const char* kFeatures = "/features";
inline constexpr const char* kTiles = "/tiles";
inline constexpr const char* kTilePlan = "/tiles/plan";
inline constexpr const char* kTilesDone = "/tiles/done";

inline const char* format_of(StoreKind kind) {
  return kind == StoreKind::Features ? "regulus feature store" : "regulus working scores";
}

/// What to call a store of this kind, and the command that writes it.
inline const char* name_of(StoreKind kind) {
  return kind == StoreKind::Features ? "feature store" : "file of working scores";
}
inline const char* command_of(StoreKind kind) {
  return kind == StoreKind::Features ? "`regulus probe`" : "`regulus infer`";
}

inline std::string features_of(const std::string& probe) {
  return std::string(kFeatures) + "/" + probe;
}

inline std::string column_of(const std::string& name) {
  return std::string(kTiles) + "/" + name;
}

}  // namespace regulus::storage::layout
