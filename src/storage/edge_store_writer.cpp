#include <algorithm>
#include <cmath>
#include <span>
#include <unordered_set>

#include "edge_store_layout.h"
#include "regulus/core/error.h"
#include "regulus/storage/edge_store.h"
#include "regulus/storage/half.h"

namespace regulus::storage {

namespace {

[[noreturn]] void misuse(const std::string& message) {
  throw Error(ErrorKind::Internal, message, "edge file");
}

void require_distinct(const std::vector<std::string>& names, const std::string& what) {
  std::unordered_set<std::string> seen;
  for (const auto& name : names)
    if (name.empty() || !seen.insert(name).second)
      misuse("a " + what + " has no name, or the name '" + name + "' is there twice");
}

void check_header(const EdgeStoreHeader& header) {
  const auto targets = static_cast<std::int64_t>(header.targets.size());
  if (header.sources.empty() || header.edges_per_source < 1 || header.edges_per_source > targets - 1)
    misuse("an edge file needs sources, and from 1 to targets - 1 edges of each");
  require_distinct(header.sources, "source");
  require_distinct(header.targets, "target");
}

void write_attributes(H5File& file, const EdgeStoreHeader& header) {
  file.write_attribute_string("/", "format", edge_layout::kFormat);
  file.write_attribute_int("/", "version", edge_layout::kVersion);
  file.write_attribute_string("/", "checkpoint_sha256", header.checkpoint_sha256);
  file.write_attribute_string("/", "translator_sha256", header.translator_sha256);
  file.write_attribute_string("/", "background", header.background);
  file.write_attribute_string("/", "matrix", to_string(header.matrix));
  file.write_attribute_string("/", "provenance", header.provenance_json);
  file.write_attribute_int("/", "complete", 0);
}

void create_data_sets(H5File& file, const EdgeStoreHeader& header) {
  const auto sources = static_cast<std::int64_t>(header.sources.size());
  const std::vector<std::int64_t> edges{sources, header.edges_per_source};
  const std::vector<std::int64_t> pairs{sources, static_cast<std::int64_t>(header.targets.size())};
  file.write_strings(edge_layout::kSources, header.sources);
  file.write_strings(edge_layout::kTargets, header.targets);
  file.create_data_set<std::int32_t>(edge_layout::kTarget, edges);
  file.create_data_set<float>(edge_layout::kScore, edges);
  if (header.spread) file.create_data_set<float>(edge_layout::kSpread, edges);
  if (header.false_discovery) file.create_data_set<float>(edge_layout::kFalseDiscovery, edges);
  if (header.matrix == ScoreMatrix::Float32) file.create_data_set<float>(edge_layout::kScores, pairs);
  if (header.matrix == ScoreMatrix::Float16) file.create_data_set<Half>(edge_layout::kScores, pairs);
}

void require_sizes(const EdgeStoreHeader& header, const EdgeRows& rows) {
  const auto edges = rows.target.size();
  const auto width = static_cast<std::size_t>(header.edges_per_source);
  const bool whole_rows = edges % width == 0;
  const auto expected = [&](bool present, std::size_t size) { return present ? size : 0; };
  if (!whole_rows || rows.score.size() != edges || rows.spread.size() != expected(header.spread, edges) ||
      rows.false_discovery.size() != expected(header.false_discovery, edges) ||
      rows.matrix.size() !=
          expected(header.matrix != ScoreMatrix::None, edges / width * header.targets.size()))
    misuse("the columns of the edges do not fit the header or each other");
}

/// The index in targets of a source, or the number of targets if it is none of them.
std::size_t self_of(const EdgeStoreHeader& header, const std::string& source) {
  return static_cast<std::size_t>(std::find(header.targets.begin(), header.targets.end(), source) -
                                  header.targets.begin());
}

/// One source's edges, best first.
void check_edges(const EdgeStoreHeader& header, const std::string& source,
                 std::span<const std::int32_t> target, std::span<const float> score) {
  std::vector<bool> taken(header.targets.size() + 1, false);
  taken[self_of(header, source)] = true;
  for (std::size_t k = 0; k < target.size(); ++k) {
    const bool known = target[k] >= 0 && target[k] < static_cast<std::int64_t>(header.targets.size());
    if (!known || taken[static_cast<std::size_t>(target[k])])
      misuse("the edges of '" + source + "' have a target that is unknown, repeated or the source itself");
    taken[static_cast<std::size_t>(target[k])] = true;
    if (!std::isfinite(score[k]) || (k > 0 && score[k] > score[k - 1]))
      misuse("the scores of '" + source + "' are not finite or not in order");
  }
}

void check_scores(const EdgeStoreHeader& header, const std::string& source, std::span<const float> scores) {
  const std::size_t self = self_of(header, source);
  for (std::size_t target = 0; target < scores.size(); ++target)
    if (std::isfinite(scores[target]) == (target == self))
      misuse("the scores of '" + source + "' must be finite except for the self pair");
}

std::vector<Half> halves(const std::vector<float>& values) {
  std::vector<Half> result(values.size());
  std::transform(values.begin(), values.end(), result.begin(), to_half);
  return result;
}

}  // namespace

EdgeStoreWriter::EdgeStoreWriter(const std::filesystem::path& path, EdgeStoreHeader header)
    : header_((check_header(header), std::move(header))), file_(H5File::create(path)) {
  write_attributes(file_, header_);
  create_data_sets(file_, header_);
}

void EdgeStoreWriter::append(const EdgeRows& rows) {
  require_sizes(header_, rows);
  const auto width = static_cast<std::size_t>(header_.edges_per_source);
  const auto count = static_cast<std::int64_t>(rows.target.size() / width);
  if (count > static_cast<std::int64_t>(header_.sources.size()) - next_source_)
    misuse("more sources were appended than the header names");
  const std::span<const float> matrix(rows.matrix);
  for (std::size_t row = 0; row < static_cast<std::size_t>(count); ++row) {
    const std::string& source = header_.sources[static_cast<std::size_t>(next_source_) + row];
    check_edges(header_, source, std::span(rows.target).subspan(row * width, width),
                std::span(rows.score).subspan(row * width, width));
    if (!matrix.empty())
      check_scores(header_, source, matrix.subspan(row * header_.targets.size(), header_.targets.size()));
  }
  const auto put = [&]<typename T>(const char* path, const std::vector<T>& values, std::int64_t columns) {
    if (!values.empty())
      file_.write_block<T>(path, {{next_source_, 0}, {count, columns}}, std::span<const T>(values));
  };
  put(edge_layout::kTarget, rows.target, header_.edges_per_source);
  put(edge_layout::kScore, rows.score, header_.edges_per_source);
  put(edge_layout::kSpread, rows.spread, header_.edges_per_source);
  put(edge_layout::kFalseDiscovery, rows.false_discovery, header_.edges_per_source);
  const auto targets = static_cast<std::int64_t>(header_.targets.size());
  if (header_.matrix == ScoreMatrix::Float16)
    put(edge_layout::kScores, halves(rows.matrix), targets);
  else
    put(edge_layout::kScores, rows.matrix, targets);
  next_source_ += count;
}

void EdgeStoreWriter::finish(const std::string& provenance_json) {
  if (next_source_ != static_cast<std::int64_t>(header_.sources.size()))
    misuse("not the edges of all sources were appended");
  file_.write_attribute_string("/", "provenance", provenance_json);
  file_.write_attribute_int("/", "complete", 1);
  file_.close();
}

}  // namespace regulus::storage
