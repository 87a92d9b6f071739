#pragma once

#include <filesystem>
#include <vector>

#include "regulus/storage/feature_store.h"

namespace regulus::storage {

/// The marks of an unfinished store, 0 or 1, after the checks of FeatureStoreWriter::resume(). Not
/// collective.
std::vector<std::uint8_t> done_of_unfinished(const std::filesystem::path& path,
                                             const FeatureStoreHeader& header);

}  // namespace regulus::storage
