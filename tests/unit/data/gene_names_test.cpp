#include "regulus/data/gene_names.h"

#include <gtest/gtest.h>

namespace regulus::data {
namespace {

using Names = std::vector<std::string>;
using Numbers = std::vector<std::int64_t>;

AliasTable aliases_of(const std::vector<std::pair<std::string, std::string>>& rows) {
  AliasTable table;
  for (const auto& [alias, symbol] : rows) table.add(alias, symbol);
  return table;
}

/// "status token rival,rival" of a single gene.
std::string match_of(const Names& tokens, const std::string& gene, const AliasTable& aliases = {}) {
  const Vocabulary vocabulary(tokens);
  const GeneMatch match = map_genes(vocabulary, {gene}, aliases).matches.at(0);
  std::string text = to_string(match.match);
  if (match.id >= 0) text += " " + vocabulary.token(match.id);
  for (const std::string& rival : match.rivals) text += " " + rival;
  return text;
}

TEST(GeneNames, VersionsOfEnsemblIdsAreRemoved) {
  EXPECT_EQ(without_ensembl_version("ENSG00000141510.17"), "ENSG00000141510");
  EXPECT_EQ(without_ensembl_version("ENSMUSG00000059552.4"), "ENSMUSG00000059552");
  EXPECT_EQ(without_ensembl_version("ENST00000269305.9"), "ENST00000269305");
  for (const std::string name :
       {"ENSG00000141510", "ENSG00000182378.15_PAR_Y", "ENSG00000141510.", "ENSG00000141510.1a",
        "ENS00000141510.1", "ENSG.1", "ENSA.1", "RP5-973N23.5", "AC004556.1", "NKX2-1", "ENS", ""})
    EXPECT_EQ(without_ensembl_version(name), name);
}

TEST(MapGenes, FindsExactThenUpperCase) {
  const Vocabulary vocabulary({"<pad>", "SOX2", "Nanog", "NANOG", "KLF4"});
  const GeneMapping mapping = map_genes(vocabulary, {"Klf4", "none", "Nanog", "Sox2"});
  EXPECT_EQ(mapping.ids, (std::vector<std::int64_t>{4, 2, 1}));
  EXPECT_EQ(mapping.positions, (std::vector<std::int64_t>{0, 2, 3}));
  EXPECT_EQ(mapping.missing, (std::vector<std::string>{"none"}));
}

TEST(MapGenes, AnExactMatchKeepsItsTokenFromOthers) {
  const GeneMapping mapping = map_genes(Vocabulary({"SOX2"}), {"Sox2", "SOX2"});
  EXPECT_EQ(mapping.positions, (std::vector<std::int64_t>{1}));
  EXPECT_EQ(mapping.missing, (std::vector<std::string>{"Sox2"}));
}

TEST(MapGenes, SaysHowEachGeneWasFound) {
  const Names tokens = {"<pad>", "SOX2", "TP53", "ENSG00000141510", "Nanog"};
  const AliasTable aliases = aliases_of({{"OCT7", "SOX2"}, {"p53", "TP53"}});
  EXPECT_EQ(match_of(tokens, "SOX2", aliases), "exact SOX2");
  EXPECT_EQ(match_of(tokens, "Sox2", aliases), "upper-case SOX2");
  EXPECT_EQ(match_of(tokens, "OCT7", aliases), "alias SOX2");
  EXPECT_EQ(match_of(tokens, "p53", aliases), "alias TP53");
  EXPECT_EQ(match_of(tokens, "ENSG00000141510", aliases), "exact ENSG00000141510");
  EXPECT_EQ(match_of(tokens, "ENSG00000141510.17", aliases), "ensembl ENSG00000141510");
  EXPECT_EQ(match_of(tokens, "ensg00000141510.17", aliases), "upper-case ENSG00000141510");
  EXPECT_EQ(match_of(tokens, "nanog", aliases), "missing");
  EXPECT_EQ(match_of(tokens, "", aliases), "missing");
}

TEST(MapGenes, AnEarlierWayIsTakenWithoutLookingAtLaterOnes) {
  EXPECT_EQ(match_of({"p53", "P53", "TP53"}, "p53", aliases_of({{"p53", "TP53"}})), "exact p53");
  EXPECT_EQ(match_of({"P53", "TP53"}, "p53", aliases_of({{"p53", "TP53"}})), "upper-case P53");
}

TEST(MapGenes, TheVocabularyMayHaveVersionsToo) {
  EXPECT_EQ(match_of({"ENSMUSG00000059552.4"}, "ENSMUSG00000059552"), "ensembl ENSMUSG00000059552.4");
  EXPECT_EQ(match_of({"ENSMUSG00000059552.4"}, "ENSMUSG00000059552.7"), "ensembl ENSMUSG00000059552.4");
  EXPECT_EQ(match_of({"ENSMUSG00000059552.4"}, "ENSMUSG00000059552.4"), "exact ENSMUSG00000059552.4");
  EXPECT_EQ(match_of({"ENSG00000000001.1", "ENSG00000000001.2"}, "ENSG00000000001"),
            "ambiguous ENSG00000000001.1 ENSG00000000001.2");
}

TEST(MapGenes, AliasesAreFoundInTheSameWays) {
  EXPECT_EQ(match_of({"TP53"}, "ENSMUSG00000059552.4", aliases_of({{"ENSMUSG00000059552", "Tp53"}})),
            "alias TP53");
  EXPECT_EQ(match_of({"TP53"}, "ENSMUSG00000059552", aliases_of({{"ENSMUSG00000059552.2", "TP53"}})),
            "alias TP53");
  EXPECT_EQ(match_of({"ENSG00000141510.2"}, "TP53", aliases_of({{"TP53", "ENSG00000141510.17"}})),
            "alias ENSG00000141510.2");
}

TEST(MapGenes, ChainsAndSelfAliasesAreNotFollowed) {
  const AliasTable chain = aliases_of({{"a", "b"}, {"b", "SOX2"}, {"c", "c"}});
  EXPECT_EQ(match_of({"SOX2"}, "a", chain), "missing");
  EXPECT_EQ(match_of({"SOX2"}, "b", chain), "alias SOX2");
  EXPECT_EQ(chain.size(), 2);
}

TEST(MapGenes, SeveralKnownSymbolsAreAmbiguous) {
  const AliasTable aliases = aliases_of({{"x", "A1"}, {"x", "B1"}, {"x", "C1"}, {"y", "A1"}, {"y", "a1"}});
  EXPECT_EQ(match_of({"A1", "C1"}, "x", aliases), "ambiguous A1 C1");
  EXPECT_EQ(match_of({"C1"}, "x", aliases), "alias C1");
  EXPECT_EQ(match_of({"A1"}, "y", aliases), "alias A1");
  const GeneMapping mapping = map_genes(Vocabulary({"A1", "C1"}), {"x"}, aliases);
  EXPECT_TRUE(mapping.ids.empty());
  EXPECT_EQ(mapping.missing, Names{"x"});
}

TEST(MapGenes, SpecialTokensAreNeverFound) {
  const Names tokens = {"<pad>", "<PAD>", "<cls>", "SOX2"};
  EXPECT_EQ(match_of(tokens, "<pad>"), "missing");
  EXPECT_EQ(match_of(tokens, "<Cls>"), "missing");
  EXPECT_EQ(match_of(tokens, "gap", aliases_of({{"gap", "<pad>"}})), "missing");
  EXPECT_TRUE(is_special_token("<cls>"));
  EXPECT_FALSE(is_special_token("<"));
  EXPECT_FALSE(is_special_token("cls>"));
}

TEST(MapGenes, ATokenGoesToTheGeneFoundInTheBetterWay) {
  const Vocabulary vocabulary({"TP53", "ENSG00000000001"});
  const AliasTable aliases = aliases_of({{"p53", "TP53"}, {"BCC7", "TP53"}});
  const Names asked = {"BCC7", "p53", "Tp53", "TP53", "ENSG00000000001.2", "ENSG00000000001.1"};
  const auto winner = [&](std::size_t first) {
    const Names genes(asked.begin() + static_cast<std::ptrdiff_t>(first), asked.end());
    const GeneMapping mapping = map_genes(vocabulary, genes, aliases);
    return genes[static_cast<std::size_t>(mapping.positions.at(0))];
  };
  EXPECT_EQ(winner(0), "TP53");
  EXPECT_EQ(winner(4), "ENSG00000000001.2");
  const GeneMapping mapping = map_genes(vocabulary, {"BCC7", "p53", "Tp53"}, aliases);
  EXPECT_EQ(mapping.positions, Numbers{2});
  EXPECT_EQ(mapping.missing, (Names{"BCC7", "p53"}));
  EXPECT_EQ(mapping.matches[0].match, Match::Duplicate);
  EXPECT_EQ(mapping.matches[0].id, 0);
  EXPECT_EQ(mapping.matches[0].rivals, Names{"Tp53"});
  EXPECT_EQ(map_genes(vocabulary, {"p53", "BCC7"}, aliases).positions, Numbers{0});
}

}  // namespace
}  // namespace regulus::data
