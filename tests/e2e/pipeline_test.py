"""simulate, prepare, pretrain, probe, train, evaluate on tiny data: once per number of ranks, always with the same bytes.

Usage: pipeline_test.py RANKS. One rank makes the files that the other numbers, and the other tests, compare with."""

import json
import shutil
import sys

import harness
from fixture import Run

RANKS = int(sys.argv.pop())
DATASETS = (1, 2)
BACKGROUNDS = {
    "virtual": ["--features", "vvp,gdt", "--background", "virtual"],
    "mean": ["--features", "gdt", "--background", "mean"],
    "uniform": ["--features", "gdt", "--background", "uniform"],
    "all": ["--features", "vvp,gdt,osg,pert,attn,emb", "--background", "cells", "--background-cells", 3, "--cells", 5,
            "--spread", "--attention", "all"],
    "cells": ["--features", "vvp,gdt,osg", "--background", "cells", "--background-cells", 3, "--cells", 5],
}


class Pipeline(harness.TestCase):
    """Runs the steps in the order of their numbers, the later on the files of the earlier."""

    @classmethod
    def setUpClass(cls):
        cls.here, cls.reference = Run(RANKS), Run(1)
        shutil.rmtree(cls.here.folder, ignore_errors=True)
        cls.here.folder.mkdir(parents=True)

    def step(self, *arguments):
        return self.succeeds(*arguments, "--log-level", "warning", ranks=RANKS)

    def same_bytes(self, file):
        """`file` is inside the run's folder; it must equal the one of one rank."""
        reference = self.reference.folder / file.relative_to(self.here.folder)
        self.assertEqual(file.read_bytes(), reference.read_bytes(), file)

    def same_data_sets(self, file):
        """Every data set of an HDF5 file; only the provenance, an attribute or text, may differ."""
        h5py = harness.require("h5py")
        reference = self.reference.folder / file.relative_to(self.here.folder)
        with h5py.File(file) as mine, h5py.File(reference) as theirs:
            self.assertEqual(data_sets(mine), data_sets(theirs), file)
            self.assertGreater(len(data_sets(mine)), 0)

    def test_1_simulate(self):
        run = self.here
        self.step("simulate", "--out", run.data, "--datasets", len(DATASETS), "--genes", 40, "--tfs", 8, "--cells", 60)
        for dataset in DATASETS:
            self.same_data_sets(run.counts(dataset))
            self.same_bytes(run.network(dataset))
            self.same_bytes(run.sources(dataset))

    def test_2_prepare(self):
        run = self.here
        run.expression(1).parent.mkdir()
        for dataset in DATASETS:
            self.step("prepare", "--input", run.counts(dataset), "--out", run.expression(dataset))
            self.same_data_sets(run.expression(dataset))

    def test_3_pretrain(self):
        run = self.here
        self.step("pretrain", "--out", run.model, "--expression", *map(run.expression, DATASETS), "--layers", 2,
                  "--heads", 2, "--width", 16, "--hidden", 16, "--panel", 24, "--steps", 12, "--batch", 6)  # fmt: skip
        for name in ("model.safetensors", "best_model.pt", "vocab.json", "loss.csv"):
            self.same_bytes(run.model / name)

    def test_4_probe(self):
        run = self.here
        for background, options in BACKGROUNDS.items():
            for dataset in DATASETS:
                with self.subTest(background=background, dataset=dataset):
                    out = run.features(dataset, background)
                    self.step("probe", "--model", run.model, "--expression", run.expression(dataset),
                              "--sources", run.sources(dataset), "--sources-per-tile", 3, "--out", out, *options)  # fmt: skip
                    self.same_data_sets(out)

    def test_5_train(self):
        run = self.here
        self.step("train", "--features", run.features(1, "cells"), "--network", run.network(1), "--out", run.translator,
                  "--holdout-genes", 0.4, "--epochs", 4, "--hidden", 8)  # fmt: skip
        self.same_data_sets(run.translator)

    def test_6_evaluate(self):
        run = self.here
        for dataset in DATASETS:
            setting = "unseen-genes" if dataset == 1 else "unseen-datasets"
            self.step("evaluate", "--translator", run.translator, "--features", run.features(dataset, "cells"),
                      "--network", run.network(dataset), "--setting", setting, "--expression", run.expression(dataset),
                      "--train-network", run.network(1), "--protocol", "balanced", "full", "--bootstrap", 50,
                      "--out", run.evaluation(dataset))  # fmt: skip
            for name in ("metrics.csv", "curves.csv"):
                self.same_bytes(run.evaluation(dataset) / name)
            self.assertEqual(without_provenance(run.evaluation(dataset)), without_provenance(self.reference.evaluation(dataset)))

    def test_7_inspect(self):
        run = self.here
        files = {
            run.expression(1): "expression (AnnData)",
            run.network(1): "network",
            run.sources(1): "gene list",
            run.model: "model folder",
            run.model / "model.safetensors": "tensors (safetensors)",
            run.model / "best_model.pt": "tensors (PyTorch state dict)",
            run.model / "vocab.json": "vocabulary",
            run.model / "args.json": "model arguments (args.json)",
            run.model / "loss.csv": "loss curve",
            run.features(1, "cells"): "feature store",
            run.translator: "translator",
            run.evaluation(1) / "metrics.json": "metrics",
            run.evaluation(1) / "metrics.csv": "metrics",
            run.evaluation(1) / "curves.csv": "curves",
        }
        text = self.step("inspect", *files).out
        for file, kind in files.items():
            self.assertIn(f"{file}: {kind}, whole\n", text)


def data_sets(file):
    """Path -> (type, shape, bytes) of every data set but the provenance."""
    found = {}

    def visit(path, node):
        if hasattr(node, "dtype") and not path.endswith("provenance"):
            value = node[()]
            content = value.tobytes() if node.dtype.kind in "iufb" else repr(value)
            found[path] = (str(node.dtype), node.shape, content)

    file.visititems(visit)
    return found


def without_provenance(folder):
    content = json.loads((folder / "metrics.json").read_text())
    del content["provenance"]
    return content


if __name__ == "__main__":
    harness.main(failfast=True)
