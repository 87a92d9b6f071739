// The features of 10x Genomics files, of which the genes are kept; private to the module.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace regulus::data::detail {

/// As stored. Lists that a file does not have are empty.
struct TenxFeatures {
  std::vector<std::string> ids, names;  ///< Ensembl ids, symbols
  std::vector<std::string> types;       ///< "Gene Expression", "Antibody Capture" …
  std::vector<std::string> genomes;
};

struct KeptGenes {
  std::vector<std::string> names;       ///< distinct
  std::vector<std::int32_t> new_index;  ///< of every feature: its place in names, or -1
};

/// Keeps the genes of one genome: features of another type are dropped and logged. A feature without a
/// symbol goes by its id; repeated symbols get -1, -2 … appended, as var_names_make_unique() does.
/// \param genome may be empty if there is only one
/// \throws InputError naming the genomes if there are several and none of them was chosen; if no gene is left
KeptGenes keep_genes(const TenxFeatures& features, const std::string& genome, const std::string& where);

/// \throws InputError that lists the genomes
[[noreturn]] void refuse_genomes(const std::vector<std::string>& genomes, const std::string& asked,
                                 const std::string& where);

}  // namespace regulus::data::detail
