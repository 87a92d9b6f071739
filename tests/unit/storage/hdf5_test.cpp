#include "regulus/storage/hdf5.h"

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <numeric>
#include <thread>

#include "regulus/storage/text_file.h"
#include "support/expect_error.h"
#include "support/file_size_limit.h"
#include "support/python.h"
#include "support/temp_folder.h"

namespace regulus::storage {
namespace {

using test::error_of;
using test::expect_mentions;

/// A file with one of everything.
void write_sample(const std::filesystem::path& path) {
  H5File file = H5File::create(path);
  file.write("/a/deep/floats", std::vector<float>{1.5F, -2.25F, 0.0F, 3.0F, 4.0F, 5.0F}, {2, 3});
  file.write("/bytes", std::vector<std::uint8_t>{0, 255});
  file.write("/none", std::vector<std::int64_t>{});
  file.write_scalar("/answer", std::int64_t{1} << 40);
  file.write_strings("/names", {"TP53", "", "β-catenin"});
  file.write_string("/title", "one text");
  file.write_attribute_string("/a", "encoding-type", "dict");
  file.write_attribute_strings("/", "columns", {"x", "y"});
  file.write_attribute_strings("/", "no_columns", {});
  file.write_attribute_int("/", "version", 3);
  file.write_attribute_double("/names", "weight", 0.1);
  file.write_attribute("/", "shape", std::vector<std::int64_t>{7, 8});
  file.create_group("/empty/group");
  file.close();
}

TEST(Hdf5, DataSetsComeBackAsTheyWere) {
  const test::TempFolder folder;
  write_sample(folder / "x.h5");
  const H5File file = H5File::open_read(folder / "x.h5");
  EXPECT_EQ(file.read<float>("/a/deep/floats"), (std::vector<float>{1.5F, -2.25F, 0.0F, 3.0F, 4.0F, 5.0F}));
  EXPECT_EQ(file.shape("/a/deep/floats"), (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(file.read<std::uint8_t>("/bytes"), (std::vector<std::uint8_t>{0, 255}));
  EXPECT_TRUE(file.read<std::int64_t>("/none").empty());
  EXPECT_EQ(file.read_scalar<std::int64_t>("/answer"), std::int64_t{1} << 40);
  EXPECT_TRUE(file.shape("/answer").empty());
  EXPECT_EQ(file.read_strings("/names"), (std::vector<std::string>{"TP53", "", "β-catenin"}));
  EXPECT_EQ(file.read_string("/title"), "one text");
}

TEST(Hdf5, BlocksOfTextAreRead) {
  const test::TempFolder folder;
  write_sample(folder / "x.h5");
  const H5File file = H5File::open_read(folder / "x.h5");
  EXPECT_EQ(file.read_strings("/names", {{1}, {2}}), (std::vector<std::string>{"", "β-catenin"}));
  EXPECT_TRUE(file.read_strings("/names", {{3}, {0}}).empty());
  expect_mentions(error_of(ErrorKind::Input,
                           [&] {
                             file.read_strings("/names", {{2}, {2}});
                           }),
                  "/names", "outside");
}

TEST(Hdf5, AttributesComeBackAsTheyWere) {
  const test::TempFolder folder;
  write_sample(folder / "x.h5");
  const H5File file = H5File::open_read(folder / "x.h5");
  EXPECT_EQ(file.read_attribute_string("/a", "encoding-type"), "dict");
  EXPECT_EQ(file.read_attribute_strings("/", "columns"), (std::vector<std::string>{"x", "y"}));
  EXPECT_TRUE(file.read_attribute_strings("/", "no_columns").empty());
  EXPECT_EQ(file.read_attribute_int("/", "version"), 3);
  EXPECT_EQ(file.read_attribute_double("/", "version"), 3.0);
  EXPECT_EQ(file.read_attribute_double("/names", "weight"), 0.1);
  EXPECT_EQ(file.read_attribute<std::int32_t>("/", "shape"), (std::vector<std::int32_t>{7, 8}));
  EXPECT_EQ(file.attributes("/"), (std::vector<std::string>{"columns", "no_columns", "shape", "version"}));
  EXPECT_TRUE(file.has_attribute("/a", "encoding-type"));
  EXPECT_FALSE(file.has_attribute("/a", "encoding"));
}

TEST(Hdf5, SaysWhatIsThere) {
  const test::TempFolder folder;
  write_sample(folder / "x.h5");
  const H5File file = H5File::open_read(folder / "x.h5");
  EXPECT_EQ(file.children("/"),
            (std::vector<std::string>{"a", "answer", "bytes", "empty", "names", "none", "title"}));
  EXPECT_TRUE(file.children("/empty/group").empty());
  EXPECT_TRUE(file.has("/"));
  EXPECT_TRUE(file.has("/a/deep/floats"));
  EXPECT_FALSE(file.has("/a/shallow/floats"));
  EXPECT_FALSE(file.has("/bytes/inside"));
  EXPECT_EQ(file.kind("/a"), NodeKind::Group);
  EXPECT_EQ(file.kind("/names"), NodeKind::DataSet);
  EXPECT_EQ(file.value_kind("/names"), ValueKind::String);
  EXPECT_EQ(file.value_kind("/bytes"), ValueKind::Integer);
  EXPECT_EQ(file.value_kind("/a/deep/floats"), ValueKind::Float);
  EXPECT_EQ(file.attribute_kind("/", "version"), ValueKind::Integer);
}

TEST(Hdf5, BlocksAreTheRightCornerOfTheArray) {
  const test::TempFolder folder;
  std::vector<double> all(3 * 4 * 2);
  std::iota(all.begin(), all.end(), 0.0);
  H5File file = H5File::create(folder / "x.h5");
  file.create_data_set<double>("/x", {3, 4, 2});
  file.write_block<double>("/x", {{0, 0, 0}, {3, 4, 2}}, all);
  file.write_block<double>("/x", {{1, 2, 0}, {1, 2, 1}}, std::vector<double>{-1.0, -2.0});
  file.write_block<double>("/x", {{0, 0, 0}, {0, 4, 2}}, {});
  file.close();

  const H5File again = H5File::open_read(folder / "x.h5");
  all[12] = -1.0;
  all[14] = -2.0;
  EXPECT_EQ(again.read<double>("/x"), all);
  EXPECT_EQ(again.read_block<double>("/x", {{1, 1, 1}, {2, 2, 1}}), (std::vector<double>{11, 13, 19, 21}));
  EXPECT_TRUE(again.read_block<double>("/x", {{3, 0, 0}, {0, 4, 2}}).empty());
  error_of(ErrorKind::Input, [&] { again.read_block<double>("/x", {{2, 0, 0}, {2, 4, 2}}); });
  error_of(ErrorKind::Input, [&] { again.read_block<double>("/x", {{0, 0}, {2, 4}}); });
}

TEST(Hdf5, UpdateChangesInPlace) {
  const test::TempFolder folder;
  write_sample(folder / "x.h5");
  H5File file = H5File::open_update(folder / "x.h5");
  file.write_attribute_int("/", "version", 4);
  file.write_block<std::uint8_t>("/bytes", {{1}, {1}}, std::vector<std::uint8_t>{7});
  file.close();
  const H5File again = H5File::open_read(folder / "x.h5");
  EXPECT_EQ(again.read_attribute_int("/", "version"), 4);
  EXPECT_EQ(again.read<int32_t>("/bytes"), (std::vector<std::int32_t>{0, 7}));
}

TEST(Hdf5, AFileAppearsOnlyWithClose) {
  const test::TempFolder folder;
  {
    H5File file = H5File::create(folder / "x.h5");
    file.write_scalar("/x", 1.0);
    EXPECT_FALSE(std::filesystem::exists(folder / "x.h5"));
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(Hdf5, EqualContentGivesEqualBytes) {
  const test::TempFolder folder;
  write_sample(folder / "x.h5");
  std::this_thread::sleep_for(std::chrono::milliseconds(1001));  // HDF5's time stamps count seconds
  write_sample(folder / "y.h5");
  EXPECT_EQ(read_text(folder / "x.h5"), read_text(folder / "y.h5"));
}

TEST(Hdf5, WrongRequestsNameFileAndPath) {
  const test::TempFolder folder;
  write_sample(folder / "x.h5");
  const H5File file = H5File::open_read(folder / "x.h5");
  expect_mentions(error_of(ErrorKind::Input, [&] { file.read<float>("/nothing"); }), "x.h5:/nothing",
                  "no such");
  expect_mentions(error_of(ErrorKind::Input, [&] { file.read<float>("/names"); }), "x.h5:/names", "numbers");
  expect_mentions(error_of(ErrorKind::Input, [&] { file.read_strings("/bytes"); }), "x.h5:/bytes", "text");
  expect_mentions(error_of(ErrorKind::Input, [&] { file.read_scalar<float>("/bytes"); }), "single");
  expect_mentions(error_of(ErrorKind::Input, [&] { file.read_attribute_int("/", "columns"); }), "/@columns");
  expect_mentions(error_of(ErrorKind::Input, [&] { file.read_attribute_int("/", "shape"); }), "single");
  expect_mentions(error_of(ErrorKind::Input, [&] { file.read_attribute_string("/a", "x"); }),
                  "no such attribute");
  expect_mentions(error_of(ErrorKind::Input, [&] { file.children("/bytes"); }), "/bytes");
}

TEST(Hdf5, ADataSetIsNotWrittenTwice) {
  const test::TempFolder folder;
  H5File file = H5File::create(folder / "x.h5");
  file.write_scalar("/x", 1.0);
  const auto text = error_of(ErrorKind::Storage, [&] { file.write_scalar("/x", 2.0); });
  expect_mentions(text, "x.h5:/x", "name already exists");
}

TEST(Hdf5, WhatIsNotHdf5IsAnInputErrorOrTheKindAskedFor) {
  const test::TempFolder folder;
  write_text_atomically(folder / "x.h5", "Gene1,Gene2\n");
  write_text_atomically(folder / "empty.h5", "");
  const auto open = [&](const std::string& name, ErrorKind kind) {
    return error_of(kind, [&] { H5File::open_read(folder / name, kind); });
  };
  expect_mentions(open("x.h5", ErrorKind::Input), "x.h5", "is not an HDF5 file");
  expect_mentions(open("empty.h5", ErrorKind::Model), "empty.h5", "is not an HDF5 file");
  expect_mentions(open("missing.h5", ErrorKind::Input), "missing.h5", "does not exist");
  expect_mentions(open("", ErrorKind::Input), "folder");
}

/// Without waiting for the disk, for tests with many files.
void overwrite(const std::filesystem::path& path, const std::string& bytes) {
  std::filesystem::remove(path);
  std::ofstream(path, std::ios::binary) << bytes;
}

/// Reads whatever can be read; errors must be ours.
void read_everything(const std::filesystem::path& path) {
  const H5File file = H5File::open_read(path);
  for (const std::string name : {"/a/deep/floats", "/bytes", "/answer"}) file.read<double>(name);
  file.read_strings("/names");
  file.read_attribute_strings("/", "columns");
}

TEST(Hdf5, ATruncatedFileIsAnErrorAtEveryLength) {
  const test::TempFolder folder;
  write_sample(folder / "x.h5");
  const std::string whole = read_text(folder / "x.h5");
  for (std::size_t length = 0; length < whole.size(); length += 1 + whole.size() / 97) {
    overwrite(folder / "cut.h5", whole.substr(0, length));
    expect_mentions(error_of(ErrorKind::Input, [&] { read_everything(folder / "cut.h5"); }), "cut.h5");
  }
}

TEST(Hdf5, DamagedMetadataIsAnErrorOrHarmless) {
  const test::TempFolder folder;
  {
    H5File file = H5File::create(folder / "x.h5");
    file.write("/group/numbers", std::vector<double>{1.0, 2.0, 3.0});
    file.write_attribute_int("/group", "version", 1);
    file.close();
  }
  const std::string whole = read_text(folder / "x.h5");
  int errors = 0;
  for (std::size_t position = 0; position < whole.size(); position += 5) {
    std::string damaged = whole;
    for (std::size_t i = position; i < std::min(position + 8, whole.size()); ++i) damaged[i] = '\xff';
    overwrite(folder / "bad.h5", damaged);
    try {
      const H5File file = H5File::open_read(folder / "bad.h5");
      EXPECT_EQ(file.read<double>("/group/numbers").size(), 3U);
      EXPECT_EQ(file.read_attribute_int("/group", "version"), 1);
    } catch (const Error& error) {
      EXPECT_EQ(static_cast<int>(error.kind()), static_cast<int>(ErrorKind::Input)) << error.what();
      ++errors;
    }
  }
  EXPECT_GT(errors, 10);
}

TEST(Hdf5, UnwritablePathsAndFullDisksAreStorageErrors) {
  const test::TempFolder folder;
  const auto missing = (folder / "no/such/x.h5").string();
  expect_mentions(error_of(ErrorKind::Storage, [&] { H5File::create(missing); }), missing, "No such file");
  const auto full = error_of(ErrorKind::Storage, [] { H5File::create("/dev/full"); });
  expect_mentions(full, "/dev/full", "No space left");
}

TEST(Hdf5, ADiskThatFillsUpLaterIsAStorageErrorAndLeavesNothing) {
  const test::TempFolder folder;
  const auto name = (folder / "x.h5").string();
  {
    H5File file = H5File::create(name);
    const test::FileSizeLimit limit(64 * 1024);
    file.write("/small", std::vector<double>(10, 1.0));
    const auto text =
        error_of(ErrorKind::Storage, [&] { file.write("/large", std::vector<double>(100000, 1.0)); });
    expect_mentions(text, name + ":/large", "File too large");
    error_of(ErrorKind::Storage, [&] { file.close(); });
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(Hdf5, ADiskThatFillsUpOverSmallData) {
  const test::TempFolder folder;
  const auto name = (folder / "x.h5").string();
  {
    H5File file = H5File::create(name);
    const test::FileSizeLimit limit(4096);
    error_of(ErrorKind::Storage, [&] {
      for (int i = 0; i < 20; ++i) file.write("/small" + std::to_string(i), std::vector<double>(200, 1.0));
    });
    error_of(ErrorKind::Storage, [&] { file.close(); });
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(Hdf5, H5pyReadsOurFiles) {
  if (!test::has_h5py()) GTEST_SKIP() << "reason: /usr/bin/python3 has no h5py";
  const test::TempFolder folder;
  write_sample(folder / "x.h5");
  EXPECT_EQ(test::run_python(folder / "check.py", R"(
import sys, h5py, numpy as np
f = h5py.File(sys.argv[1], "r")
assert np.array_equal(f["a/deep/floats"][:], np.array([[1.5, -2.25, 0], [3, 4, 5]], "f4"))
assert f["a/deep/floats"].dtype == "<f4" and f["bytes"].dtype == "u1"
assert f["answer"][()] == 2**40 and f["none"].shape == (0,)
assert list(f["names"].asstr()[:]) == ["TP53", "", "β-catenin"]
assert f["title"].asstr()[()] == "one text"
assert f["a"].attrs["encoding-type"] == "dict"
assert h5py.h5g.get_objinfo(f.id, b"names").mtime == 0
assert list(f.attrs["columns"]) == ["x", "y"] and len(f.attrs["no_columns"]) == 0
assert f.attrs["version"] == 3 and f["names"].attrs["weight"] == 0.1
)",
                             folder / "x.h5"),
            0);
}

TEST(Hdf5, WeReadWhatH5pyWrites) {
  if (!test::has_h5py()) GTEST_SKIP() << "reason: /usr/bin/python3 has no h5py";
  const test::TempFolder folder;
  ASSERT_EQ(test::run_python(folder / "write.py", R"(
import sys, h5py, numpy as np
f = h5py.File(sys.argv[1], "w")
f["fixed"] = np.array([b"AB", b"C", b""], "S2")
f.create_dataset("fixed_utf8", (2,), h5py.string_dtype("utf-8", 4))
f["fixed_utf8"][0] = "é".encode()
f["fixed_utf8"][1] = b"x"
f.create_dataset("variable", data=["e", "x"], dtype=h5py.string_dtype("ascii"), chunks=(1,), compression="gzip")
f["flags"] = np.array([True, False, True])
f["half"] = np.array([0.5, -2], "f2")
f["big_endian"] = np.array([1, 258], ">u2")
f.create_dataset("packed", data=np.arange(1000.0).reshape(20, 50), chunks=(7, 9), compression="gzip", shuffle=True)
f["nothing"] = h5py.Empty("f8")
f.attrs["u8"] = np.uint8(9)
f.attrs["f4"] = np.float32(0.5)
f.attrs["fixed"] = np.bytes_("bytes")
f["link"] = h5py.SoftLink("/gone")
f["pair"] = np.zeros(2, dtype=[("a", "i4"), ("b", "f8")])
)",
                             folder / "x.h5"),
            0);
  const H5File file = H5File::open_read(folder / "x.h5");
  EXPECT_EQ(file.read_strings("/fixed"), (std::vector<std::string>{"AB", "C", ""}));
  EXPECT_EQ(file.read_strings("/fixed_utf8"), (std::vector<std::string>{"é", "x"}));
  EXPECT_EQ(file.read_strings("/variable"), (std::vector<std::string>{"e", "x"}));
  EXPECT_EQ(file.value_kind("/flags"), ValueKind::Integer);
  EXPECT_EQ(file.read<std::int8_t>("/flags"), (std::vector<std::int8_t>{1, 0, 1}));
  EXPECT_EQ(file.read<float>("/half"), (std::vector<float>{0.5F, -2.0F}));
  EXPECT_EQ(file.read<std::int32_t>("/big_endian"), (std::vector<std::int32_t>{1, 258}));
  EXPECT_EQ(file.read_block<float>("/packed", {{19, 48}, {1, 2}}), (std::vector<float>{998.0F, 999.0F}));
  EXPECT_TRUE(file.read<double>("/nothing").empty());
  EXPECT_EQ(file.read_attribute_int("/", "u8"), 9);
  EXPECT_EQ(file.read_attribute_double("/", "f4"), 0.5);
  EXPECT_EQ(file.read_attribute_string("/", "fixed"), "bytes");
  EXPECT_FALSE(file.has("/link"));
  EXPECT_EQ(file.value_kind("/pair"), ValueKind::Other);
  error_of(ErrorKind::Input, [&] { file.read<float>("/pair"); });
}

}  // namespace
}  // namespace regulus::storage
