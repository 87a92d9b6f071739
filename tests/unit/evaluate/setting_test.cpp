#include "regulus/evaluate/setting.h"

#include <gtest/gtest.h>

#include <set>

#include "regulus/core/error.h"
#include "regulus/core/random.h"
#include "regulus/data/network.h"
#include "regulus/translator/pairs.h"

namespace regulus::evaluate {
namespace {

using translator::CandidateOptions;
using translator::LabelledPairs;
using translator::Negatives;
using translator::Protocol;

const TrainingGenes kGenes{{"A", "b"}, {"C", "D"}};

TEST(Setting, AutoFollowsWhatTheTranslatorWasTrainedOn) {
  EXPECT_EQ(choose_setting("auto", true, true, kGenes), Setting::UnseenGenes);
  EXPECT_EQ(choose_setting("auto", false, true, kGenes), Setting::UnseenDatasets);
  EXPECT_EQ(choose_setting("auto", true, true, {{"A"}, {}}), Setting::UnseenDatasets);
  EXPECT_EQ(choose_setting("auto", false, false, kGenes), Setting::AllGenes);
  EXPECT_EQ(choose_setting("unseen-genes", false, false, kGenes), Setting::UnseenGenes);
  EXPECT_EQ(choose_setting("unseen-datasets", true, true, kGenes), Setting::UnseenDatasets);
}

TEST(Setting, ImpossibleOnesAreRefused) {
  EXPECT_THROW(choose_setting("unseen-genes", true, true, {{"A"}, {}}), InputError);
  EXPECT_THROW(choose_setting("unseen", true, true, kGenes), OptionError);
}

TEST(Setting, AdmitsItsGenesWhateverTheirCase) {
  EXPECT_TRUE(genes_of(Setting::UnseenGenes, kGenes).admits("c"));
  EXPECT_FALSE(genes_of(Setting::UnseenGenes, kGenes).admits("E"));
  EXPECT_FALSE(genes_of(Setting::UnseenDatasets, kGenes).admits("B"));
  EXPECT_TRUE(genes_of(Setting::UnseenDatasets, kGenes).admits("E"));
  EXPECT_TRUE(genes_of(Setting::AllGenes, kGenes).admits("A"));
}

/// Random networks over 12 sources and 60 targets (the sources are targets too).
class CandidateProperties : public ::testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    RandomStream random(static_cast<std::uint64_t>(GetParam()), "test.candidates");
    for (int gene = 0; gene < 60; ++gene) targets_.push_back("G" + std::to_string(gene));
    sources_.assign(targets_.begin(), targets_.begin() + 12);
    std::vector<data::Edge> edges;
    for (int edge = 0; edge < 70; ++edge) edges.push_back({pick(random, sources_), pick(random, targets_)});
    network_ = data::make_network("random", edges);
    for (const auto& gene : targets_) {
      if (random.uniform() < 0.3) genes_.seen.push_back(gene);
      if (random.uniform() < 0.5) genes_.holdout.push_back(gene);
    }
  }

  LabelledPairs pairs(Protocol protocol, Negatives negatives, Setting setting) const {
    const CandidateOptions options{protocol, negatives, 11, genes_of(setting, genes_), true};
    return translator::candidate_pairs(sources_, targets_, network_, options);
  }

  std::string source(const LabelledPairs& pairs, std::size_t i) const {
    return sources_[static_cast<std::size_t>(pairs.source[i])];
  }
  std::string target(const LabelledPairs& pairs, std::size_t i) const {
    return targets_[static_cast<std::size_t>(pairs.target[i])];
  }

  static std::string pick(RandomStream& random, const std::vector<std::string>& from) {
    return from[static_cast<std::size_t>(random.below(from.size()))];
  }

  std::vector<std::string> sources_, targets_;
  data::Network network_;
  TrainingGenes genes_;
};

TEST_P(CandidateProperties, LabelsAreTheNetworkAndNoPairIsSelfOrTwice) {
  const std::set<data::Edge> truth(network_.edges.begin(), network_.edges.end());
  for (const auto protocol : {Protocol::Full, Protocol::Balanced}) {
    const auto all = pairs(protocol, Negatives::Uniform, Setting::AllGenes);
    std::set<data::Edge> distinct;
    for (std::size_t i = 0; i < all.label.size(); ++i) {
      const data::Edge edge{source(all, i), target(all, i)};
      EXPECT_NE(edge.source, edge.target);
      EXPECT_EQ(all.label[i] == 1, truth.contains(edge));
      EXPECT_TRUE(distinct.insert(edge).second);
    }
    EXPECT_EQ(all.positives(), static_cast<std::int64_t>(truth.size()));
    EXPECT_EQ(all.size(), protocol == Protocol::Full ? 12 * 59 : 2 * all.positives());
  }
}

TEST_P(CandidateProperties, PerSourceNegativesKeepTheOutDegree) {
  const auto balanced = pairs(Protocol::Balanced, Negatives::PerSource, Setting::AllGenes);
  std::vector<int> surplus(sources_.size(), 0);
  for (std::size_t i = 0; i < balanced.label.size(); ++i)
    surplus[static_cast<std::size_t>(balanced.source[i])] += balanced.label[i] == 1 ? 1 : -1;
  EXPECT_EQ(surplus, std::vector<int>(sources_.size(), 0));
}

TEST_P(CandidateProperties, SettingsKeepExactlyTheirPairs) {
  const std::set<std::string> seen(genes_.seen.begin(), genes_.seen.end());
  const std::set<std::string> holdout(genes_.holdout.begin(), genes_.holdout.end());
  const auto count = [&](auto&& admitted) {
    std::int64_t pairs = 0;
    for (const auto& s : sources_)
      for (const auto& t : targets_) pairs += s != t && admitted(s) && admitted(t) ? 1 : 0;
    return pairs;
  };
  const auto unseen = pairs(Protocol::Full, Negatives::Uniform, Setting::UnseenDatasets);
  EXPECT_EQ(unseen.size(), count([&](const auto& gene) { return !seen.contains(gene); }));
  for (std::size_t i = 0; i < unseen.label.size(); ++i)
    EXPECT_FALSE(seen.contains(source(unseen, i)) || seen.contains(target(unseen, i)));
  const auto held_out = pairs(Protocol::Full, Negatives::Uniform, Setting::UnseenGenes);
  EXPECT_EQ(held_out.size(), count([&](const auto& gene) { return holdout.contains(gene); }));
  for (std::size_t i = 0; i < held_out.label.size(); ++i)
    EXPECT_TRUE(holdout.contains(source(held_out, i)) && holdout.contains(target(held_out, i)));
}

INSTANTIATE_TEST_SUITE_P(Seeds, CandidateProperties, ::testing::Range(0, 5));

}  // namespace
}  // namespace regulus::evaluate
