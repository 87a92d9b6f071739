#include "regulus/core/printable.h"

namespace regulus {

std::string printable(std::string_view text, std::size_t longest) {
  std::string shown(text.substr(0, longest));
  for (char& c : shown)
    if (c < ' ' || c > '~') c = '?';
  return shown + (text.size() > longest ? "..." : "");
}

}  // namespace regulus
