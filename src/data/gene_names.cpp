#include "regulus/data/gene_names.h"

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <utility>

namespace regulus::data {

namespace {

constexpr std::size_t kLeastIdDigits = 6;

bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Where the version of an Ensembl id begins, at its dot; npos for any other name.
std::size_t version_of_ensembl(const std::string& name) {
  if (!name.starts_with("ENS")) return std::string::npos;
  const auto digits = std::find_if_not(name.begin() + 3, name.end(), is_upper);
  const auto dot = std::find_if_not(digits, name.end(), is_digit);
  const bool has_id =
      digits != name.begin() + 3 && dot - digits >= static_cast<std::ptrdiff_t>(kLeastIdDigits);
  if (!has_id || dot == name.end() || *dot != '.' || dot + 1 == name.end()) return std::string::npos;
  if (!std::all_of(dot + 1, name.end(), is_digit)) return std::string::npos;
  return static_cast<std::size_t>(dot - name.begin());
}

using Ids = std::vector<std::int64_t>;

/// Finds the token or the competing tokens of one name.
class Resolver {
 public:
  struct Found {
    Match match = Match::Missing;
    Ids ids;
  };

  Resolver(const Vocabulary& vocabulary, const AliasTable& aliases)
      : vocabulary_(vocabulary), aliases_(aliases) {
    for (std::int64_t id = 0; id < vocabulary.size(); ++id) {
      const std::string& token = vocabulary.token(id);
      if (token.starts_with("ENS")) by_stable_id_[without_ensembl_version(token)].push_back(id);
    }
  }

  Found find(const std::string& name) const {
    Found found = find_name(name);
    if (!found.ids.empty()) return found;
    for (const std::string& symbol : aliases_.symbols_of(name))
      for (const std::int64_t id : find_name(symbol).ids)
        if (std::find(found.ids.begin(), found.ids.end(), id) == found.ids.end()) found.ids.push_back(id);
    if (!found.ids.empty()) found.match = Match::Alias;
    return found;
  }

 private:
  Found find_name(const std::string& name) const {
    if (const auto id = find_exact(name)) return {Match::Exact, {*id}};
    if (Ids ids = find_stable_id(name); !ids.empty()) return {Match::Ensembl, std::move(ids)};
    const std::string upper = upper_case(name);
    if (const auto id = find_exact(upper)) return {Match::UpperCase, {*id}};
    if (Ids ids = find_stable_id(upper); !ids.empty()) return {Match::UpperCase, std::move(ids)};
    return {};
  }

  std::optional<std::int64_t> find_exact(const std::string& name) const {
    return is_special_token(name) ? std::nullopt : vocabulary_.find(name);
  }

  Ids find_stable_id(const std::string& name) const {
    const auto entry = by_stable_id_.find(without_ensembl_version(name));
    return entry == by_stable_id_.end() ? Ids{} : entry->second;
  }

  const Vocabulary& vocabulary_;
  const AliasTable& aliases_;
  std::unordered_map<std::string, Ids> by_stable_id_;
};

GeneMatch match_of(const Resolver::Found& found, const Vocabulary& vocabulary) {
  GeneMatch match{found.match, -1, {}};
  if (found.ids.size() == 1) {
    match.id = found.ids.front();
  } else if (found.ids.size() > 1) {
    match.match = Match::Ambiguous;
    for (const std::int64_t id : found.ids) match.rivals.push_back(vocabulary.token(id));
  }
  return match;
}

/// Leaves each token to one gene; the order of Match is that of preference.
void settle_duplicates(std::vector<GeneMatch>& matches, const std::vector<std::string>& genes) {
  std::unordered_map<std::int64_t, std::size_t> winners;
  for (std::size_t i = 0; i < matches.size(); ++i) {
    if (matches[i].id < 0) continue;
    const auto [entry, is_new] = winners.emplace(matches[i].id, i);
    if (!is_new && matches[i].match < matches[entry->second].match) entry->second = i;
  }
  for (std::size_t i = 0; i < matches.size(); ++i) {
    if (matches[i].id < 0) continue;
    const std::size_t winner = winners.at(matches[i].id);
    if (winner != i) matches[i] = {Match::Duplicate, matches[i].id, {genes[winner]}};
  }
}

bool is_found(Match match) {
  return match < Match::Missing;
}

}  // namespace

std::string without_ensembl_version(const std::string& name) {
  return name.substr(0, version_of_ensembl(name));
}

bool is_special_token(const std::string& token) {
  return token.size() > 1 && token.front() == '<' && token.back() == '>';
}

std::string to_string(Match match) {
  switch (match) {
    case Match::Exact:
      return "exact";
    case Match::Ensembl:
      return "ensembl";
    case Match::UpperCase:
      return "upper-case";
    case Match::Alias:
      return "alias";
    case Match::Ambiguous:
      return "ambiguous";
    case Match::Duplicate:
      return "duplicate";
    case Match::Missing:
      break;
  }
  return "missing";
}

GeneMapping map_genes(const Vocabulary& vocabulary, const std::vector<std::string>& genes,
                      const AliasTable& aliases) {
  const Resolver resolver(vocabulary, aliases);
  GeneMapping mapping;
  mapping.matches.reserve(genes.size());
  for (const std::string& gene : genes) mapping.matches.push_back(match_of(resolver.find(gene), vocabulary));
  settle_duplicates(mapping.matches, genes);
  for (std::size_t i = 0; i < genes.size(); ++i) {
    if (!is_found(mapping.matches[i].match)) {
      mapping.missing.push_back(genes[i]);
      continue;
    }
    mapping.ids.push_back(mapping.matches[i].id);
    mapping.positions.push_back(static_cast<std::int64_t>(i));
  }
  return mapping;
}

}  // namespace regulus::data
