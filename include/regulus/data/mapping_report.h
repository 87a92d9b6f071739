#pragma once

#include <string>
#include <vector>

#include "regulus/data/gene_names.h"

namespace regulus::data {

/// A line for every gene asked for, in order: gene, status, token and detail, separated by tabs, under a
/// header. See docs/formats/gene_names.md.
/// \param genes as they were given to map_genes()
/// \throws Error (Internal) if they are not as many
std::string mapping_table(const GeneMapping& mapping, const std::vector<std::string>& genes,
                          const Vocabulary& vocabulary);

/// One line, such as "18,204 of 20,000 genes mapped (17,900 exact, 300 upper case, 4 alias); 1,790 missing, 2
/// ambiguous, 4 duplicates". Ways that no gene took are left out.
std::string mapping_summary(const GeneMapping& mapping);

/// \param least_share of the genes asked for, 0 to 1; one gene must be found in any case
/// \param where       the file or option the genes come from
/// \throws InputError with the numbers and examples of names from both sides if fewer were found
void require_hits(const GeneMapping& mapping, const Vocabulary& vocabulary, double least_share,
                  const std::string& where);

}  // namespace regulus::data
