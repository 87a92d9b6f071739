#pragma once

#include <filesystem>
#include <string>

#include "regulus/storage/feature_store.h"

namespace regulus::storage {

/// Writes a compressed and complete copy of a store whose tiles are all done, with this provenance, and puts
/// it in the store's place at once: a kill before leaves the store as it was. Not collective.
/// \param level 1 to 9 \throws InputError, StorageError
void replace_by_compressed(const std::filesystem::path& path, StoreKind kind,
                           const std::string& provenance_json, int level);

}  // namespace regulus::storage
