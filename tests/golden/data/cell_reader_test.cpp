// Cells of files as h5py writes them: in compressed pieces, with booleans, and larger than memory should
// hold.
#include "regulus/data/cell_reader.h"

#include <gtest/gtest.h>

#include "regulus/data/h5ad.h"
#include "support/expect_error.h"
#include "support/python.h"
#include "support/temp_folder.h"

namespace regulus::data {
namespace {

using test::error_of;
using test::expect_mentions;
using Cells = std::vector<std::int64_t>;

std::vector<double> mean_of(const CellReader& reader) {
  return mean_of_cells(comm::Communicator::self(), reader, Cells{0, 1, 2});
}

TEST(CellReader, ReadsCompressedFilesOfH5pyAndRefusesLargeCscMatrices) {
  if (!test::has_h5py()) GTEST_SKIP() << "reason: /usr/bin/python3 has no h5py";
  const test::TempFolder folder;
  ASSERT_EQ(test::run_python(folder / "write.py", R"(
import sys, h5py, numpy as np
def frames(name):
    f = h5py.File(sys.argv[1] + "/" + name, "w")
    for frame, names in (("obs", ["one", "two", "three"]), ("var", ["A", "B"])):
        f.create_dataset(frame + "/_index", data=names, dtype=h5py.string_dtype())
        f[frame].attrs["_index"] = "_index"
    f["obs/good"] = np.array([True, False, True])
    return f
f = frames("dense.h5ad")
f.create_dataset("X", data=np.array([[0, 0.5], [1, 0], [2, 3]], "f2"), chunks=(2, 1), compression="gzip")
f = frames("csr.h5ad")
for name, values in (("data", [0.5, 1, 2, 3]), ("indices", [1, 0, 0, 1]), ("indptr", [0, 1, 2, 4])):
    f.create_dataset("X/" + name, data=np.array(values, "f8" if name == "data" else "i4"), chunks=(2,), compression="gzip")
f["X"].attrs["encoding-type"] = "csr_matrix"
f["X"].attrs["shape"] = [3, 2]
f = frames("csc.h5ad")
f.create_dataset("X/data", (2**28,), "f4", chunks=(2**16,))
f.create_dataset("X/indices", (2**28,), "i4", chunks=(2**16,))
f["X/indptr"] = np.array([0, 0, 2**28])
f["X"].attrs["encoding-type"] = "csc_matrix"
f["X"].attrs["shape"] = [3, 2]
)",
                             folder.path()),
            0);
  for (const std::string name : {"dense.h5ad", "csr.h5ad"}) {
    EXPECT_EQ(mean_of(CellReader(folder / name)), read_h5ad(folder / name).gene_means()) << name;
    EXPECT_EQ(CellReader(folder / name).read_rows(Cells{0, 2}), (std::vector<float>{0, 0.5F, 2, 3}));
    EXPECT_EQ(CellReader(folder / name).cells_where("good", "True"), (Cells{0, 2})) << name;
  }
  expect_mentions(error_of(ErrorKind::Input, [&] { CellReader{folder / "csc.h5ad"}; }), "csc.h5ad:/X",
                  "csc_matrix of 268435456 values", "regulus prepare");
}

}  // namespace
}  // namespace regulus::data
