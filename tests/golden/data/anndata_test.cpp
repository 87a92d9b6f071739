// Files of the real anndata are read as it meant them, and ours are read by it.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "regulus/data/h5ad.h"
#include "support/temp_folder.h"

namespace regulus::data {
namespace {

using Texts = std::vector<std::string>;

bool run_python(const std::string& arguments) {
  const std::string script = std::string(REGULUS_SOURCE_DIR) + "/tests/golden/data/anndata_files.py ";
  return std::system(("/usr/bin/python3 -W ignore " + script + arguments).c_str()) == 0;
}

class AnnData : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!run_python("check 2> /dev/null"))
      GTEST_SKIP() << "reason: /usr/bin/python3 has no anndata (python3-anndata)";
  }
  test::TempFolder folder_;
};

TEST_F(AnnData, EveryLayoutAndTypeIsRead) {
  ASSERT_TRUE(run_python("write " + folder_.path().string()));
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
    const std::string name = entry.path().filename().string();
    const Expression expression = read_h5ad(entry.path());
    EXPECT_EQ(expression.cells, (Texts{"one", "two", "é"})) << name;
    EXPECT_EQ(expression.genes, (Texts{"A", "B", "C", "D"})) << name;
    EXPECT_EQ(expression.dense(), (std::vector<float>{1, 0, 2, 0, 0, 0, 0, 3, 4, 0, 0, 250})) << name;
    ++files;
    if (name.starts_with("records")) continue;
    EXPECT_EQ(read_obs_column(entry.path(), "kind"), (Texts{"left", "right", "left"})) << name;
    EXPECT_EQ(read_obs_column(entry.path(), "batch"), (Texts{"x", "y", "z"})) << name;
    EXPECT_EQ(read_obs_column(entry.path(), "size"), (Texts{"1", "2", "3"})) << name;
    EXPECT_EQ(read_obs_column(entry.path(), "good"), (Texts{"1", "0", "1"})) << name;
  }
  EXPECT_EQ(files, 25);
}

TEST_F(AnnData, OurFilesAreReadByAnndata) {
  const Expression expression = from_dense({"one", "two", "é"}, {"A", "B"}, {1.25F, 0, 0, 0, 3, 0.5F});
  write_h5ad(folder_ / "ours.h5ad", expression,
             {ValueScale::LogNormalised, R"({"seed": 1})", {"p", "p", "q"}});
  ASSERT_TRUE(run_python("dump " + (folder_ / "ours.h5ad").string() + " > " + (folder_ / "dump").string()));
  std::ifstream dump(folder_ / "dump");
  Texts lines;
  for (std::string line; std::getline(dump, line);) lines.push_back(line);
  EXPECT_EQ(lines, (Texts{"csr_matrix float32", "one two é", "A B", "1.25 0 0 0 3 0.5", "dataset=p,p,q",
                          R"(log-normalised {"seed": 1})"}));
}

TEST_F(AnnData, OurFilesWithoutDatasetsAreReadByAnndata) {
  write_h5ad(folder_ / "ours.h5ad", from_dense({"one"}, {"A", "B"}, {0, 0}), {ValueScale::Counts, "{}", {}});
  ASSERT_TRUE(run_python("dump " + (folder_ / "ours.h5ad").string() + " > " + (folder_ / "dump").string()));
  std::ifstream dump(folder_ / "dump");
  std::string line;
  std::getline(dump, line);
  EXPECT_EQ(line, "csr_matrix float32");
}

}  // namespace
}  // namespace regulus::data
