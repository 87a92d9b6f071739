#include "regulus/storage/edge_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "edge_store_layout.h"
#include "regulus/core/error.h"
#include "regulus/storage/half.h"

namespace regulus::storage {

namespace {

[[noreturn]] void damaged(const H5File& file, const std::string& path, const std::string& message) {
  throw InputError(message, file.name() + ":" + path,
                   "the edge file is damaged: copy it again, or run `regulus infer` again");
}

void check_format(const H5File& file) {
  if (!file.has_attribute("/", "format") || file.read_attribute_string("/", "format") != edge_layout::kFormat)
    throw InputError("is not an edge file", file.name(), "expected the output of `regulus infer`");
  const std::int64_t version = file.read_attribute_int("/", "version");
  if (version != edge_layout::kVersion)
    throw InputError(fmt::format("is an edge file of version {}; this program reads version {}", version,
                                 edge_layout::kVersion),
                     file.name(), "use the program that wrote it, or run `regulus infer` again");
  if (file.read_attribute_int("/", "complete") != 1)
    throw InputError("is unfinished", file.name(),
                     "the run that writes it was stopped or is still at work: let `regulus infer` finish");
}

ScoreMatrix read_matrix_kind(const H5File& file) {
  const std::string text = file.read_attribute_string("/", "matrix");
  for (const ScoreMatrix matrix : {ScoreMatrix::None, ScoreMatrix::Float16, ScoreMatrix::Float32})
    if (text == to_string(matrix)) return matrix;
  damaged(file, "/", "the matrix of scores is of the unknown kind '" + text + "'");
}

void require_shape(const H5File& file, const std::string& path, const std::vector<std::int64_t>& expected) {
  const auto shape = file.shape(path);
  if (shape != expected)
    damaged(file, path,
            fmt::format("is [{}] instead of [{}]", fmt::join(shape, " x "), fmt::join(expected, " x ")));
}

void check_shapes(const H5File& file, const EdgeStoreHeader& header) {
  const auto sources = static_cast<std::int64_t>(header.sources.size());
  const auto targets = static_cast<std::int64_t>(header.targets.size());
  if (sources < 1 || header.edges_per_source < 1 || header.edges_per_source >= targets)
    damaged(file, edge_layout::kTarget,
            fmt::format("{} edges of each of {} sources do not fit {} targets", header.edges_per_source,
                        sources, targets));
  require_shape(file, edge_layout::kTarget, {sources, header.edges_per_source});
  require_shape(file, edge_layout::kScore, {sources, header.edges_per_source});
  if (header.spread) require_shape(file, edge_layout::kSpread, {sources, header.edges_per_source});
  if (header.false_discovery)
    require_shape(file, edge_layout::kFalseDiscovery, {sources, header.edges_per_source});
  if (header.matrix != ScoreMatrix::None) require_shape(file, edge_layout::kScores, {sources, targets});
}

EdgeStoreHeader read_header(const H5File& file) {
  check_format(file);
  EdgeStoreHeader header;
  header.sources = file.read_strings(edge_layout::kSources);
  header.targets = file.read_strings(edge_layout::kTargets);
  const auto shape = file.shape(edge_layout::kTarget);
  header.edges_per_source = shape.size() == 2 ? shape[1] : 0;
  header.matrix = read_matrix_kind(file);
  header.spread = file.has(edge_layout::kSpread);
  header.false_discovery = file.has(edge_layout::kFalseDiscovery);
  header.checkpoint_sha256 = file.read_attribute_string("/", "checkpoint_sha256");
  header.translator_sha256 = file.read_attribute_string("/", "translator_sha256");
  header.background = file.read_attribute_string("/", "background");
  header.provenance_json = file.read_attribute_string("/", "provenance");
  check_shapes(file, header);
  return header;
}

}  // namespace

std::string to_string(ScoreMatrix matrix) {
  switch (matrix) {
    case ScoreMatrix::Float16:
      return "float16";
    case ScoreMatrix::Float32:
      return "float32";
    case ScoreMatrix::None:
      break;
  }
  return "none";
}

bool is_edge_store(const std::filesystem::path& path) {
  try {
    const auto file = H5File::open_read(path);
    return file.has_attribute("/", "format") &&
           file.read_attribute_string("/", "format") == edge_layout::kFormat;
  } catch (const Error&) {
    return false;
  }
}

EdgeStore::EdgeStore(const std::filesystem::path& path)
    : file_(H5File::open_read(path)), header_(read_header(file_)) {}

EdgeRows EdgeStore::read(std::int64_t first, std::int64_t count) const {
  return read_block({{first, 0}, {count, header_.edges_per_source}});
}

EdgeRows EdgeStore::read_part(std::int64_t source, std::int64_t first, std::int64_t count) const {
  return read_block({{source, first}, {1, count}});
}

EdgeRows EdgeStore::read_block(const Block& block) const {
  EdgeRows rows;
  rows.target = file_.read_block<std::int32_t>(edge_layout::kTarget, block);
  rows.score = file_.read_block<float>(edge_layout::kScore, block);
  if (header_.spread) rows.spread = file_.read_block<float>(edge_layout::kSpread, block);
  if (header_.false_discovery)
    rows.false_discovery = file_.read_block<float>(edge_layout::kFalseDiscovery, block);
  for (std::size_t k = 0; k < rows.target.size(); ++k) {
    const auto width = static_cast<std::size_t>(block.count[1]);
    const auto at = [&] {
      return fmt::format("edge {} of source {}", block.offset[1] + static_cast<std::int64_t>(k % width),
                         header_.sources[static_cast<std::size_t>(block.offset[0]) + k / width]);
    };
    if (rows.target[k] < 0 || rows.target[k] >= target_count())
      damaged(file_, edge_layout::kTarget,
              fmt::format("{} is {}, outside 0 to {}", at(), rows.target[k], target_count() - 1));
    if (!std::isfinite(rows.score[k]) || (k % width > 0 && rows.score[k] > rows.score[k - 1]))
      damaged(file_, edge_layout::kScore,
              fmt::format("{} is {:g}, not finite or higher than the one before", at(), rows.score[k]));
  }
  return rows;
}

std::vector<float> EdgeStore::read_scores(std::int64_t first, std::int64_t count) const {
  const Block block{{first, 0}, {count, target_count()}};
  switch (header_.matrix) {
    case ScoreMatrix::Float32:
      return file_.read_block<float>(edge_layout::kScores, block);
    case ScoreMatrix::Float16: {
      const auto halves = file_.read_block<Half>(edge_layout::kScores, block);
      std::vector<float> scores(halves.size());
      std::transform(halves.begin(), halves.end(), scores.begin(), to_float);
      return scores;
    }
    case ScoreMatrix::None:
      break;
  }
  throw InputError("has no matrix of all scores", file_.name(), "run `regulus infer` with --scores");
}

}  // namespace regulus::storage
