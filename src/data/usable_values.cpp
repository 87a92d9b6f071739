#include "usable_values.h"

#include "regulus/core/error.h"
#include "regulus/core/log.h"
#include "regulus/data/h5ad.h"

namespace regulus::data::detail {

namespace {

std::string prepare_first(const std::filesystem::path& file) {
  return "run regulus prepare --input " + file.string() + " --out PREPARED.h5ad first";
}

}  // namespace

void require_h5ad_name(const std::filesystem::path& file) {
  if (file.extension() == ".h5ad") return;
  throw InputError("is not an .h5ad file", file.string(), prepare_first(file));
}

void require_usable_values(const std::filesystem::path& file, const std::function<ValueScale()>& detect) {
  const std::optional<ValueScale> recorded = read_h5ad_scale(file);
  if (recorded == ValueScale::LogNormalised) return;
  if (recorded) {
    log::common_warning("{}: the values are {}, as they were prepared; the models expect log-normalised ones",
                        file.string(), to_string(*recorded));
    return;
  }
  const ValueScale scale = detect();
  if (scale == ValueScale::LogNormalised) return;
  const std::string what = scale == ValueScale::Counts ? "are raw counts" : "do not look log-normalised";
  throw InputError("the values " + what, file.string(), prepare_first(file));
}

}  // namespace regulus::data::detail
