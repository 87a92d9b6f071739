#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace regulus::storage {
struct FeatureStoreHeader;
}

namespace regulus::translator {

/// How features were made. Two sets of features mean the same only if the model and the grids agree.
struct FeatureOrigin {
  std::string checkpoint_sha256;
  std::string background;
  std::map<std::string, std::vector<double>> grids;
};

FeatureOrigin origin_of(const storage::FeatureStoreHeader& header);

/// Checks that features can be used together, or by a translator trained on `expected`. A different
/// background is allowed and logged: it changes what the features say, not their form. \param expected_name,
/// found_name  files, for the message \throws InputError if the checkpoints or the grids differ
void require_same_origin(const FeatureOrigin& expected, const std::string& expected_name,
                         const FeatureOrigin& found, const std::string& found_name);

}  // namespace regulus::translator
