#pragma once

#include <optional>
#include <string>

namespace regulus::storage {

/// The first key that an object of this JSON text gives twice, at any depth; plain parsing would keep the
/// last of them without a word. None if the text is not JSON. Takes time in proportion to the text, which
/// parsing with a callback does not: nlohmann's looks through the parent at the end of every object in it.
std::optional<std::string> repeated_key(const std::string& text);

}  // namespace regulus::storage
