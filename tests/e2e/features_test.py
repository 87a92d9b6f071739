"""Features of models in every form they come in, against a model written independently in Python."""

import json
import shutil

import fixture
import harness

INPUT, OPTIONS = 3, 2
GRID = (1.0, 2.5)
TOLERANCE = 5e-6  # single precision, responses of order one


class Features(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.run = fixture.Run()
        self.torch = harness.require("torch")
        self.h5py = harness.require("h5py")
        self.vocabulary = json.loads((self.run.model / "vocab.json").read_text())

    def probe(self, model, *options, ranks=1, expression=None):
        out = self.folder / f"features_{len(list(self.folder.iterdir()))}.h5"
        self.succeeds("probe", "--model", model, "--expression", expression or self.run.expression(1), "--sources",
                      self.run.sources(1), "--grid", ",".join(map(str, GRID)), "--panel-plan", "single", "--out", out, *options,
                      ranks=ranks)  # fmt: skip
        return self.h5py.File(out)

    def independent(self):
        return harness.require("independent_model").load(self.run.model).double()

    def vvp(self, background, store):
        """VVP [source, target, grid] by forward passes of the independent model. background: values by gene name."""
        torch, model = self.torch, self.independent()
        targets = [name.decode() for name in store["genes/target"][()]]
        ids = torch.tensor([[self.vocabulary[gene] for gene in targets]])
        mask = torch.zeros_like(ids, dtype=torch.bool)
        base = torch.tensor([[background(gene) for gene in targets]], dtype=torch.double)

        def response(position, value):
            values = base.clone()
            values[0, position] = value
            return model(ids, values, mask)[0]

        rows = []
        for source in store["genes/source"][()]:
            i = targets.index(source.decode())
            rows.append(torch.stack([response(i, value) - response(i, 0.0) for value in GRID], -1))
        return torch.stack(rows)

    def close(self, found, expected):
        difference = (self.torch.tensor(found[()], dtype=self.torch.double) - expected).abs().max().item()
        self.assertLess(difference, TOLERANCE)
        self.assertGreater(expected.abs().max().item(), 100 * TOLERANCE)

    def test_saved_model_is_read_by_python_and_predicts_the_same(self):
        store = self.probe(self.run.model, "--features", "vvp")
        self.close(store["features/vvp"], self.vvp(lambda gene: 0.0, store))

    def test_both_checkpoints_of_a_folder_are_the_same_model(self):
        wanted = ["--features", "vvp,gdt,attn,emb"]
        safetensors = self.probe(self.run.model / "model.safetensors", *wanted)
        pickled = self.probe(self.run.model / "best_model.pt", *wanted, ranks=2)
        for name in ("vvp", "gdt", "attn", "emb"):
            self.assertEqual(safetensors[f"features/{name}"][()].tobytes(), pickled[f"features/{name}"][()].tobytes())

    def test_bfloat16_is_close_and_leaves_vvp_in_single_precision(self):
        wanted = ["--features", "vvp,gdt,osg", "--cells", 4]
        single = self.probe(self.run.model, *wanted, "--device", "cpu")
        rounded = self.probe(self.run.model, *wanted, "--precision", "bfloat16", "--device", "cpu")
        spread = self.probe(self.run.model, *wanted, "--precision", "bfloat16", "--device", "cpu", ranks=2)
        self.close(rounded["features/vvp"], self.torch.tensor(single["features/vvp"][()]).double())
        for name in ("gdt", "osg"):
            a, b = (self.torch.tensor(store[f"features/{name}"][()]).double().flatten() for store in (single, rounded))
            self.assertGreater(self.torch.corrcoef(self.torch.stack([a, b]))[0, 1].item(), 0.99)
            self.assertFalse(self.torch.equal(a, b))
        for name in ("vvp", "gdt", "osg"):
            self.assertEqual(rounded[f"features/{name}"][()].tobytes(), spread[f"features/{name}"][()].tobytes())
        self.assertEqual(json.loads(rounded.attrs["provenance"])["options"]["precision"], "bfloat16")

    def test_device_and_precision_that_cannot_be(self):
        arguments = ["probe", "--model", self.run.model, "--expression", self.run.expression(1), "--out", self.folder / "no.h5"]
        if not self.torch.cuda.is_available():
            self.fails(OPTIONS, ["--device cuda", "no CUDA device"], *arguments, "--device", "cuda", ranks=2)
        self.fails(OPTIONS, ["--precision bfloat16", "gdt and osg"], *arguments, "--features", "vvp", "--precision", "bfloat16")

    def test_scripted_model_gives_the_same_features(self):
        folder = self.folder / "scripted"
        folder.mkdir()
        for name in ("args.json", "vocab.json"):
            shutil.copy(self.run.model / name, folder)
        model = harness.require("independent_model").load(self.run.model)
        self.torch.jit.script(model).save(str(folder / "model.pt"))
        wanted = ["--features", "vvp,gdt,osg,pert", "--background", "cells", "--background-cells", 3, "--cells", 4]
        native = self.probe(self.run.model, *wanted)
        scripted = self.probe(f"torchscript:{folder}", *wanted, ranks=2)
        for name in ("vvp", "gdt", "osg", "pert"):
            self.close(scripted[f"features/{name}"], self.torch.tensor(native[f"features/{name}"][()]).double())
        self.fails(OPTIONS, ["--features", "attn"], "probe", "--model", f"torchscript:{folder}", "--expression",
                   self.run.expression(1), "--features", "attn", "--out", self.folder / "no.h5")  # fmt: skip

    def with_cell_types(self):
        """The expression with a column of obs: every third cell is of type B."""
        copy = fixture.copied(self.run.expression(1), self.folder)
        with self.h5py.File(copy, "r+") as file:
            cells = file["X/indptr"].shape[0] - 1
            types = ["B" if cell % 3 == 0 else "T cell" for cell in range(cells)]
            file["obs"].create_dataset("cell_type", data=types, dtype=self.h5py.string_dtype())
        return copy

    def test_cells_are_chosen_by_a_column(self):
        expression = self.with_cell_types()
        anndata = harness.require("anndata")
        numpy = harness.require("numpy")
        cells = anndata.read_h5ad(self.run.expression(1))
        chosen = numpy.asarray(cells.X.todense())[::3].astype("float64").mean(0)
        mean = dict(zip(cells.var_names, chosen))
        store = self.probe(self.run.model, "--features", "vvp", "--background", "mean", "--cells-where",
                           "cell_type=B", expression=expression, ranks=3)  # fmt: skip
        self.close(store["features/vvp"], self.vvp(mean.get, store))
        command = ["probe", "--model", self.run.model, "--expression", expression, "--features", "osg", "--out",
                   self.folder / "no.h5"]  # fmt: skip
        self.fails(INPUT, ["cell_type", "T cell"], *command, "--cells-where", "cell_type=C")
        self.fails(INPUT, ["colour", "cell_type"], *command, "--cells-where", "colour=B")
        self.fails(OPTIONS, ["--cells-where"], *command, "--cells-where", "cell_type")

    def test_aliases_and_the_report_of_genes(self):
        genes = [gene for gene in self.vocabulary if not gene.startswith("<")][:6]
        listed = self.write("genes.txt", "\n".join(["one", *genes[1:], "nothing"]) + "\n")
        aliases = self.write("aliases.tsv", f"one\t{genes[0]}\n")
        out = self.folder / "aliased.h5"
        command = ["probe", "--model", self.run.model, "--genes", listed, "--aliases", aliases, "--features", "emb"]
        self.succeeds(*command, "--out", out)
        report = (self.folder / "aliased.h5.genes.tsv").read_text().splitlines()
        self.assertEqual(report[1].split("\t")[:3], ["one", "alias", genes[0]])
        self.assertEqual(report[-1].split("\t")[:2], ["nothing", "missing"])
        few = self.folder / "few.h5"
        self.fails(INPUT, [listed, "nothing", "--min-mapped"], *command, "--min-mapped", 0.9, "--out", few)
        self.succeeds(*command, "--min-mapped", 0.9, "--few-mapped", "warn", "--out", few)

    def test_scores_without_a_translator(self):
        features = self.run.features(1, "all")
        out = self.folder / "evaluation"
        self.succeeds("evaluate", "--features", features, "--network", self.run.network(1), "--origin", "pert", "attn",
                      "--protocol", "full", "--bootstrap", 0, "--out", out, ranks=2)  # fmt: skip
        rows = [line.split(",") for line in (out / "metrics.csv").read_text().splitlines()]
        auprc, method = rows[0].index("auprc"), rows[0].index("method")
        found = {row[method]: float(row[auprc]) for row in rows[1:]}
        for name in ("pert", "attn"):
            self.assertAlmostEqual(found[f"{name} (origin)"], self.average_precision(features, name), places=5)

    def average_precision(self, features, name):
        metrics = harness.require("sklearn.metrics")
        lines = self.run.network(1).read_text().splitlines()[1:]
        edges = {tuple(line.split(",")[:2]) for line in lines}
        label, score = [], []
        with self.h5py.File(features) as store:
            values = abs(store[f"features/{name}"][()][:, :, -1])
            targets = [gene.decode() for gene in store["genes/target"][()]]
            for i, source in enumerate(gene.decode() for gene in store["genes/source"][()]):
                for j, target in enumerate(targets):
                    if source != target:
                        label.append((source, target) in edges)
                        score.append(values[i, j])
        return metrics.average_precision_score(label, score)


if __name__ == "__main__":
    harness.main()
