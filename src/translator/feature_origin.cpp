#include "regulus/translator/feature_origin.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "regulus/core/error.h"
#include "regulus/core/log.h"
#include "regulus/storage/feature_store.h"

namespace regulus::translator {

namespace {

std::string describe(const std::map<std::string, std::vector<double>>& grids) {
  std::string text;
  for (const auto& [name, values] : grids)
    text += fmt::format("{}{}: {}", text.empty() ? "" : "; ", name, fmt::join(values, ", "));
  return text.empty() ? "none" : text;
}

}  // namespace

FeatureOrigin origin_of(const storage::FeatureStoreHeader& header) {
  return {header.checkpoint_sha256, header.background, header.grids};
}

void require_same_origin(const FeatureOrigin& expected, const std::string& expected_name,
                         const FeatureOrigin& found, const std::string& found_name) {
  if (found.checkpoint_sha256 != expected.checkpoint_sha256)
    throw InputError(
        fmt::format("its features come from another model than those of {} (checkpoint {} instead of {})",
                    expected_name, found.checkpoint_sha256, expected.checkpoint_sha256),
        found_name, "probe all data sets with the same model");
  if (found.grids != expected.grids)
    throw InputError(
        fmt::format("its features were probed at other values than those of {} ({} instead of {})",
                    expected_name, describe(found.grids), describe(expected.grids)),
        found_name, "probe all data sets with the same grids");
  if (found.background != expected.background)
    log::common_warning("{} has background {}, {} has {}", found_name, found.background, expected_name,
                        expected.background);
}

}  // namespace regulus::translator
