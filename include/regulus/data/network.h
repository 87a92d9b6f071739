#pragma once

#include <compare>
#include <filesystem>
#include <string>
#include <vector>

namespace regulus::data {

/// A directed regulation: source (transcription factor) -> target.
struct Edge {
  std::string source;
  std::string target;
  auto operator<=>(const Edge&) const = default;
};

/// A set of regulations, e.g. a gold standard.
struct Network {
  std::string name;         ///< "STRING" of STRING.csv.gz
  std::vector<Edge> edges;  ///< sorted, distinct, without self-loops
};

/// Sorts the edges, drops duplicates and self-loops and logs how many there were.
Network make_network(std::string name, std::vector<Edge> edges);

/// Reads .csv or .tsv, each also gzipped, with the header Gene1,Gene2[,…]; see docs/formats/network.md. Gene
/// names are taken as they are. \throws InputError if the header is another, a row is ragged or lacks a gene,
/// or no edge is left
Network read_network(const std::filesystem::path& file);

/// Writes plain CSV with the header Gene1,Gene2.
/// \throws StorageError if the file cannot be written
void write_network(const std::filesystem::path& file, const Network& network);

}  // namespace regulus::data
