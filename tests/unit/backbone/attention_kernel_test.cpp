// The attention kernel against the formulas evaluated plainly in float64, with every instruction set of this
// machine.
#include "backbone/attention_kernel.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "backbone/dual_attention.h"
#include "regulus/core/random.h"
#include "support/instruction_sets.h"

namespace {

using namespace regulus;
using backbone::HeadAttention;
using backbone::HeadRows;

constexpr std::size_t kHeads = 2;  // the head under test is the second
constexpr std::size_t kDirections = 3;

using Rows = std::vector<double>;  // [L, d_h]

/// One head inside packed projections, with directions.
template <typename T>
struct Problem {
  Problem(std::size_t l, std::size_t w, double scale = 1.0) : length(l), width(w) {
    RandomStream random(11, "test.attention", 1000 * l + w);
    for (std::size_t part = 0; part <= kDirections; ++part) {
      packed.emplace_back(length * stride());
      for (T& value : packed.back()) value = static_cast<T>(scale * random.normal());
    }
  }

  std::size_t stride() const { return 3 * kHeads * width; }

  HeadRows<T> rows(std::size_t part) const {
    const T* const q = packed[part].data() + width;
    const auto between = static_cast<std::int64_t>(stride());
    return {q, q + kHeads * width, q + 2 * kHeads * width, between, between};
  }

  /// The keys that are attended to, in order.
  std::vector<std::int64_t> attended() const {
    std::vector<std::int64_t> keys;
    for (std::size_t j = 0; j < length; ++j)
      if (masked.empty() || !masked[j]) keys.push_back(static_cast<std::int64_t>(j));
    return keys;
  }

  T& q(std::size_t part, std::size_t row, std::size_t c) { return packed[part][row * stride() + width + c]; }
  T& k(std::size_t part, std::size_t row, std::size_t c) { return q(part, row, kHeads * width + c); }

