// Names inside the working file of scores.
#pragma once

namespace regulus::translator::layout {

inline constexpr const char* kLogit = "logit";
inline constexpr const char* kSpread = "spread";
inline constexpr const char* kObserved = "observed";
inline constexpr const char* kNull = "null";

}  // namespace regulus::translator::layout
