#pragma once

#include <fstream>

#include "regulus/storage/torch_checkpoint.h"
#include "support/expect_error.h"
#include "support/temp_folder.h"
#include "support/tensor_views.h"
#include "support/zip_file.h"

// Checkpoints made by hand, and what reading them says.
namespace regulus::test {

/// A checkpoint with this pickle and this data/0.
inline ZipRecords checkpoint(const std::string& pickle, const std::string& data = bytes_of({1, 2})) {
  return {{"best/data.pkl", pickle}, {"best/data/0", data}, {"best/version", "3\n"}};
}

/// What reading these records says; it must be a ModelError that names the file.
inline std::string refusal(const ZipRecords& records, zip_int32_t method = ZIP_CM_STORE) {
  const TempFolder folder;
  write_zip(folder / "x.pt", records, method);
  const std::string text =
      error_of(ErrorKind::Model, [&] { storage::read_torch_checkpoint(folder / "x.pt"); });
  expect_mentions(text, (folder / "x.pt").string());
  return text;
}

/// What a file of these bytes says.
inline std::string refusal_of_bytes(const std::string& bytes) {
  const TempFolder folder;
  std::ofstream(folder / "x.pt", std::ios::binary) << bytes;
  return error_of(ErrorKind::Model, [&] { storage::read_torch_checkpoint(folder / "x.pt"); });
}

inline std::string refusal_of_pickle(const std::string& pickle) {
  return refusal(checkpoint(pickle));
}

}  // namespace regulus::test
