#pragma once

#include <cmath>
#include <filesystem>
#include <limits>
#include <string>

#include "regulus/storage/edge_store.h"

namespace regulus::test {

/// Three sources, five targets (the first two sources among them), the best three edges of each.
inline storage::EdgeStoreHeader small_edge_header() {
  storage::EdgeStoreHeader header;
  header.sources = {"GATA1", "TAL1", "β-TF"};
  header.targets = {"GATA1", "KLF1", "TAL1", "HBB", "EPOR"};
  header.edges_per_source = 3;
  header.matrix = storage::ScoreMatrix::Float32;
  header.spread = true;
  header.false_discovery = true;
  header.checkpoint_sha256 = std::string(64, 'a');
  header.translator_sha256 = std::string(64, 'b');
  header.background = "cells";
  header.provenance_json = "{\"seed\": 1}";
  return header;
}

/// The edges of all three sources; scores that binary fractions hold exactly, ties within and across sources.
inline storage::EdgeRows small_edge_rows() {
  constexpr float kSelf = std::numeric_limits<float>::quiet_NaN();
  storage::EdgeRows rows;
  rows.target = {1, 3, 4, 0, 1, 3, 4, 2, 0};
  rows.score = {0.75F, 0.5F, 0.25F, 0.875F, 0.5F, 0.5F, 0.5F, 0.25F, 0.125F};
  rows.spread = {0.1F, 0.2F, 0.3F, 0.4F, 0.5F, 0.6F, 0.7F, 0.8F, 0.9F};
  rows.false_discovery = {0.01F, 0.02F, 0.03F, 0.04F, 0.05F, 0.06F, 0.07F, 0.08F, 0.09F};
  rows.matrix = {kSelf, 0.75F, 0.125F, 0.5F, 0.25F, 0.875F,  0.5F, kSelf,
                 0.5F,  0.25F, 0.125F, 0.0F, 0.25F, 0.0625F, 0.5F};
  return rows;
}

/// The same with only the columns that the header asks for.
inline storage::EdgeRows small_edge_rows(const storage::EdgeStoreHeader& header) {
  storage::EdgeRows rows = small_edge_rows();
  if (!header.spread) rows.spread.clear();
  if (!header.false_discovery) rows.false_discovery.clear();
  if (header.matrix == storage::ScoreMatrix::None) rows.matrix.clear();
  return rows;
}

inline void write_small_edges(const std::filesystem::path& path,
                              const storage::EdgeStoreHeader& header = small_edge_header()) {
  storage::EdgeStoreWriter writer(path, header);
  writer.append(small_edge_rows(header));
  writer.finish("{\"seed\": 1, \"done\": true}");
}

}  // namespace regulus::test
