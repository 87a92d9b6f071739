#include "regulus/storage/text_file.h"

#include <gtest/gtest.h>

#include "support/expect_error.h"
#include "support/temp_folder.h"

namespace regulus::storage {
namespace {

using test::error_of;
using test::expect_mentions;

TEST(TextFile, RoundTripKeepsEveryByte) {
  const test::TempFolder folder;
  const std::string text = std::string("a\r\n\0β", 6) + "\n";
  write_text_atomically(folder / "x.txt", text);
  EXPECT_EQ(read_text(folder / "x.txt"), text);
  write_text_atomically(folder / "x.txt", "");
  EXPECT_EQ(read_text(folder / "x.txt"), "");
}

TEST(TextFile, LeavesNothingElseInTheFolder) {
  const test::TempFolder folder;
  write_text_atomically(folder / "x.txt", "text");
  const auto files = std::distance(std::filesystem::directory_iterator(folder.path()), {});
  EXPECT_EQ(files, 1);
}

TEST(TextFile, FollowsASymbolicLink) {
  const test::TempFolder folder;
  write_text_atomically(folder / "real.txt", "old");
  std::filesystem::create_symlink(folder / "real.txt", folder / "link.txt");
  write_text_atomically(folder / "link.txt", "new");
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "link.txt"));
  EXPECT_EQ(read_text(folder / "real.txt"), "new");
}

TEST(TextFile, UnwritablePathsAreStorageErrors) {
  const test::TempFolder folder;
  const auto missing = (folder / "no/such/x.txt").string();
  expect_mentions(error_of(ErrorKind::Storage, [&] { write_text_atomically(missing, "text"); }), missing,
                  "folder");
  const auto full = error_of(ErrorKind::Storage, [] { write_text_atomically("/dev/full", "text"); });
  expect_mentions(full, "/dev/full", "No space left");
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/full"));
}

TEST(TextFile, AFolderIsNotReplaced) {
  const test::TempFolder folder;
  std::filesystem::create_directory(folder / "x");
  error_of(ErrorKind::Storage, [&] { write_text_atomically(folder / "x", "text"); });
  EXPECT_TRUE(std::filesystem::is_directory(folder / "x"));
  EXPECT_FALSE(std::filesystem::exists(folder / "x.partial"));
}

TEST(TextFile, ReadingWhatIsNotThereIsAnInputError) {
  const test::TempFolder folder;
  expect_mentions(error_of(ErrorKind::Input, [&] { read_text(folder / "x.txt"); }), "x.txt",
                  "does not exist");
  expect_mentions(error_of(ErrorKind::Input, [&] { read_text(folder.path()); }), "folder");
}

}  // namespace
}  // namespace regulus::storage
