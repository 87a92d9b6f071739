"""Writes and reads small AnnData files with the real anndata, for anndata_test.cpp.

    anndata_files.py check               exit 0 if anndata is installed
    anndata_files.py write FOLDER        one file per layout and type, all of the same matrix
    anndata_files.py dump FILE           what anndata reads, as text
"""
import importlib.util
import sys


def sample(matrix):
    import anndata
    import pandas as pd

    obs = pd.DataFrame(
        {
            "kind": pd.Categorical(["left", "right", "left"]),
            "batch": ["x", "y", "z"],
            "size": [1, 2, 3],
            "good": [True, False, True],
        },
        index=["one", "two", "é"],
    )
    var = pd.DataFrame(index=["A", "B", "C", "D"])
    return anndata.AnnData(X=matrix, obs=obs, var=var, dtype=matrix.dtype)


def write(folder):
    import numpy as np
    import scipy.sparse as sp

    matrix = np.array([[1, 0, 2, 0], [0, 0, 0, 3], [4, 0, 0, 250]])
    for dtype in ("float32", "float64", "int32", "int64", "uint8", "uint16", "uint64"):
        values = matrix.astype(dtype)
        sample(values).write_h5ad(f"{folder}/dense_{dtype}.h5ad")
        sample(sp.csr_matrix(values)).write_h5ad(f"{folder}/csr_{dtype}.h5ad")
        sample(sp.csc_matrix(values)).write_h5ad(f"{folder}/csc_{dtype}.h5ad")
    values = matrix.astype("float32")
    sample(values).write_h5ad(f"{folder}/dense_gzip.h5ad", compression="gzip")
    sample(sp.csr_matrix(values)).write_h5ad(f"{folder}/csr_gzip.h5ad", compression="gzip")
    write_records(f"{folder}/records_fixed.h5ad", "S5")
    write_records(f"{folder}/records_variable.h5ad", None)


def write_records(file, string_type):
    """The layout of anndata 0.6, which anndata no longer writes: frames as records, h5sparse attributes."""
    import h5py
    import numpy as np

    text = string_type or h5py.string_dtype()
    kind = np.dtype([("index", text), ("kind", "i1")])
    with h5py.File(file, "w") as out:
        out["obs"] = np.array([(x.encode(), 1) for x in ("one", "two", "é")], dtype=kind)
        out["var"] = np.array([(x.encode(), 1) for x in "ABCD"], dtype=kind)
        group = out.create_group("X")
        group.attrs["h5sparse_format"] = "csr"
        group.attrs["h5sparse_shape"] = [3, 4]
        group["data"] = np.array([1, 2, 3, 4, 250], dtype="float32")
        group["indices"] = np.array([0, 2, 3, 0, 3], dtype="int32")
        group["indptr"] = np.array([0, 2, 3, 5], dtype="int32")


def dump(file):
    import anndata

    data = anndata.read_h5ad(file)
    print(type(data.X).__name__, data.X.dtype)
    print(" ".join(data.obs_names))
    print(" ".join(data.var_names))
    print(" ".join(f"{x:g}" for x in data.X.toarray().ravel()))
    print(" ".join(f"{c}={','.join(data.obs[c])}" for c in data.obs.columns))
    print(data.uns["regulus"]["scale"], data.uns["regulus"]["provenance"])


if __name__ == "__main__":
    if sys.argv[1] == "check":
        sys.exit(importlib.util.find_spec("anndata") is None)
    elif sys.argv[1] == "write":
        write(sys.argv[2])
    else:
        dump(sys.argv[2])