  std::size_t length, width;
  std::vector<std::vector<T>> packed;  // primal, directions
  std::vector<bool> masked;            // keys; empty for none
};

/// O, and Ȯ of each direction.
using Results = std::vector<Rows>;

template <typename T>
double dot(const T* a, const T* b, std::size_t n) {
  double sum = 0.0;
  for (std::size_t c = 0; c < n; ++c) sum += static_cast<double>(a[c]) * static_cast<double>(b[c]);
  return sum;
}

/// A of one query, zero at masked keys. \param log_sum log Σ exp(S)
template <typename T>
Rows weights_of_query(const Problem<T>& problem, std::size_t i, double& log_sum) {
  const HeadRows<T> x = problem.rows(0);
  const std::vector<std::int64_t> keys = problem.attended();
  Rows a(problem.length);
  double largest = -std::numeric_limits<double>::infinity();
  const auto score = [&](std::size_t j) {
    return dot(x.q + i * problem.stride(), x.k + j * problem.stride(), problem.width) /
           std::sqrt(static_cast<double>(problem.width));
  };
  for (const std::int64_t j : keys) largest = std::max(largest, score(static_cast<std::size_t>(j)));
  double total = 0.0;
  for (const std::int64_t key : keys) {
    const auto j = static_cast<std::size_t>(key);
    total += a[j] = std::exp(score(j) - largest);
  }
  for (double& value : a) value /= total > 0.0 ? total : 1.0;
  log_sum = largest + std::log(total);
  return a;
}

/// The formulas, row by row.
template <typename T>
Results plain(const Problem<T>& problem) {
  const std::size_t l = problem.length, w = problem.width, stride = problem.stride();
  const HeadRows<T> x = problem.rows(0);
  const double scale = 1.0 / std::sqrt(static_cast<double>(w));
  Results results(1 + kDirections, Rows(l * w));
  for (std::size_t i = 0; i < l; ++i) {
    double log_sum = 0.0;
    const Rows a = weights_of_query(problem, i, log_sum);
    for (std::size_t j = 0; j < l; ++j)
      for (std::size_t c = 0; c < w; ++c) results[0][i * w + c] += a[j] * x.v[j * stride + c];
    for (std::size_t g = 1; g <= kDirections; ++g) {
      const HeadRows<T> t = problem.rows(g);
      double sum = 0.0;
      for (std::size_t j = 0; j < l; ++j) {
        const double s_dot =
            scale * (dot(t.q + i * stride, x.k + j * stride, w) + dot(x.q + i * stride, t.k + j * stride, w));
        const double weighted = a[j] * s_dot;
        sum += weighted;
        for (std::size_t c = 0; c < w; ++c)
          results[g][i * w + c] += weighted * x.v[j * stride + c] + a[j] * t.v[j * stride + c];
      }
      for (std::size_t c = 0; c < w; ++c) results[g][i * w + c] -= sum * results[0][i * w + c];
    }
  }
  return results;
}

/// Which part of a problem the kernel is given.
struct Part {
  std::size_t first_direction = 0, last_direction = 0;
  std::size_t first_query = 0;
  std::size_t queries = 0;  // 0 for all
};

/// The kernel's O and Ȯ of some directions and queries; O is given to it if `given` holds one.
template <typename T>
std::vector<std::vector<T>> evaluate(const Problem<T>& problem, const Part& part,
                                     const std::vector<T>& given = {}, T* log_sums = nullptr) {
  static backbone::AlignedBuffer scratch;
  const std::size_t queries = part.queries == 0 ? problem.length : part.queries;
  const std::vector<std::int64_t> keys = problem.attended();
  std::vector<std::vector<T>> results(1 + part.last_direction - part.first_direction,
                                      std::vector<T>(queries * problem.width));
  const auto rows = [&](std::size_t which) {
    HeadRows<T> all = problem.rows(which);
    all.q += part.first_query * problem.stride();
    return all;
  };
  std::vector<HeadRows<T>> tangents;
  std::vector<T*> tangent_results;
  for (std::size_t g = part.first_direction; g < part.last_direction; ++g) {
    tangents.push_back(rows(1 + g));
    tangent_results.push_back(results[1 + g - part.first_direction].data());
  }
  attend_head(HeadAttention<T>{.queries = static_cast<std::int64_t>(queries),
                               .keys = static_cast<std::int64_t>(keys.size()),
                               .key_rows = problem.masked.empty() ? nullptr : keys.data(),
                               .width = static_cast<std::int64_t>(problem.width),
                               .primal = rows(0),
                               .tangents = tangents,
                               .output_stride = static_cast<std::int64_t>(problem.width),
                               .context = given.empty() ? results[0].data() : nullptr,
                               .given_context = given.empty() ? nullptr : given.data(),
                               .context_tangents = tangent_results,
                               .log_sums = log_sums},
              scratch);
  return results;
}

template <typename T>
double largest_difference(const std::vector<T>& actual, const Rows& expected) {
  double largest = 0.0;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const double difference = std::abs(static_cast<double>(actual[i]) - expected[i]);
    if (!(difference <= largest)) largest = difference;  // NaN included
  }
  return largest;
}

/// Primal alone, dual and directions around a given context, with every instruction set.
template <typename T>
void expect_formulas(const Problem<T>& problem, double tolerance) {
  const Results expected = plain(problem);
  test::for_each_instruction_set([&] {
    const auto primal = evaluate(problem, {})[0];
    EXPECT_LT(largest_difference(primal, expected[0]), tolerance);
    const auto dual = evaluate(problem, {0, 1});
    EXPECT_LT(largest_difference(dual[0], expected[0]), tolerance);
    EXPECT_LT(largest_difference(dual[1], expected[1]), tolerance);
    const auto directions = evaluate(problem, {0, kDirections}, primal);
    for (std::size_t g = 1; g <= kDirections; ++g)
      EXPECT_LT(largest_difference(directions[g], expected[g]), tolerance) << "direction " << g;
  });
}

class AttentionKernel : public ::testing::TestWithParam<std::size_t> {};

