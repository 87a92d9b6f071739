#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace regulus::evaluate {

/// A name for every file in the result table: the file name without folder and suffix, with the folder's name
/// before it where several files would share a name ("GENIE3/rankedEdges").
std::vector<std::string> distinct_names(const std::vector<std::filesystem::path>& files);

}  // namespace regulus::evaluate
