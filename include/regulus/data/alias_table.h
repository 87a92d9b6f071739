#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <unordered_map>
#include <vector>

namespace regulus::data {

/// Other names of genes: synonyms, orthologs of another species, identifiers.
class AliasTable {
 public:
  AliasTable() = default;

  /// Reads two columns, the alias and its symbol, from a .csv, .tsv or .txt file (each also .gz). See
  /// docs/formats/gene_names.md.
  /// \throws InputError naming the line if a row has another number of columns, an empty name or text that is
  ///         not UTF-8; if the file cannot be read or has no alias
  static AliasTable read(const std::filesystem::path& file);

  /// No effect if the alias is the symbol itself or the pair is known.
  void add(const std::string& alias, const std::string& symbol);

  std::int64_t size() const { return static_cast<std::int64_t>(symbols_.size()); }  ///< number of aliases

  /// In the order of the table; empty for a name that is no alias. Versions of Ensembl ids do not count.
  const std::vector<std::string>& symbols_of(const std::string& name) const;

 private:
  std::unordered_map<std::string, std::vector<std::string>> symbols_;
};

}  // namespace regulus::data
