#include "regulus/pretrain/corpus.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "regulus/core/error.h"
#include "support/structured_corpus.h"

namespace regulus::pretrain {
namespace {

Corpus two_datasets(double validation_fraction) {
  return Corpus({test::two_programs(40, 6, 1, "B"), test::two_programs(20, 9, 2, "A")}, validation_fraction,
                7);
}

TEST(Corpus, VocabularyIsTheSortedUnionAfterTheSpecialTokens) {
  const auto shared = data::from_dense({"c"}, {"Z", "M"}, {1.0F, 2.0F});
  const auto other = data::from_dense({"c"}, {"M", "A"}, {1.0F, 2.0F});
  const Corpus corpus({shared, other}, 0.0, 1);
  std::vector<std::string> tokens;
  for (std::int64_t id = 0; id < corpus.vocabulary().size(); ++id)
    tokens.push_back(corpus.vocabulary().token(id));
  EXPECT_EQ(tokens, (std::vector<std::string>{"<pad>", "<cls>", "<eoc>", "A", "M", "Z"}));
  EXPECT_EQ(corpus.pad_id(), 0);
  EXPECT_EQ(corpus.gene_ids(0), (std::vector<std::int64_t>{5, 4}));
  EXPECT_EQ(corpus.gene_ids(1), (std::vector<std::int64_t>{4, 3}));
}

TEST(Corpus, EveryCellIsEitherTrainedOnOrHeldOut) {
  const Corpus corpus = two_datasets(0.1);
  EXPECT_EQ(corpus.validation_cells().size(), 6U);  // 4 of 40 and 2 of 20
  EXPECT_EQ(corpus.training_cells(0).size(), 36U);
  EXPECT_EQ(corpus.training_cells(1).size(), 18U);
  std::set<std::pair<std::int32_t, std::int64_t>> seen;
  for (const auto& c : corpus.training_cells()) seen.insert({c.dataset, c.cell});
  for (const auto& c : corpus.validation_cells()) seen.insert({c.dataset, c.cell});
  EXPECT_EQ(seen.size(), 60U);
}

TEST(Corpus, HoldsOutAtLeastOneCellAndKeepsAtLeastOne) {
  EXPECT_EQ(two_datasets(0.001).validation_cells().size(), 2U);
  EXPECT_EQ(two_datasets(0.0).validation_cells().size(), 0U);
  const Corpus corpus = two_datasets(1.0);
  EXPECT_EQ(corpus.training_cells(0).size(), 1U);
  EXPECT_EQ(corpus.training_cells(1).size(), 1U);
}

TEST(Corpus, GeneMeansAreThoseOfTheTrainingCells) {
  const Corpus corpus = two_datasets(0.2);
  const auto dense = corpus.dataset(1).dense();
  for (std::size_t gene = 0; gene < 9; ++gene) {
    double sum = 0.0;
    for (const auto& c : corpus.training_cells(1))
      sum += static_cast<double>(dense[static_cast<std::size_t>(c.cell) * 9 + gene]);
    EXPECT_NEAR(static_cast<double>(corpus.gene_means(1)[gene]), sum / 16.0, 1e-6);
  }
}

TEST(Corpus, ValueMaxIsNearTheLargestTrainingValue) {
  const Corpus corpus({test::two_programs(500, 4, 3)}, 0.0, 1);
  const auto& values = corpus.dataset(0).value;
  EXPECT_LE(corpus.value_max(), static_cast<double>(*std::max_element(values.begin(), values.end())));
  EXPECT_GT(corpus.value_max(), 2.9);  // levels are uniform in [1, 3)
}

TEST(Corpus, HashTellsValuesAndNamesApart) {
  const auto hash = [](float value, const char* gene) {
    return Corpus({data::from_dense({"c", "d"}, {gene, "B"}, {value, 1.0F, 1.0F, 1.0F})}, 0.0, 1).sha256();
  };
  EXPECT_EQ(hash(1.0F, "A"), hash(1.0F, "A"));
  EXPECT_NE(hash(1.0F, "A"), hash(2.0F, "A"));
  EXPECT_NE(hash(1.0F, "A"), hash(1.0F, "C"));
}

TEST(Corpus, RefusesNothing) {
  EXPECT_THROW(Corpus({}, 0.0, 1), InputError);
  EXPECT_THROW(Corpus({data::from_dense({}, {"A"}, {})}, 0.0, 1), InputError);
}

}  // namespace
}  // namespace regulus::pretrain
