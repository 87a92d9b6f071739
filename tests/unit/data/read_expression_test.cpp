#include <gtest/gtest.h>

#include "h5ad_sample.h"
#include "regulus/data/expression.h"
#include "regulus/data/h5ad.h"
#include "regulus/storage/hdf5.h"
#include "support/expect_error.h"
#include "support/temp_folder.h"
#include "text.h"

namespace regulus::data {
namespace {

using test::error_of;
using test::expect_mentions;

TEST(ReadExpression, TakesWhatRegulusPrepared) {
  const test::TempFolder folder;
  const Expression counts = from_dense({"one"}, {"A", "B"}, {1, 3});
  for (const ValueScale scale : {ValueScale::Counts, ValueScale::LogNormalised, ValueScale::Other}) {
    write_h5ad(folder / "x.h5ad", counts, {scale, "{}", {}});
    EXPECT_EQ(read_expression(folder / "x.h5ad").dense(), counts.dense()) << to_string(scale);
  }
}

TEST(ReadExpression, TakesFilesFromElsewhereOnlyIfLogNormalised) {
  const test::TempFolder folder;
  test::SparseSample sample;
  EXPECT_EQ(read_expression(test::write_sample(folder / "x.h5ad", sample)).gene_count(), 3);
  sample.data = {1, 2, 4, 5};
  const auto counts = test::write_sample(folder / "counts.h5ad", sample);
  expect_mentions(error_of(ErrorKind::Input, [&] { read_expression(counts); }), "raw counts",
                  "regulus prepare");
  sample.data = {1, 2, 400, 0.5};
  const auto unclear = test::write_sample(folder / "tpm.h5ad", sample);
  expect_mentions(error_of(ErrorKind::Input, [&] { read_expression(unclear); }), "not look log-normalised");
}

TEST(ReadExpression, SendsTablesToPrepare) {
  const test::TempFolder folder;
  const auto table = test::write_file(folder / "x.csv", ",c_1\nSOX2,1\n");
  expect_mentions(error_of(ErrorKind::Input, [&] { read_expression(table); }), "not an .h5ad",
                  "regulus prepare");
}

TEST(ReadExpression, RefusesAnUnknownScale) {
  const test::TempFolder folder;
  auto file = storage::H5File::create(folder / "y.h5ad");
  file.write_string("/uns/regulus/scale", "cubic");
  file.close();
  expect_mentions(error_of(ErrorKind::Input, [&] { read_h5ad_scale(folder / "y.h5ad"); }),
                  "unknown scale 'cubic'");
}

}  // namespace
}  // namespace regulus::data
