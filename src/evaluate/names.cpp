#include "regulus/evaluate/names.h"

#include <algorithm>

#include "regulus/data/text_table.h"

namespace regulus::evaluate {

std::vector<std::string> distinct_names(const std::vector<std::filesystem::path>& files) {
  std::vector<std::string> plain;
  for (const auto& file : files) plain.push_back(data::base_name(file));
  std::vector<std::string> names = plain;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const std::string folder = files[i].parent_path().filename().string();
    if (std::count(plain.begin(), plain.end(), plain[i]) > 1 && !folder.empty())
      names[i] = folder + "/" + plain[i];
  }
  return names;
}

}  // namespace regulus::evaluate
