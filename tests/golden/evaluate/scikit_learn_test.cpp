// AUPRC and AUROC against scikit-learn, on random scores with and without ties.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iomanip>
#include <string>
#include <vector>

#include "regulus/core/random.h"
#include "regulus/evaluate/metrics.h"
#include "support/temp_folder.h"

namespace regulus::evaluate {
namespace {

constexpr const char* kPython = "/usr/bin/python3";
constexpr const char* kScript = R"(
import sys
import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score
cases = {}
for line in open(sys.argv[1]):
    case, score, label = line.split()
    cases.setdefault(int(case), []).append((float(score), int(label)))
with open(sys.argv[2], 'w') as out:
    for case in sorted(cases):
        score, label = np.array(cases[case]).T
        out.write('%.17g %.17g\n' % (average_precision_score(label, score), roc_auc_score(label, score)))
)";

bool has_scikit_learn() {
  return std::system((std::string(kPython) + " -c 'import sklearn' >/dev/null 2>&1").c_str()) == 0;
}

struct Case {
  std::vector<double> score;
  std::vector<std::uint8_t> label;
};

/// \param distinct 0 for continuous scores, else the number of values that scores can take
Case random_case(std::uint64_t index, int pairs, double density, std::uint64_t distinct) {
  RandomStream random(17, "test.scikit-learn", index);
  Case result;
  for (int pair = 0; pair < pairs; ++pair) {
    const bool positive = pair == 0 || (pair > 1 && random.uniform() < density);
    result.label.push_back(positive ? 1 : 0);
    result.score.push_back(distinct == 0 ? random.normal() + (positive ? 0.7 : 0.0)
                                         : static_cast<double>(random.below(distinct) + (positive ? 1 : 0)));
  }
  return result;
}

TEST(ScikitLearn, AgreesOnRandomScoresWithTies) {
  if (!has_scikit_learn()) GTEST_SKIP() << "reason: " << kPython << " has no scikit-learn";
  std::vector<Case> cases;
  for (const int pairs : {2, 3, 10, 100, 2000})
    for (const double density : {0.05, 0.5})
      for (const std::uint64_t distinct : {0, 2, 5, 50})
        cases.push_back(random_case(cases.size(), pairs, density, distinct));
  const test::TempFolder folder;
  std::ofstream(folder / "check.py") << kScript;
  {
    std::ofstream out(folder / "cases.txt");
    out << std::setprecision(17);
    for (std::size_t c = 0; c < cases.size(); ++c)
      for (std::size_t pair = 0; pair < cases[c].score.size(); ++pair)
        out << c << ' ' << cases[c].score[pair] << ' ' << int{cases[c].label[pair]} << '\n';
  }
  const std::string command = std::string(kPython) + " " + (folder / "check.py").string() + " " +
                              (folder / "cases.txt").string() + " " + (folder / "expected.txt").string();
  ASSERT_EQ(std::system(command.c_str()), 0);
  std::ifstream expected(folder / "expected.txt");
  for (std::size_t c = 0; c < cases.size(); ++c) {
    double precision = 0.0;
    double area = 0.0;
    ASSERT_TRUE(expected >> precision >> area);
    EXPECT_NEAR(average_precision(cases[c].score, cases[c].label), precision, 1e-12) << "case " << c;
    EXPECT_NEAR(auroc(cases[c].score, cases[c].label), area, 1e-12) << "case " << c;
  }
}

}  // namespace
}  // namespace regulus::evaluate
