#include <gtest/gtest.h>

#include <numeric>

#include "regulus/comm/agree.h"
#include "regulus/core/error.h"
#include "regulus/data/cell_reader.h"
#include "regulus/data/h5ad.h"
#include "support/expect_error.h"
#include "support/temp_folder.h"

namespace regulus::data {
namespace {

constexpr int kCells = 2000;
constexpr int kGenes = 3000;  // several blocks of cells

float value_at(int cell, int gene) {
  return (cell * 7 + gene * 5) % 11 == 0 ? 0.5F + static_cast<float>(cell % 8) / 8 : 0;
}

Expression sample() {
  std::vector<std::string> cells;
  std::vector<std::string> genes;
  std::vector<float> values;
  for (int g = 0; g < kGenes; ++g) genes.push_back("G" + std::to_string(g));
  for (int c = 0; c < kCells; ++c) {
    cells.push_back("c" + std::to_string(c));
    for (int g = 0; g < kGenes; ++g) values.push_back(value_at(c, g));
  }
  return from_dense(cells, genes, values);
}

/// A file of rank 0 that every rank can open.
std::string shared_file(const comm::Communicator& world, const test::TempFolder& folder) {
  std::vector<std::string> file{(folder / "x.h5ad").string()};
  comm::agree_on_root(world, "writing", [&] { write_h5ad(file.front(), sample(), {}); });
  world.broadcast(file);
  return file.front();
}

TEST(MeanOfCells, RanksShareTheReadingAndGetTheSame) {
  const auto world = comm::Communicator::world();
  const test::TempFolder folder;
  {
    const CellReader reader(shared_file(world, folder));
    std::vector<std::int64_t> cells(kCells);
    std::iota(cells.begin(), cells.end(), 0);
    EXPECT_EQ(mean_of_cells(world, reader, cells), sample().gene_means());  // eighths: exact in any order
  }
  world.barrier();
}

TEST(MeanOfCells, AnErrorOfOneRankIsTheErrorOfAll) {
  const auto world = comm::Communicator::world();
  const test::TempFolder folder;
  {
    const CellReader reader(shared_file(world, folder));
    std::vector<std::int64_t> cells(kCells);
    std::iota(cells.begin(), cells.end(), 0);
    const CellTransform fail = [](std::int64_t cell, std::span<float>) {
      if (cell == kCells - 1) throw InputError("the last cell", "here");
    };
    test::expect_mentions(
        test::error_of(ErrorKind::Input, [&] { mean_of_cells(world, reader, cells, fail); }),
        "the last cell");
  }
  world.barrier();
}

}  // namespace
}  // namespace regulus::data
