#include "printable.h"

namespace regulus::storage {

std::string printable(std::string_view text) {
  constexpr std::size_t kLongest = 120;
  std::string shown(text.substr(0, kLongest));
  for (char& c : shown)
    if (c < ' ' || c > '~') c = '?';
  return shown + (text.size() > kLongest ? "..." : "");
}

}  // namespace regulus::storage
