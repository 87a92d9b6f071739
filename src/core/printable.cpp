#include "regulus/core/printable.h"

#include <nlohmann/json.hpp>

namespace regulus {

std::string printable(std::string_view text, std::size_t longest) {
  std::string shown(text.substr(0, longest));
  for (char& c : shown)
    if (c < ' ' || c > '~') c = '?';
  return shown + (text.size() > longest ? "..." : "");
}

bool is_utf8(std::string_view text) {
  try {
    (void)nlohmann::json(text).dump();  // the library refuses anything else
    return true;
  } catch (const nlohmann::json::exception&) {
    return false;
  }
}

}  // namespace regulus
