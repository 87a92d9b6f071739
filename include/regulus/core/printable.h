#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace regulus {

/// Text of a file as it may stand in a message: printable ASCII, other bytes as '?', cut after `longest`.
std::string printable(std::string_view text, std::size_t longest = 120);

/// Whether the bytes are UTF-8, NUL and other control characters included.
bool is_utf8(std::string_view text);

}  // namespace regulus
