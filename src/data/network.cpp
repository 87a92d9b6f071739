#include "regulus/data/network.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "regulus/core/error.h"
#include "regulus/core/log.h"
#include "regulus/data/text_table.h"
#include "regulus/storage/text_file.h"

namespace regulus::data {

namespace {

std::string lower_case(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

void require_header(const TableReader& table) {
  const auto& header = table.header();
  if (lower_case(header[0]) == "gene1" && lower_case(header[1]) == "gene2") return;
  throw InputError("the header starts with " + header[0] + "," + header[1] + " instead of Gene1,Gene2",
                   table.where(),
                   "the first column is the transcription factor (Gene1), the second its target (Gene2)");
}

std::string quoted_if_needed(const std::string& field) {
  if (field.find_first_of(",\"") == std::string::npos) return field;
  std::string quoted = "\"";
  for (const char c : field) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

}  // namespace

Network make_network(std::string name, std::vector<Edge> edges) {
  const std::size_t listed = edges.size();
  std::erase_if(edges, [](const Edge& edge) { return edge.source == edge.target; });
  const std::size_t self_loops = listed - edges.size();
  std::sort(edges.begin(), edges.end());
  edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
  const std::size_t duplicates = listed - self_loops - edges.size();
  log::info("network {}: {} edges ({} duplicates and {} self-loops dropped)", name, edges.size(), duplicates,
            self_loops);
  return {std::move(name), std::move(edges)};
}

Network read_network(const std::filesystem::path& file) {
  TableReader table(file);
  require_header(table);
  std::vector<Edge> edges;
  const std::vector<std::string>* row = nullptr;
  while (table.next(row)) {
    table.require_width(table.header().size());
    for (std::size_t field = 0; field < 2; ++field)
      if ((*row)[field].empty()) throw InputError("the gene name is empty", table.where(field));
    edges.push_back({(*row)[0], (*row)[1]});
  }
  Network network = make_network(base_name(file), std::move(edges));
  if (network.edges.empty())
    throw InputError("the network has no edge", file.string(), "self-loops and repeated rows do not count");
  return network;
}

void write_network(const std::filesystem::path& file, const Network& network) {
  std::string text = "Gene1,Gene2\n";
  for (const Edge& edge : network.edges)
    text += quoted_if_needed(edge.source) + ',' + quoted_if_needed(edge.target) + '\n';
  storage::write_text_atomically(file, text);
}

}  // namespace regulus::data
