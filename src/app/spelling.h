#pragma once

#include <string>
#include <vector>

namespace regulus::app {

/// The known word that a misspelt one most likely means (at most 2 edits, fewer in short words); empty if
/// none is near.
std::string nearest_word(const std::string& word, const std::vector<std::string>& known);

}  // namespace regulus::app
