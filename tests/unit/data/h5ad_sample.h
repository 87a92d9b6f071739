#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "regulus/storage/hdf5.h"

namespace regulus::test {

/// A small AnnData file with a sparse matrix, whose parts a test changes before it is written:
///
///        A  B  C
/// one    1  0  2
/// two    0  0  0
/// three  0  4  0.5
struct SparseSample {
  std::vector<std::string> cells = {"one", "two", "three"};
  std::vector<std::string> genes = {"A", "B", "C"};
  std::vector<std::int64_t> begin = {0, 2, 2, 4};
  std::vector<std::int64_t> indices = {0, 2, 1, 2};
  std::vector<double> data = {1, 2, 4, 0.5};
  std::vector<std::int64_t> shape = {3, 3};
  std::string encoding = "csr_matrix";
  bool forerunner = false;  ///< h5sparse_format and h5sparse_shape instead of encoding-type and shape
};

inline void write_names(storage::H5File& file, const std::string& frame,
                        const std::vector<std::string>& names) {
  file.create_group(frame);
  file.write_attribute_string(frame, "_index", "names");
  file.write_strings(frame + "/names", names);
}

inline std::filesystem::path write_sample(const std::filesystem::path& path, const SparseSample& sample) {
  auto file = storage::H5File::create(path);
  write_names(file, "/obs", sample.cells);
  write_names(file, "/var", sample.genes);
  file.create_group("/X");
  file.write_attribute_string("/X", sample.forerunner ? "h5sparse_format" : "encoding-type", sample.encoding);
  file.write_attribute("/X", sample.forerunner ? "h5sparse_shape" : "shape", sample.shape);
  file.write("/X/data", sample.data);
  file.write("/X/indices", sample.indices);
  file.write("/X/indptr", sample.begin);
  file.close();
  return path;
}

}  // namespace regulus::test