TEST_P(AttentionKernel, EqualsTheFormulasAtEveryLength) {
  for (const std::size_t length : {1, 2, 7, 63, 64, 65, 130, 257}) {
    SCOPED_TRACE(length);
    expect_formulas(Problem<double>(length, GetParam()), 1e-12);
    expect_formulas(Problem<float>(length, GetParam(), 0.7), 5e-6);
  }
}

INSTANTIATE_TEST_SUITE_P(HeadDimensions, AttentionKernel, ::testing::Values(4, 5, 8, 16, 24, 32, 64));

template <typename T>
void expect_finite_with_extreme_logits() {
  Problem<T> problem(130, 8);
  for (std::size_t j = 0; j < problem.length; ++j) {
    for (std::size_t c = 0; c < problem.width; ++c) {
      problem.q(0, j, c) = static_cast<T>(j % 3 == 0 ? 60.0 : -60.0);
      problem.k(0, j, c) = static_cast<T>(j % 2 == 0 ? 60.0 : -60.0);  // logits of ±1.02e4
    }
  }
  expect_formulas(problem, sizeof(T) == 8 ? 1e-10 : 5e-4);  // tangents of the logits are of the order of 100
}

TEST(AttentionKernelLimits, ExtremeLogitsSelectTheirKeys) {
  expect_finite_with_extreme_logits<double>();
  expect_finite_with_extreme_logits<float>();
}

TEST(AttentionKernelLimits, OnlyVeryNegativeLogitsAreNoSpecialCase) {
  Problem<double> problem(67, 16);
  for (std::size_t j = 0; j < problem.length; ++j) {
    for (std::size_t c = 0; c < problem.width; ++c) {
      problem.q(0, j, c) = 50.0;
      problem.k(0, j, c) = -50.0;
    }
  }
  expect_formulas(problem, 1e-10);
}

TEST(AttentionKernelLimits, EqualLogitsGiveTheMeanOfTheValues) {
  Problem<double> problem(65, 5);
  for (std::size_t j = 0; j < problem.length; ++j)
    for (std::size_t c = 0; c < problem.width; ++c) problem.k(0, j, c) = 0.25;
  Rows mean(problem.width);
  for (std::size_t j = 0; j < problem.length; ++j)
    for (std::size_t c = 0; c < problem.width; ++c)
      mean[c] += problem.rows(0).v[j * problem.stride() + c] / static_cast<double>(problem.length);
  test::for_each_instruction_set([&] {
    const auto context = evaluate(problem, {})[0];
    for (std::size_t i = 0; i < context.size(); ++i) EXPECT_NEAR(context[i], mean[i % problem.width], 1e-14);
  });
}

TEST(AttentionKernelLimits, NotANumberStaysInSightInTheRowsThatDependOnIt) {
  Problem<float> query(70, 8), key(70, 8);
  query.q(0, 33, 2) = std::numeric_limits<float>::quiet_NaN();
  key.k(0, 69, 1) = std::numeric_limits<float>::quiet_NaN();
  test::for_each_instruction_set([&] {
    const auto one = evaluate(query, {0, 1});
    const auto all = evaluate(key, {0, 1});
    for (std::size_t i = 0; i < one[0].size(); ++i) {
      EXPECT_EQ(std::isnan(one[0][i]), i / 8 == 33) << i;
      EXPECT_EQ(std::isnan(one[1][i]), i / 8 == 33) << i;
      EXPECT_TRUE(std::isnan(all[0][i]) && std::isnan(all[1][i])) << i;
    }
  });
}

TEST(AttentionKernelLimits, TheOtherDirectionsDoNotMatter) {
  const Problem<float> problem(130, 24);
  test::for_each_instruction_set([&] {
    const auto context = evaluate(problem, {})[0];
    const auto together = evaluate(problem, {0, kDirections}, context);
    const auto alone = evaluate(problem, {1, 2});
    EXPECT_EQ(alone[0], context);
    EXPECT_EQ(alone[1], together[2]);
  });
}

