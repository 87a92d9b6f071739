#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "regulus/comm/communicator.h"

namespace regulus::benchmark {

/// What to write where.
struct Amount {
  std::filesystem::path file;
  std::int64_t mebibytes = 1024;
  std::int64_t piece_kibibytes = 4096;  ///< of one plain write
};

/// Seconds since an earlier point of time.
double seconds_since(std::chrono::steady_clock::time_point start);

/// fsync. \throws StorageError \collective no
void force_to_disk(const std::filesystem::path& file);

/// Every rank writes its consecutive share of one new file with pwrite, always the same piece of memory, then
/// the file is forced to disk and removed. \return bytes, seconds \collective yes
nlohmann::json write_raw(const comm::Communicator& world, const Amount& amount);

}  // namespace regulus::benchmark
