#pragma once

#include <gtest/gtest.h>

#include <string>

#include "regulus/core/error.h"

namespace regulus::test {

/// Runs `work`, which must throw an Error of this kind; returns its whole text ("" after a failed
/// expectation).
template <typename Work>
std::string error_of(ErrorKind kind, Work&& work) {
  try {
    work();
  } catch (const Error& error) {
    EXPECT_EQ(static_cast<int>(error.kind()), static_cast<int>(kind)) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "no error was thrown";
  return {};
}

/// The text contains every part.
template <typename... Parts>
void expect_mentions(const std::string& text, const Parts&... parts) {
  for (const std::string& part : {std::string(parts)...})
    EXPECT_NE(text.find(part), std::string::npos) << "'" << part << "' is not in: " << text;
}

}  // namespace regulus::test
