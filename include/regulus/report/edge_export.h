#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>

#include "regulus/storage/edge_store.h"

namespace regulus::report {

/// The forms in which edges leave (docs/formats/edges.md).
enum class EdgeFormat {
  Auto,         ///< by the suffix: .tsv, .csv or .h5ad
  Adjacencies,  ///< TF, target, importance: what pySCENIC reads
  RankedEdges,  ///< Gene1, Gene2, EdgeWeight: what BEELINE reads
  AnnData       ///< varp["regulus"] and uns["regulus"]
};

/// Of the option values auto, adjacencies, ranked-edges, anndata. \throws OptionError on another
EdgeFormat parse_edge_format(const std::string& text);

/// What to write, and where.
struct ExportOptions {
  std::filesystem::path file;
  EdgeFormat format = EdgeFormat::Auto;
  std::int64_t top_k = std::numeric_limits<std::int64_t>::max();  ///< best edges of every source
  float threshold = -std::numeric_limits<float>::infinity();      ///< least score
  std::filesystem::path expression{};  ///< of AnnData: a prepared .h5ad whose X, obs and var go with it
  std::string provenance_json{};       ///< of AnnData: of the export itself, beside that of the edges
};

/// The format that an export has. \throws OptionError if the suffix says none, or on expression for a format
/// that has no room for it
EdgeFormat resolve_format(const ExportOptions& options);

/// Writes edges, best first over all sources (ties: by source, then by target, in the order of the file's
/// gene lists). Memory does not grow with the number of edges. The file appears only when it is whole.
/// \throws OptionError as resolve_format(); InputError if the edge file or the expression is damaged, or the
///         expression lacks genes of the network; StorageError if the file cannot be written
/// \collective no
void export_edges(const storage::EdgeStore& store, const ExportOptions& options);

}  // namespace regulus::report
