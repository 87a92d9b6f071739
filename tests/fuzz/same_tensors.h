#pragma once

#include "fuzz.h"
#include "regulus/storage/safetensors.h"

namespace regulus::fuzz {

/// Stops the fuzzer unless what was read, written and read again is the same.
inline void require_same(const std::map<std::string, storage::TensorView>& tensors,
                         const std::map<std::string, storage::TensorView>& again) {
  require(tensors.size() == again.size(), "other tensors after a round trip");
  for (const auto& [name, view] : tensors) {
    const auto& other = again.at(name);
    require(view.dtype == other.dtype && view.shape == other.shape && view.data == other.data,
            "another tensor after a round trip");
  }
}

}  // namespace regulus::fuzz
