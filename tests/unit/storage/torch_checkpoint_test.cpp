#include "regulus/storage/torch_checkpoint.h"

#include <gtest/gtest.h>

#include "regulus/storage/text_file.h"
#include "support/file_size_limit.h"
#include "support/pickled.h"
#include "torch_file.h"

namespace regulus::storage {
namespace {

namespace pickled = test::pickled;
using namespace test;

TEST(TorchCheckpoint, RoundTripOfEveryType) {
  const test::TempFolder folder;
  write_torch_checkpoint(folder / "x.pt", of_every_type());
  expect_same(read_torch_checkpoint(folder / "x.pt"), of_every_type());
  write_torch_checkpoint(folder / "none.pt", {});
  EXPECT_TRUE(read_torch_checkpoint(folder / "none.pt").empty());
}

TEST(TorchCheckpoint, TheSameTensorsGiveTheSameBytes) {
  const test::TempFolder folder;
  std::filesystem::create_directory(folder / "other");
  write_torch_checkpoint(folder / "x.pt", of_every_type());
  // A time in the file would have steps of two seconds, too long to wait for: it must be zip's zero.
  write_torch_checkpoint(folder / "other/x.pt", of_every_type());
  const std::string bytes = read_text(folder / "x.pt");
  EXPECT_EQ(bytes, read_text(folder / "other/x.pt"));
  for (std::size_t at = bytes.find("PK\x03\x04"); at != std::string::npos;
       at = bytes.find("PK\x03\x04", at + 1))
    EXPECT_EQ(bytes.substr(at + 10, 4), std::string("\0\0\x21\0", 4));
}

TEST(TorchCheckpoint, TheDataIsAligned) {
  const test::TempFolder folder;
  const std::vector<float> values{1.25F, -7.5F, 3.0F};
  const std::string first = "a marked text of thirty-two by.";
  write_torch_checkpoint(folder / "x.pt", {{"a", tensor<char>(DType::U8, {31}, {first.begin(), first.end()})},
                                           {"b", tensor<float>(DType::F32, {3}, values)}});
  const std::string bytes = read_text(folder / "x.pt");
  EXPECT_EQ(bytes.find(first) % 64, 0U);
  EXPECT_EQ(bytes.find(bytes_of(values)) % 64, 0U);
}

TEST(TorchCheckpoint, MissingAndUnwritableFiles) {
  const test::TempFolder folder;
  expect_mentions(error_of(ErrorKind::Model, [&] { read_torch_checkpoint(folder / "x"); }), "x",
                  "cannot be read");
  error_of(ErrorKind::Model, [&] { read_torch_checkpoint(folder.path()); });
  error_of(ErrorKind::Model, [&] { read_torch_checkpoint("/dev/null"); });
  expect_mentions(error_of(ErrorKind::Storage, [&] { write_torch_checkpoint(folder / "no/x", {}); }), "no/x");
  expect_mentions(error_of(ErrorKind::Storage, [&] { write_torch_checkpoint("/dev/full", {}); }),
                  "No space left");
}

TEST(TorchCheckpoint, AFailedWriteLeavesTheOldFile) {
  const test::TempFolder folder;
  write_torch_checkpoint(folder / "x.pt", of_every_type());
  const std::string before = read_text(folder / "x.pt");
  {
    const test::FileSizeLimit limit(1000);
    const Tensors larger{{"a", tensor<float>(DType::F32, {500}, std::vector<float>(500))}};
    error_of(ErrorKind::Storage, [&] { write_torch_checkpoint(folder / "x.pt", larger); });
  }
  EXPECT_EQ(read_text(folder / "x.pt"), before);
  EXPECT_FALSE(std::filesystem::exists(folder / "x.pt.partial"));
}

TEST(TorchCheckpoint, ATensorOfTheWrongLengthIsNotWritten) {
  const test::TempFolder folder;
  const Tensors wrong{{"a", tensor<float>(DType::F32, {3}, {1, 2})}};
  expect_mentions(error_of(ErrorKind::Internal, [&] { write_torch_checkpoint(folder / "x", wrong); }),
                  "tensor a");
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

Tensors read(const test::ZipRecords& records) {
  const test::TempFolder folder;
  test::write_zip(folder / "x.pt", records);
  return read_torch_checkpoint(folder / "x.pt");
}

TEST(TorchCheckpoint, StridedSharedAndTransposedTensors) {
  using pickled::integer, pickled::tuple, pickled::text;
  pickled::Tensor transposed;
  transposed.count = 6;
  transposed.shape = tuple(integer(3) + integer(2));
  transposed.strides = tuple(integer(1) + integer(3));
  pickled::Tensor column = transposed;
  column.offset = 1;
  column.shape = tuple(integer(2));
  column.strides = tuple(integer(3));
  pickled::Tensor scalar = transposed;
  scalar.offset = 5;
  scalar.shape = scalar.strides = ")";
  const std::string pickle = pickled::state_dict(
      transposed, text("b") + pickled::tensor(column) + text("c") + pickled::tensor(scalar));
  const Tensors tensors = read(checkpoint(pickle, bytes_of({1, 2, 3, 4, 5, 6})));
  EXPECT_EQ(floats(tensors.at("a")), (std::vector<float>{1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(tensors.at("a").shape, (std::vector<std::int64_t>{3, 2}));
  EXPECT_EQ(floats(tensors.at("b")), (std::vector<float>{2, 5}));
  EXPECT_EQ(floats(tensors.at("c")), (std::vector<float>{6}));
  EXPECT_TRUE(tensors.at("c").shape.empty());
}

TEST(TorchCheckpoint, PlainDictsMetadataAndDevices) {
  using pickled::text;
  pickled::Tensor on_gpu;
  on_gpu.location = "cuda:0";
  const std::string item = text("a") + pickled::tensor(on_gpu) + "s";
  const std::string metadata =
      text("_metadata") + pickled::ordered_dict() + text("") + "}" + text("version") + "K\x01" + "s" + "s";
  for (const std::string& content :
       {"}" + item, pickled::ordered_dict() + item, pickled::ordered_dict() + item + "}" + metadata + "sb"})
    EXPECT_EQ(floats(read(checkpoint(pickled::pickle(content))).at("a")), (std::vector<float>{1, 2}));
}

TEST(TorchCheckpoint, OtherFormatsAreRefused) {
  const std::string legacy("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.", 21);
  expect_mentions(refusal_of_bytes(legacy), "before version 1.6", "x.pt', map_location='cpu'), 'NEW.pt')\"");
  expect_mentions(refusal_of_bytes(""), "does not start as a zip");
  expect_mentions(refusal_of_bytes("\x89HDF"), "does not start as a zip");
  expect_mentions(refusal_of_bytes("PK\x03\x04 and so on"), "zip archive");
}

TEST(TorchCheckpoint, ArchivesThatAreNoCheckpointsAreRefused) {
  const std::string pickle = pickled::state_dict();
  const std::string data = bytes_of({1, 2});
  expect_mentions(refusal({{"best/data/0", data}}), "0 records data.pkl");
  expect_mentions(refusal({{"data.pkl", pickle}, {"data/0", data}}), "0 records data.pkl");
  expect_mentions(refusal({{"a/data.pkl", pickle}, {"b/data.pkl", pickle}}), "2 records data.pkl");
  expect_mentions(refusal({{"best/data.pkl", pickle}}), "lacks its record data/0");
  expect_mentions(refusal({{"best/data.pkl", pickle}, {"other/data/0", data}}), "lacks its record data/0");
  for (const std::string order : {"big", "LITTLE", ""}) {
    auto records = checkpoint(pickle);
    records.emplace_back("best/byteorder", order);
    expect_mentions(refusal(records), "little-endian");
  }
  auto records = checkpoint(pickle);
  records.emplace_back("best/byteorder", "little");
  EXPECT_EQ(read(records).size(), 1U);
}

TEST(TorchCheckpoint, CompressedRecordsAreRefused) {
  const std::string zeros(4000, '\0');
  pickled::Tensor tensor;
  tensor.count = 1000;
  expect_mentions(refusal(checkpoint(pickled::state_dict(tensor), zeros), ZIP_CM_DEFLATE), "compressed");
}

/// The bytes of a checkpoint that is read as it stands.
std::string valid_bytes() {
  const test::TempFolder folder;
  test::write_zip(folder / "x.pt", {{"best/data.pkl", pickled::state_dict()},
                                    {"best/data/0", bytes_of({1.25F, -7.5F})},
                                    {"best/data/1", bytes_of({1.25F, -7.5F})},
                                    {"best/version", "3\n"}});
  EXPECT_EQ(floats(read_torch_checkpoint(folder / "x.pt").at("a")), (std::vector<float>{1.25F, -7.5F}));
  return read_text(folder / "x.pt");
}

TEST(TorchCheckpoint, RepeatedRecordsAreRefused) {
  std::string bytes = valid_bytes();
  for (std::size_t at = bytes.find("best/data/1"); at != std::string::npos; at = bytes.find("best/data/1"))
    bytes[at + 10] = '0';
  expect_mentions(refusal_of_bytes(bytes), "'best/data/0' twice");
}

/// Two entries of the directory at the end that point to the same bytes: more of them could claim any size.
TEST(TorchCheckpoint, RecordsThatOverlapAreRefused) {
  const test::TempFolder folder;
  test::ZipRecords records = checkpoint(pickled::state_dict(), std::string(10'000, '\0'));
  records.emplace_back("best/data/1", "");
  test::write_zip(folder / "x.pt", records);
  std::string bytes = read_text(folder / "x.pt");
  constexpr std::size_t kNameAt = 46;  // in an entry of the directory; the name's last character differs
  const std::size_t first = bytes.rfind("best/data/0") - kNameAt;
  const std::size_t second = bytes.rfind("best/data/1") - kNameAt;
  bytes.replace(second, kNameAt, bytes.substr(first, kNameAt));
  expect_mentions(refusal_of_bytes(bytes), "records longer than the file");
}

TEST(TorchCheckpoint, DamagedBytesAreRefused) {
  std::string bytes = valid_bytes();
  bytes[bytes.find(bytes_of({1.25F, -7.5F}))] ^= 1;
  expect_mentions(refusal_of_bytes(bytes), "'best/data/0' is damaged", "CRC");
}

TEST(TorchCheckpoint, ATruncatedFileIsRefusedAtEveryLength) {
  const std::string bytes = valid_bytes();
  for (std::size_t length = 0; length < bytes.size(); ++length) refusal_of_bytes(bytes.substr(0, length));
}

}  // namespace
}  // namespace regulus::storage
