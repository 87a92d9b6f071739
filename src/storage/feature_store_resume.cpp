// What --resume asks of a store that is there.
#include <nlohmann/json.hpp>

#include "feature_store_resume.h"
#include "feature_store_structure.h"
#include "regulus/core/same_job.h"

namespace regulus::storage {

namespace {

using nlohmann::json;

json parse_job(const H5File& file) {
  json job = json::parse(read_job(file), nullptr, false);
  if (job.is_object()) return job;
  throw InputError("the job that wrote it is not readable", file.name(),
                   "the file is damaged: start anew, or use another copy of it");
}

template <typename Columns>
bool same_columns(const std::vector<Columns>& wanted, const std::vector<Columns>& found) {
  std::map<std::string, std::int64_t> widths, found_widths;
  for (const auto& column : wanted) widths[column.name] = column.width;
  for (const auto& column : found) found_widths[column.name] = column.width;
  return widths == found_widths;
}

bool same_plan(const FeatureStoreHeader& wanted, const FeatureStoreHeader& found) {
  const TileBlock a = wanted.plan().block(0), b = found.plan().block(0);
  return a.source_count == b.source_count && a.target_count == b.target_count;
}

/// The same job always has the same structure: a difference is damage, or a file that was changed by hand.
void require_same_structure(const FeatureStoreHeader& wanted, const FeatureStoreHeader& found,
                            const std::string& file) {
  const char* what = wanted.sources != found.sources                          ? "its sources are"
                     : wanted.targets != found.targets                        ? "its targets are"
                     : !same_columns(wanted.probes, found.probes)             ? "its probes are"
                     : !same_columns(wanted.tile_columns, found.tile_columns) ? "its tile columns are"
                     : !same_plan(wanted, found)                              ? "its tile plan is"
                                                                              : nullptr;
  if (what != nullptr)
    throw InputError(std::string(what) + " not that of this job", file, "start anew: move the file away");
}

void require_same_job(const H5File& file, const std::string& job_json) {
  regulus::require_same_job(parse_job(file), json::parse(job_json), file.name());
}

}  // namespace

std::vector<std::uint8_t> done_of_unfinished(const std::filesystem::path& path,
                                             const FeatureStoreHeader& header) {
  const H5File file = H5File::open_read(path);
  check_format(file, header.kind);
  require_same_job(file, header.job_json);
  const FeatureStoreSummary summary = summarise(file, header.kind);
  if (summary.complete && summary.tiles_done == summary.tiles)
    throw InputError("is complete: there is nothing to resume", path.string());
  require_same_structure(header, summary.header, path.string());
  std::vector<std::uint8_t> done = read_done(file);
  for (std::uint8_t& mark : done) mark = mark == 1 ? 1 : 0;
  return done;
}

StoreState store_state(const std::filesystem::path& path, StoreKind kind) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return StoreState::Absent;
  const FeatureStoreSummary summary = summarise(H5File::open_read(path), kind);
  return summary.complete && summary.tiles_done == summary.tiles ? StoreState::Complete
                                                                 : StoreState::Unfinished;
}

void require_same_job(const std::filesystem::path& path, const std::string& job_json, StoreKind kind) {
  const H5File file = H5File::open_read(path);
  check_format(file, kind);
  require_same_job(file, job_json);
}

}  // namespace regulus::storage
