#include "regulus/backbone/work.h"

#include <algorithm>

namespace regulus::backbone {

namespace {

/// Multiply-adds of one forward pass.
struct Products {
  double linear = 0.0;
  double attention = 0.0;

  Products& operator+=(const Products& other) {
    linear += other.linear;
    attention += other.attention;
    return *this;
  }
};

/// Sizes as floating point numbers: L² d overflows no integer then.
struct Sizes {
  explicit Sizes(const PassShape& shape)
      : d(static_cast<double>(shape.width)),
        hidden(static_cast<double>(shape.hidden)),
        length(static_cast<double>(shape.length)),
        targets(static_cast<double>(shape.targets)) {}
  double d, hidden, length, targets;
};

/// q, k and v, the scores and their weighted values.
Products attend(const Sizes& s, double queries) {
  return {(queries + 2.0 * s.length) * s.d * s.d, 2.0 * queries * s.length * s.d};
}

/// Output projection and feed-forward block.
Products after_attention(const Sizes& s, double queries) {
  return {queries * s.d * (s.d + 2.0 * s.hidden), 0.0};
}

/// Two hidden layers of width d and one output.
Products decode(const Sizes& s) {
  return {s.targets * s.d * (2.0 * s.d + 1.0), 0.0};
}

Products forward(const PassShape& shape, bool shares_first_layer) {
  const Sizes s(shape);
  Products sum = decode(s);
  for (std::int64_t layer = 0; layer < shape.layers; ++layer) {
    const double queries = layer + 1 == shape.layers ? s.targets : s.length;
    if (layer > 0 || !shares_first_layer) sum += attend(s, queries);
    sum += after_attention(s, queries);
  }
  return sum;
}

double flops(const Products& forward, double linear, double attention) {
  return 2.0 * (linear * forward.linear + attention * forward.attention);
}

}  // namespace

double engine_workspace_bytes(const PassShape& shape, int threads) {
  constexpr double kBatchPositions = 512.0;
  constexpr double kSharing = 8.0;  // tangents around one primal in a batch
  const Sizes s(shape);
  const auto heads = static_cast<double>(shape.heads);
  const auto layers = static_cast<double>(shape.layers);
  const double records = s.length * (4.0 * s.d + heads + layers * (6.0 * s.d + s.hidden + heads));
  const double rows = std::max(2.0 * std::max(s.length, kBatchPositions), kSharing * s.length);
  return sizeof(float) * (records + threads * rows * (2.0 * s.d + std::max(3.0 * s.d, s.hidden)));
}

double primal_flops(const PassShape& shape) {
  return flops(forward(shape, false), 1.0, 1.0);
}

double forward_pass_flops(const PassShape& shape) {
  return flops(forward(shape, true), 1.0, 1.0);
}

double dual_pass_flops(const PassShape& shape) {
  return flops(forward(shape, true), 2.0, 3.0);
}

double tangent_pass_flops(const PassShape& shape) {
  return flops(forward(shape, true), 1.0, 2.0);
}

}  // namespace regulus::backbone
