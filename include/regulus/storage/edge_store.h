#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "regulus/storage/hdf5.h"

namespace regulus::storage {

/// Whether and how an edge file holds the scores of all pairs.
enum class ScoreMatrix { None, Float16, Float32 };

/// What an edge file says about itself. S sources, G targets.
struct EdgeStoreHeader {
  std::vector<std::string> sources, targets;  ///< UTF-8 gene names, distinct in each list
  std::int64_t edges_per_source = 0;          ///< K, from 1 to G - 1
  ScoreMatrix matrix = ScoreMatrix::None;
  bool spread = false;           ///< edges have the spread of their score
  bool false_discovery = false;  ///< edges have a false discovery rate
  std::string checkpoint_sha256, translator_sha256;
  std::string background;
  std::string provenance_json;
};

/// The edges of n consecutive sources, K of each, best first.
struct EdgeRows {
  std::vector<std::int32_t> target;    ///< [n, K] index in targets; never the source itself
  std::vector<float> score;            ///< [n, K] probability, not increasing within a source
  std::vector<float> spread;           ///< [n, K], or empty
  std::vector<float> false_discovery;  ///< [n, K], or empty
  std::vector<float> matrix;           ///< [n, G] scores of all targets, NaN at the self pair; or empty
};

/// Writes an edge file (docs/formats/edges.md), source after source. The file appears under its name only
/// with finish(); until then it is `<path>.partial`, removed if finish() is never reached. The same content
/// gives the same bytes. One rank writes. \collective no
class EdgeStoreWriter {
 public:
  /// \throws StorageError if the file cannot be created; Error (Internal) for a header that makes no sense
  EdgeStoreWriter(const std::filesystem::path& path, EdgeStoreHeader header);

  /// The edges of the next sources, any number of them.
  /// \throws StorageError if they cannot be written; Error (Internal) for rows that do not fit: other sizes,
  ///         targets out of range, repeated or self pairs, scores that are not finite or increase
  void append(const EdgeRows& rows);

  /// \param provenance_json takes the place of the header's
  /// \throws StorageError; Error (Internal) unless all sources were appended
  void finish(const std::string& provenance_json);

 private:
  EdgeStoreHeader header_;
  std::int64_t next_source_ = 0;
  H5File file_;
};

/// Reads an edge file. Everything read is checked. \collective no
class EdgeStore {
 public:
  /// \throws InputError if it is missing, truncated, damaged, unfinished or no edge file
  explicit EdgeStore(const std::filesystem::path& path);

  const std::string& name() const { return file_.name(); }  ///< of the file, as it was given
  const EdgeStoreHeader& header() const { return header_; }
  std::int64_t source_count() const { return static_cast<std::int64_t>(header_.sources.size()); }
  std::int64_t target_count() const { return static_cast<std::int64_t>(header_.targets.size()); }

  /// All edges of `count` sources from `first`, without the matrix. \throws InputError on damage
  EdgeRows read(std::int64_t first, std::int64_t count) const;
  /// The edges `first` to `first + count - 1` of one source, without the matrix. \throws InputError on damage
  EdgeRows read_part(std::int64_t source, std::int64_t first, std::int64_t count) const;
  /// The scores of all targets, NaN at self pairs. \return [count, G] \throws InputError if the file has none
  std::vector<float> read_scores(std::int64_t first, std::int64_t count) const;

 private:
  EdgeRows read_block(const Block& block) const;

  H5File file_;
  EdgeStoreHeader header_;
};

/// Whether the file is an HDF5 file that calls itself an edge file, whole or not. Never throws.
bool is_edge_store(const std::filesystem::path& path);

/// "none", "float16" or "float32".
std::string to_string(ScoreMatrix matrix);

}  // namespace regulus::storage
