#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace regulus::data {

/// Reads a gene list: one symbol a line, in the order of the file; spaces around a symbol are dropped.
/// \throws InputError if the file is unreadable or empty, a line holds several columns, or a gene is listed
/// twice
std::vector<std::string> read_gene_list(const std::filesystem::path& file);

}  // namespace regulus::data
