"""The files of a tiny complete run, which the tests read, copy and damage. pipeline_test.py makes them."""

import os
import shutil
from pathlib import Path

FOLDER = Path(os.environ["REGULUS_E2E_FOLDER"]) / "pipeline"


class Run:
    """Where the steps of the tiny pipeline on `ranks` ranks put their results."""

    def __init__(self, ranks=1):
        self.folder = FOLDER / str(ranks)
        self.data = self.folder / "data"
        self.model = self.folder / "model"
        self.translator = self.folder / "translator.h5"

    def counts(self, dataset):
        return self.data / f"dataset_{dataset}.h5ad"

    def expression(self, dataset):
        return self.folder / "prepared" / f"dataset_{dataset}.h5ad"

    def network(self, dataset):
        return self.data / f"dataset_{dataset}_network.csv"

    def sources(self, dataset):
        return self.data / f"dataset_{dataset}_tfs.txt"

    def features(self, dataset, background):
        return self.folder / f"features_{dataset}_{background}.h5"

    def evaluation(self, dataset):
        return self.folder / f"evaluation_{dataset}"


def truncated(file, into, share=0.5):
    """A copy that ends early, as after a broken transfer."""
    content = Path(file).read_bytes()
    copy = into / ("truncated_" + Path(file).name)
    copy.write_bytes(content[: int(len(content) * share)])
    return copy


def copied(path, into):
    """A copy of a file or folder, to be changed."""
    copy = into / Path(path).name
    if Path(path).is_dir():
        shutil.copytree(path, copy)
    else:
        shutil.copy(path, copy)
    return copy
