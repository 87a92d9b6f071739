#pragma once

#include <string>
#include <string_view>

namespace regulus::storage {

/// Text of a file as it may stand in a message: printable ASCII, shortened.
std::string printable(std::string_view text);

}  // namespace regulus::storage
