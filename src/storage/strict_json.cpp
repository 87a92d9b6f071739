#include "regulus/storage/strict_json.h"

#include <nlohmann/json.hpp>
#include <set>
#include <vector>

namespace regulus::storage {

namespace {

using Json = nlohmann::json;

/// Looks at the keys of every open object and lets all else pass.
class KeyWatch : public nlohmann::json_sax<Json> {
 public:
  std::optional<std::string> repeated;

  bool key(string_t& name) override {
    if (open_.back().insert(name).second) return true;
    repeated = name;
    return false;
  }
  bool start_object(std::size_t) override {
    open_.emplace_back();
    return true;
  }
  bool end_object() override {
    open_.pop_back();
    return true;
  }

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_array(std::size_t) override { return true; }
  bool end_array() override { return true; }
  bool parse_error(std::size_t, const std::string&, const Json::exception&) override { return false; }

 private:
  std::vector<std::set<std::string>> open_;
};

}  // namespace

std::optional<std::string> repeated_key(const std::string& text) {
  KeyWatch watch;
  Json::sax_parse(text, &watch);
  return watch.repeated;
}

}  // namespace regulus::storage
