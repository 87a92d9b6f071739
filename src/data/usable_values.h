// Which files a model's expression is read from; private to the module.
#pragma once

#include <filesystem>
#include <functional>

#include "regulus/data/expression.h"

namespace regulus::data::detail {

/// \throws InputError unless the name ends in .h5ad
void require_h5ad_name(const std::filesystem::path& file);

/// Values of unknown origin are taken only if they are recognisably log-normalised; what regulus recorded on
/// request is taken with a warning.
/// \param detect what the values look like; asked only where regulus recorded nothing
/// \throws InputError on raw counts and values of unknown scale from elsewhere
void require_usable_values(const std::filesystem::path& file, const std::function<ValueScale()>& detect);

}  // namespace regulus::data::detail
