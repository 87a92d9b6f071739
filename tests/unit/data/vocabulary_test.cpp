#include "regulus/data/vocabulary.h"

#include <gtest/gtest.h>

#include "support/expect_error.h"
#include "support/temp_folder.h"
#include "text.h"

namespace regulus::data {
namespace {

using test::error_of;
using test::expect_mentions;
using test::write_file;

std::string error_reading(const std::string& json) {
  const test::TempFolder folder;
  const auto file = write_file(folder / "vocab.json", json);
  return error_of(ErrorKind::Model, [&] { Vocabulary::read(file); });
}

TEST(Vocabulary, ReadsAnyOrderOfKeys) {
  const test::TempFolder folder;
  const auto vocabulary =
      Vocabulary::read(write_file(folder / "vocab.json", R"({"SOX2": 2, "<pad>": 0, "é": 3, "<cls>": 1})"));
  EXPECT_EQ(vocabulary.size(), 4);
  EXPECT_EQ(vocabulary.find("SOX2"), 2);
  EXPECT_EQ(vocabulary.find("<pad>"), 0);
  EXPECT_EQ(vocabulary.token(3), "é");
  EXPECT_FALSE(vocabulary.find("sox2").has_value());
}

TEST(Vocabulary, RoundTripIsInTheOrderOfIds) {
  const test::TempFolder folder;
  Vocabulary({"Z", "a\"b", "M"}).write(folder / "vocab.json");
  const auto vocabulary = Vocabulary::read(folder / "vocab.json");
  EXPECT_EQ(vocabulary.token(0), "Z");
  EXPECT_EQ(vocabulary.token(1), "a\"b");
  EXPECT_EQ(vocabulary.token(2), "M");
  const std::string text = test::file_content(folder / "vocab.json");
  EXPECT_LT(text.find("\"Z\""), text.find("\"M\""));
}

TEST(Vocabulary, RefusesDamage) {
  expect_mentions(error_reading(R"({"A": 0, "A": 1})"), "vocab.json", "'A' appears twice");
  expect_mentions(error_reading(R"({"A": 0, "B": 0})"), "same id 0");
  expect_mentions(error_reading(R"({"A": 0, "B": 2})"), "'B'", "gaps");
  expect_mentions(error_reading(R"({"A": 0, "B": -1})"), "-1", "outside");
  expect_mentions(error_reading(R"({"A": 0, "B": 1.0})"), "'B' is not an integer");
  expect_mentions(error_reading(R"({"A": 0, "B": "1"})"), "'B' is not an integer");
  expect_mentions(error_reading(R"({"": 0})"), "empty token");
  expect_mentions(error_reading(R"({})"), "not a JSON object");
  expect_mentions(error_reading(R"(["A"])"), "not a JSON object");
  expect_mentions(error_reading(R"({"A": 0)"), "not valid JSON");
  expect_mentions(error_reading(""), "not valid JSON");
  expect_mentions(error_reading(R"({"A": 0} {)"), "not valid JSON");
  expect_mentions(error_reading("{\"A\xff\": 0}"), "not valid JSON");
  expect_mentions(error_of(ErrorKind::Model, [] { Vocabulary::read("/nowhere/vocab.json"); }),
                  "/nowhere/vocab.json");
}

TEST(Vocabulary, RefusesOtherValuesAndNestingAsSoonAsTheyStart) {
  for (const std::string value :
       {"null", "true", "\"1\"", "1.0", "1e30", "99999999999999999999999", "[1", "{\"B\": 1"})
    expect_mentions(error_reading("{\"A\": " + value), "'A' is not an integer");
  for (const std::string text : {"7", "-7", "null", "\"A\"", "[["})
    expect_mentions(error_reading(text), "not a JSON object");
  expect_mentions(error_reading("{\"A\": " + std::string(1000000, '[')), "'A' is not an integer");
  expect_mentions(error_reading("{\"A\": " + std::string("9223372036854775808}")), "outside 0 to 0");
}

TEST(Vocabulary, MessagesStayShort) {
  const std::string token(100'000, 'T');
  EXPECT_LT(error_reading("{\"" + token + "\":1.5}").size(), 1000U);
  EXPECT_LT(error_reading("{\"" + token + "\n").size(), 1000U);
  EXPECT_LT(error_reading("{\"" + token + "\":0,\"" + token + "\":1}").size(), 1000U);
}

TEST(Vocabulary, RefusesRepeatedAndEmptyTokens) {
  EXPECT_THROW(Vocabulary({"A", "A"}), ModelError);
  EXPECT_THROW(Vocabulary({"A", ""}), ModelError);
  EXPECT_THROW(Vocabulary(std::vector<std::string>{}), ModelError);
}

}  // namespace
}  // namespace regulus::data
