#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "regulus/data/alias_table.h"
#include "regulus/data/vocabulary.h"

namespace regulus::data {

/// ENSG00000141510 of ENSG00000141510.17, and so for every Ensembl stable id (ENS, letters, digits); any
/// other name as it is.
std::string without_ensembl_version(const std::string& name);

/// Whether a token is none of a gene: "<pad>", "<cls>" and whatever else is in angle brackets.
bool is_special_token(const std::string& token);

/// How a gene asked for was found in a vocabulary, or why not.
enum class Match {
  Exact,      ///< by the name as it is
  Ensembl,    ///< by its Ensembl id, with another or no version
  UpperCase,  ///< by the name in upper case
  Alias,      ///< by the alias table
  Missing,    ///< not found
  Ambiguous,  ///< its aliases, or its id, are several tokens
  Duplicate   ///< its token is another gene's, which was found in a better way or asked for earlier
};

/// The status in reports: exact, ensembl, upper-case, alias, missing, ambiguous, duplicate.
std::string to_string(Match match);

struct GeneMatch {
  Match match = Match::Missing;
  std::int64_t id = -1;             ///< of the token; -1 if missing or ambiguous
  std::vector<std::string> rivals;  ///< of an ambiguous gene: the tokens; of a duplicate: the gene that won
};

/// Which of the genes asked for a model knows.
struct GeneMapping {
  std::vector<std::int64_t> ids;        ///< vocabulary ids of the genes found, distinct
  std::vector<std::int64_t> positions;  ///< their indices among the genes asked for, increasing
  std::vector<std::string> missing;  ///< the other genes, in the order asked: not found, ambiguous, duplicate
  std::vector<GeneMatch> matches;    ///< of every gene asked for
};

/// Finds genes by their exact name, then by their Ensembl id without its version, then in upper case (mouse
/// symbols in a human vocabulary), then by their aliases, which are looked up in the same three ways; an
/// alias of an alias is not followed. A token goes to one gene: to the one found in the earlier of these
/// ways, then to the first asked for. Special tokens are never found.
GeneMapping map_genes(const Vocabulary& vocabulary, const std::vector<std::string>& genes,
                      const AliasTable& aliases = {});

}  // namespace regulus::data
