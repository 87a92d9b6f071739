#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace regulus::test {

/// Whether the system's Python can read HDF5 files, to check ours with another reader.
inline bool has_h5py() {
  return std::system("/usr/bin/python3 -c 'import h5py' >/dev/null 2>&1") == 0;
}

/// Whether the system's Python has PyTorch.
inline bool has_torch() {
  return std::system("/usr/bin/python3 -c 'import torch' >/dev/null 2>&1") == 0;
}

/// Writes a script to a file and runs it with one argument; 0 if it succeeded.
inline int run_python(const std::filesystem::path& file, const std::string& script,
                      const std::filesystem::path& argument) {
  std::ofstream(file) << script;
  return std::system(("/usr/bin/python3 '" + file.string() + "' '" + argument.string() + "'").c_str());
}

}  // namespace regulus::test
