#include "regulus/core/random.h"

#include <Random123/philox.h>

#include <cmath>
#include <numbers>
#include <numeric>

namespace regulus {

namespace {

/// FNV-1a: tells the purposes apart; not cryptographic.
std::uint64_t hash(const char* text) {
  std::uint64_t value = 0xcbf29ce484222325ULL;
  for (const char* c = text; *c != '\0'; ++c) {
    value ^= static_cast<unsigned char>(*c);
    value *= 0x100000001b3ULL;
  }
  return value;
}

std::uint32_t low(std::uint64_t value) {
  return static_cast<std::uint32_t>(value);
}
std::uint32_t high(std::uint64_t value) {
  return static_cast<std::uint32_t>(value >> 32);
}

}  // namespace

RandomStream::RandomStream(std::uint64_t seed, const char* purpose, std::uint64_t index) {
  // The key mixes seed and purpose through one Philox block; words 1 and 2 of the counter carry the index and
  // word 0 counts the blocks, so one stream holds 2^34 numbers.
  const std::uint64_t p = hash(purpose);
  const auto mixed =
      r123::Philox4x32()({{low(p), high(p), low(seed), high(seed)}}, {{0x72656775U, 0x6c757321U}});
  key_ = {mixed[0], mixed[1]};
  counter_ = {0, low(index), high(index), mixed[2]};
}

void RandomStream::refill() {
  const auto block =
      r123::Philox4x32()({{counter_[0], counter_[1], counter_[2], counter_[3]}}, {{key_[0], key_[1]}});
  block_ = {block[0], block[1], block[2], block[3]};
  ++counter_[0];
  used_ = 0;
}

std::uint32_t RandomStream::next_u32() {
  if (used_ == 4) refill();
  return block_[static_cast<std::size_t>(used_++)];
}

double RandomStream::uniform() {
  const std::uint64_t a = next_u32() >> 5;
  const std::uint64_t b = next_u32() >> 6;
  return static_cast<double>(a * 67108864ULL + b) / 9007199254740992.0;
}

double RandomStream::normal() {
  if (has_spare_) {
    has_spare_ = false;
    return spare_;
  }
  const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
  const double angle = 2.0 * std::numbers::pi * uniform();
  spare_ = radius * std::sin(angle);
  has_spare_ = true;
  return radius * std::cos(angle);
}

std::uint64_t RandomStream::below(std::uint64_t n) {
  const std::uint64_t limit = ~0ULL - ~0ULL % n;
  std::uint64_t draw = 0;
  do {
    draw = (static_cast<std::uint64_t>(next_u32()) << 32) | next_u32();
  } while (draw >= limit);
  return draw % n;
}

double RandomStream::gamma(double shape) {
  // Marsaglia and Tsang (2000); shapes below one through the boost of the same paper.
  if (shape < 1.0) return gamma(shape + 1.0) * std::pow(1.0 - uniform(), 1.0 / shape);
  const double d = shape - 1.0 / 3.0;
  const double c = 1.0 / std::sqrt(9.0 * d);
  for (;;) {
    const double x = normal();
    const double v = std::pow(1.0 + c * x, 3.0);
    if (v <= 0.0) continue;
    if (std::log(1.0 - uniform()) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
  }
}

std::uint64_t RandomStream::poisson(double mean) {
  // Large means as a sum of independent Poisson draws; Knuth's product method for the rest.
  std::uint64_t total = 0;
  while (mean > 30.0) {
    total += poisson(30.0);
    mean -= 30.0;
  }
  const double threshold = std::exp(-mean);
  double product = 1.0 - uniform();
  while (product > threshold) {
    product *= 1.0 - uniform();
    ++total;
  }
  return total;
}

std::vector<std::int64_t> RandomStream::sample(std::int64_t n, std::int64_t count) {
  std::vector<std::int64_t> items(static_cast<std::size_t>(n));
  std::iota(items.begin(), items.end(), 0);
  for (std::int64_t i = 0; i < count; ++i) {
    const auto j = i + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(n - i)));
    std::swap(items[static_cast<std::size_t>(i)], items[static_cast<std::size_t>(j)]);
  }
  items.resize(static_cast<std::size_t>(count));
  return items;
}

}  // namespace regulus