TEST(AttentionKernelLimits, PartOfTheQueriesIsPartOfTheResult) {
  const Problem<float> problem(131, 24);
  test::for_each_instruction_set([&] {
    const auto all = evaluate(problem, {0, 2});
    const auto part = evaluate(problem, {0, 2, 40, 51});
    for (std::size_t r = 0; r < all.size(); ++r)
      EXPECT_TRUE(std::equal(part[r].begin(), part[r].end(), all[r].begin() + 40 * 24)) << "result " << r;
  });
}

TEST(AttentionKernelLimits, MaskedKeysAreNotAttendedTo) {
  for (const std::size_t length : {5, 64, 131}) {
    Problem<double> exact(length, 12);
    Problem<float> single(length, 12, 0.7);
    exact.masked.resize(length);
    for (std::size_t j = 0; j < length; ++j) exact.masked[j] = j % 3 == 1 || j + 2 > length;
    single.masked = exact.masked;
    expect_formulas(exact, 1e-12);
    expect_formulas(single, 5e-6);
  }
}

TEST(AttentionKernelLimits, WithEveryKeyMaskedThereIsNothingToAttendTo) {
  Problem<double> problem(30, 8);
  problem.masked.assign(30, true);
  test::for_each_instruction_set([&] {
    for (const auto& result : evaluate(problem, {0, kDirections}))
      EXPECT_EQ(result, std::vector<double>(30 * 8, 0.0));
  });
}

TEST(AttentionKernelLimits, LogSumsFindTheWeightsAgain) {
  const Problem<double> problem(70, 8);
  test::for_each_instruction_set([&] {
    std::vector<double> log_sums(70);
    evaluate(problem, {}, {}, log_sums.data());
    for (std::size_t i = 0; i < 70; ++i) {
      double expected = 0.0;
      weights_of_query(problem, i, expected);
      EXPECT_NEAR(log_sums[i] * std::log(2.0), expected, 1e-13);
    }
  });
}

class AttentionBatch : public ::testing::Test {
 protected:
  void SetUp() override { at::manual_seed(5); }
  void TearDown() override { at::set_num_threads(threads_); }

  int threads_ = at::get_num_threads();
};

TEST_F(AttentionBatch, StatesAndThreadsDoNotMatter) {
  const at::Tensor qkv = at::randn({2, 5, 70, 3 * 48});
  at::Tensor together = at::empty({2, 5, 70, 48});
  at::set_num_threads(2);
  backbone::attend_dual(qkv, 3, together);
  at::set_num_threads(1);
  for (std::int64_t b = 0; b < 5; ++b) {
    at::Tensor dual = at::empty({2, 1, 70, 48});
    at::Tensor primal = at::empty({1, 70, 48});
    backbone::attend_dual(qkv.narrow(1, b, 1).contiguous(), 3, dual);
    backbone::attend(qkv[0].narrow(0, b, 1), 3, primal);
    EXPECT_TRUE(at::equal(dual, together.narrow(1, b, 1)));
    EXPECT_TRUE(at::equal(primal, together[0].narrow(0, b, 1)));
  }
}

TEST_F(AttentionBatch, DirectionsBeyondOneGroupEqualTheDualPass) {
  const std::int64_t directions = 19;
  const at::Tensor qkv = at::randn({70, 3 * 48}, at::kDouble);
  const at::Tensor tangents = at::randn({directions, 70, 3 * 48}, at::kDouble);
  at::Tensor context = at::empty({1, 70, 48}, at::kDouble);
  backbone::attend(qkv.unsqueeze(0), 3, context);
  at::Tensor together = at::empty({directions, 70, 48}, at::kDouble);
  backbone::attend_tangents(qkv, tangents, context[0], 3, together);
  at::Tensor dual = at::empty({2, directions, 70, 48}, at::kDouble);
  backbone::attend_dual(at::stack({qkv.expand_as(tangents), tangents}), 3, dual);
  EXPECT_TRUE(at::equal(together, dual[1]));
}

}  // namespace
