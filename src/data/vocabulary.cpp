#include "regulus/data/vocabulary.h"

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <unordered_set>
#include <utility>

#include "regulus/core/error.h"
#include "regulus/core/printable.h"
#include "regulus/storage/strict_json.h"
#include "regulus/storage/text_file.h"

namespace regulus::data {

namespace {

using Json = nlohmann::json;

[[noreturn]] void refuse(const std::filesystem::path& file, const std::string& message) {
  throw ModelError(message, file.string(),
                   "vocab.json must be one object that maps every token to its id, 0 to N-1");
}

Json parse_without_duplicates(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw ModelError("cannot be read", file.string(), "a model folder needs its vocab.json");
  const std::string text((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  if (const auto repeated = storage::repeated_key(text))
    refuse(file, "the token '" + printable(*repeated) + "' appears twice");
  try {
    return Json::parse(text);
  } catch (const Json::exception& failure) {
    refuse(file, "is not valid JSON: " + printable(failure.what(), 300));
  }
}

std::size_t checked_id(const std::filesystem::path& file, const std::string& token, const Json& id,
                       std::size_t size) {
  if (!id.is_number_integer()) refuse(file, "the id of '" + printable(token) + "' is not an integer");
  const bool in_range = id.is_number_unsigned() && id.get<std::uint64_t>() < size;
  if (!in_range)
    refuse(file, "the id " + id.dump() + " of '" + printable(token) + "' is outside 0 to " +
                     std::to_string(size - 1) + ", so the ids have gaps");
  return id.get<std::size_t>();
}

}  // namespace

Vocabulary::Vocabulary(std::vector<std::string> tokens_by_id) : tokens_(std::move(tokens_by_id)) {
  if (tokens_.empty()) throw ModelError("the vocabulary is empty");
  for (const std::string& token : tokens_) {
    if (token.empty()) throw ModelError("the vocabulary has an empty token");
    if (!ids_.emplace(token, static_cast<std::int64_t>(ids_.size())).second)
      throw ModelError("the vocabulary has the token '" + printable(token) + "' twice");
  }
}

Vocabulary Vocabulary::read(const std::filesystem::path& file) {
  const Json json = parse_without_duplicates(file);
  if (!json.is_object() || json.empty()) refuse(file, "is not a JSON object with tokens");
  std::vector<std::string> tokens(json.size());
  for (const auto& [token, id] : json.items()) {
    if (token.empty()) refuse(file, "has an empty token");
    std::string& slot = tokens[checked_id(file, token, id, tokens.size())];
    if (!slot.empty())
      refuse(file, "the tokens '" + printable(slot) + "' and '" + printable(token) + "' have the same id " +
                       id.dump());
    slot = token;
  }
  return Vocabulary(std::move(tokens));
}

void Vocabulary::write(const std::filesystem::path& file) const {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  auto& entries = json.get_ref<nlohmann::ordered_json::object_t&>();
  entries.reserve(tokens_.size());
  for (std::size_t id = 0; id < tokens_.size(); ++id) entries.emplace_back(tokens_[id], id);
  storage::write_text_atomically(file, json.dump(2) + "\n");
}

std::optional<std::int64_t> Vocabulary::find(const std::string& token) const {
  const auto entry = ids_.find(token);
  if (entry == ids_.end()) return std::nullopt;
  return entry->second;
}

std::string upper_case(std::string symbol) {
  for (char& c : symbol)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return symbol;
}

GeneMapping map_genes(const Vocabulary& vocabulary, const std::vector<std::string>& genes) {
  std::vector<std::optional<std::int64_t>> found(genes.size());
  std::unordered_set<std::int64_t> taken;
  const auto look_up = [&](std::size_t position, const std::string& name) {
    if (found[position]) return;
    const std::optional<std::int64_t> id = vocabulary.find(name);
    if (id && taken.insert(*id).second) found[position] = id;
  };
  for (std::size_t i = 0; i < genes.size(); ++i) look_up(i, genes[i]);
  for (std::size_t i = 0; i < genes.size(); ++i) look_up(i, upper_case(genes[i]));
  GeneMapping mapping;
  for (std::size_t i = 0; i < genes.size(); ++i) {
    if (!found[i]) {
      mapping.missing.push_back(genes[i]);
      continue;
    }
    mapping.ids.push_back(*found[i]);
    mapping.positions.push_back(static_cast<std::int64_t>(i));
  }
  return mapping;
}

}  // namespace regulus::data
