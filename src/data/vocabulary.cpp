#include "regulus/data/vocabulary.h"

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <unordered_set>
#include <utility>

#include "regulus/core/error.h"
#include "regulus/core/printable.h"
#include "regulus/storage/text_file.h"

namespace regulus::data {

namespace {

using Json = nlohmann::json;

[[noreturn]] void refuse(const std::filesystem::path& file, const std::string& message) {
  throw ModelError(message, file.string(),
                   "vocab.json must be one object that maps every token to its id, 0 to N-1");
}

/// Takes the tokens and ids as the parser meets them: a plain parse would keep the last of two equal keys
/// without a word, and would build whatever nested values the file holds before they could be refused.
class TokenHandler {
 public:
  struct Entry {
    std::string token;
    std::uint64_t id;
  };

  explicit TokenHandler(const std::filesystem::path& file) : file_(file) {}

  std::vector<Entry> take() { return std::move(entries_); }

  bool start_object(std::size_t /*size*/) {
    if (inside_) not_an_integer();
    inside_ = true;
    return true;
  }
  bool end_object() { return true; }
  bool key(std::string& token) {
    if (token.empty()) refuse(file_, "has an empty token");
    if (!seen_.insert(token).second) refuse(file_, "the token '" + printable(token) + "' appears twice");
    token_ = token;
    return true;
  }
  bool number_unsigned(std::uint64_t id) {
    require_object();
    entries_.push_back({std::move(token_), id});
    return true;
  }
  bool number_integer(std::int64_t id) {
    require_object();
    refuse(file_, "the id " + std::to_string(id) + " of '" + printable(token_) + "' is outside 0 to N-1");
  }
  bool parse_error(std::size_t /*position*/, const std::string& /*text*/, const Json::exception& failure) {
    refuse(file_, "is not valid JSON: " + printable(failure.what(), 300));
  }

  bool null() { not_an_integer(); }
  bool boolean(bool /*value*/) { not_an_integer(); }
  bool number_float(double /*value*/, const std::string& /*text*/) { not_an_integer(); }
  bool string(std::string& /*value*/) { not_an_integer(); }
  bool binary(Json::binary_t& /*value*/) { not_an_integer(); }
  bool start_array(std::size_t /*size*/) { not_an_integer(); }
  bool end_array() { not_an_integer(); }

 private:
  void require_object() const {
    if (!inside_) refuse(file_, "is not a JSON object with tokens");
  }
  [[noreturn]] void not_an_integer() const {
    require_object();
    refuse(file_, "the id of '" + printable(token_) + "' is not an integer");
  }

  const std::filesystem::path& file_;
  std::vector<Entry> entries_;
  std::unordered_set<std::string> seen_;
  std::string token_;
  bool inside_ = false;
};

std::vector<TokenHandler::Entry> parse_tokens(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw ModelError("cannot be read", file.string(), "a model folder needs its vocab.json");
  TokenHandler handler(file);
  Json::sax_parse(stream, &handler);
  return handler.take();
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
  std::vector<TokenHandler::Entry> entries = parse_tokens(file);
  if (entries.empty()) refuse(file, "is not a JSON object with tokens");
  std::vector<std::string> tokens(entries.size());
  for (auto& [token, id] : entries) {
    if (id >= tokens.size())
      refuse(file, "the id " + std::to_string(id) + " of '" + printable(token) + "' is outside 0 to " +
                       std::to_string(tokens.size() - 1) + ", so the ids have gaps");
    std::string& slot = tokens[static_cast<std::size_t>(id)];
    if (!slot.empty())
      refuse(file, "the tokens '" + printable(slot) + "' and '" + printable(token) + "' have the same id " +
                       std::to_string(id));
    slot = std::move(token);
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

}  // namespace regulus::data
