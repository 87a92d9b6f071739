#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace regulus::translator {

/// What happens to a feature before it is centred. Asinh: x -> asinh(x / scale), linear for the small half of
/// the responses and logarithmic above, so that the few very strong responses of a scFM do not set the
/// standard deviation for all the others. None: x unchanged.
enum class Transform { None, Asinh };

Transform parse_transform(const std::string& text);  ///< none | asinh \throws OptionError
std::string to_string(Transform transform);

/// Makes every feature column comparable: (T(x) - mean) / std, with T the transform. Fitted on training pairs
/// only and never again; it travels with the weights.
struct Standardiser {
  Transform transform = Transform::None;
  std::vector<double>
      scale;  ///< per column: median of |x|; their mean where the median is 0; 1 without a transform
  std::vector<double> mean;  ///< per column, of T(x)
  std::vector<double> std;   ///< per column, of T(x) (divided by n); 1 where the column is constant

  std::int64_t width() const { return static_cast<std::int64_t>(mean.size()); }

  /// \param values [pairs, width]
  /// \param rows   the pairs to fit on, at least one; the result depends on the set of rows up to rounding,
  /// and on
  ///               their order in the last bits
  static Standardiser fit(std::span<const float> values, std::int64_t width,
                          std::span<const std::int64_t> rows, Transform transform);

  /// \param row  [width] of raw features \param out [width] of standardised ones; may be the same memory
  void apply(const float* row, float* out) const;
};

}  // namespace regulus::translator
