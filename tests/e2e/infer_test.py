"""`infer` against an independent path from features to edges, on any number of ranks, interrupted, and refused."""

import hashlib
import shutil
import struct

import fixture
import harness

OPTIONS, INPUT, MODEL, STORAGE, INTERRUPTED = 2, 3, 4, 5, 75
RUN = fixture.Run()
TILED = ["--panel-plan", "tiled", "--context", 20]
EVERYTHING = [*TILED, "--edge-spread", "--false-discovery", "--scores", "--top-k", 7]
FOLDER = fixture.FOLDER.parent / "infer"
TRANSLATOR, REFERENCE = FOLDER / "translator.h5", FOLDER / "edges.h5"
TOLERANCE = 1e-5  # single precision, logits of order one


def described(*options, model=RUN.model, sources=True):
    """What is probed: as the store that the translator was trained on, in other cells."""
    listed = ["--sources", RUN.sources(2)] if sources else []
    return ["--model", model, "--expression", RUN.expression(2), *listed, "--background", "cells",
            "--background-cells", 3, "--cells", 5, "--attention", "all", "--sources-per-tile", 3, *options]  # fmt: skip


def infer(out, *options, translator=TRANSLATOR, **what):
    return ["infer", "--translator", translator, "--out", out, *described(*options, **what)]


def another_model(folder):
    """A copy of the model in which one weight differs."""
    model = fixture.copied(RUN.model, folder)
    weights = model / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + struct.pack("<f", 0.25))
    return model


def setUpModule():
    """A translator of every feature, with members and nulls, and its edges on one rank: what the cases compare with."""
    FOLDER.mkdir(exist_ok=True)
    h5py = harness.require("h5py")
    TRANSLATOR.unlink(missing_ok=True)
    case = harness.TestCase("succeeds")
    case.succeeds("train", "--features", RUN.features(1, "all"), "--network", RUN.network(1), "--out", TRANSLATOR,
                  "--epochs", 3, "--hidden", 6, "--members", 3, "--null", 3)  # fmt: skip
    with h5py.File(TRANSLATOR, "r+") as file:
        for probe in file["probe"].values():
            for null in probe["null"].values():  # so brief a training does not beat its nulls: they are made milder
                for name in ("weight_1", "bias_1"):
                    null[name][...] *= 0.2
    case.succeeds(*infer(REFERENCE, *EVERYTHING, "--overwrite"))


class Infer(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.h5py, self.numpy = harness.require("h5py"), harness.require("numpy")
        self.out = self.folder / "edges.h5"
        self.working = self.folder / "edges.h5.tiles"

    def data_sets(self, path):
        """Path -> (type, shape, bytes) of every data set; names of genes as text."""
        found = {}

        def visit(name, node):
            if hasattr(node, "dtype"):
                value = node[()]
                found[name] = (str(node.dtype), node.shape, value.tobytes() if node.dtype.kind in "if" else repr(value))

        with self.h5py.File(path) as file:
            file.visititems(visit)
        return found

    def same_edges(self, path, reference=REFERENCE):
        self.assertEqual(self.data_sets(path), self.data_sets(reference))


class Ranks(Infer):
    def test_same_bits(self):
        names = {"genes/source", "genes/target", "scores", *(f"edges/{name}" for name in
                 ("target", "score", "spread", "false_discovery"))}  # fmt: skip
        self.assertEqual(set(self.data_sets(REFERENCE)), names)
        for ranks in (2, 3, 4, 7):
            with self.subTest(ranks=ranks):
                self.succeeds(*infer(self.out, *EVERYTHING, "--overwrite"), ranks=ranks)
                self.same_edges(self.out)


class Resume(Infer):
    def test_goes_on_to_the_same_bits_on_another_number_of_ranks(self):
        run = infer(self.out, *EVERYTHING)
        self.fails(INTERRUPTED, ["--resume"], *run, "--max-hours", 0)
        self.assertTrue(self.working.exists())
        self.assertFalse(self.out.exists())
        self.fails(OPTIONS, [self.working, "--resume", "--overwrite"], *run, ranks=1)
        self.fails(OPTIONS, ["--seed"], *run, "--resume", "--seed", 5, ranks=1)
        other = infer(self.out, *EVERYTHING, "--resume", translator=self.other_translator())
        self.fails(OPTIONS, ["--translator"], *other, ranks=1)
        self.succeeds(*run, "--resume", ranks=3)
        self.assertFalse(self.working.exists())
        self.same_edges(self.out)

    def test_tiles_that_are_done_are_not_computed_again(self):
        # The edges cannot be written, so that the scores stay; then some tiles of them are lost.
        self.write("edges.h5.partial/blocker", "")
        blocker = self.folder / "edges.h5.partial"
        self.fails(STORAGE, [blocker], *infer(self.out, *EVERYTHING), ranks=1)
        shutil.rmtree(blocker)
        with self.h5py.File(self.working, "r+") as file:
            file.attrs["complete"] = 0
            lost = [1, 5, 6]
            for tile in lost:
                source, sources, target, targets = file["tiles/plan"][tile]
                file["features/logit"][source : source + sources, target : target + targets] = 99.0
                file["tiles/done"][tile] = 0
            tiles = len(file["tiles/done"])
        outcome = self.succeeds(*infer(self.out, *EVERYTHING, "--resume"), ranks=2)
        self.assertIn(f"{tiles - len(lost)} of {tiles} tiles", outcome.err)
        self.same_edges(self.out)

    def other_translator(self):
        """The same function under another hash."""
        copy = fixture.copied(TRANSLATOR, self.folder)
        with self.h5py.File(copy, "r+") as file:
            file.attrs["provenance"] = "{}"
        return copy

    def other_model(self):
        """Another model, and the translator as if it had been trained on that one."""
        model, translator = another_model(self.folder), fixture.copied(TRANSLATOR, self.folder)
        with self.h5py.File(translator, "r+") as file:
            file.attrs["checkpoint_sha256"] = hashlib.sha256((model / "model.safetensors").read_bytes()).hexdigest()
        return {"model": model, "translator": translator}

    def test_finished_edges_are_left_alone(self):
        fixture.copied(REFERENCE, self.folder)
        before = self.out.read_bytes(), self.out.stat().st_mtime_ns

        def untouched():
            self.assertEqual((self.out.read_bytes(), self.out.stat().st_mtime_ns), before)
            self.assertFalse(self.working.exists())

        run = infer(self.out, *EVERYTHING)
        outcome = self.succeeds(*run, "--resume", ranks=2)
        self.assertIn("already complete", outcome.err)
        untouched()
        self.fails(OPTIONS, [self.out, "--overwrite"], *run)
        self.fails(OPTIONS, ["--seed", self.out], *run, "--resume", "--seed", 5, ranks=1)
        self.fails(OPTIONS, ["--top-k", self.out], *infer(self.out, *EVERYTHING[:-1], 8, "--resume"), ranks=1)
        without_scores = [option for option in EVERYTHING if option != "--scores"]
        self.fails(OPTIONS, ["--scores"], *infer(self.out, *without_scores, "--scores", "float16", "--resume"), ranks=1)
        other = self.other_model()
        self.fails(OPTIONS, ["--model"], *infer(self.out, *EVERYTHING, "--resume", **other), ranks=1)
        other.pop("model")
        self.fails(INPUT, [other["translator"], "checkpoint"], *infer(self.out, *EVERYTHING, "--resume", **other), ranks=1)
        untouched()


class Scores(Infer):
    """Features of `probe`, translated in numpy, are the scores of `infer`."""

    def independent(self, *plan):
        store = self.folder / "features.h5"
        self.succeeds("probe", "--features", "vvp,gdt,osg,pert,attn,emb", "--spread", "--out", store, *described(*plan))
        return harness.require("independent_translator").Translator(TRANSLATOR, store)

    def close(self, found, expected, tolerance=TOLERANCE):
        self.assertEqual(found.shape, expected.shape)
        self.numpy.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)

    def check_best(self, file, count):
        """The best `count` targets of every source by /scores, equal ones in the order of the targets."""
        numpy, scores = self.numpy, file["scores"][()]
        order = numpy.argsort(-numpy.where(numpy.isnan(scores), -1.0, scores), axis=1, kind="stable")[:, :count]
        self.assertEqual(file["edges/score"].shape, order.shape)
        numpy.testing.assert_array_equal(file["edges/score"][()], numpy.take_along_axis(scores, order, axis=1))
        numpy.testing.assert_array_equal(file["edges/target"][()], order)

    def test_tiled(self):
        numpy, independent = self.numpy, self.independent(*TILED)
        self.assertEqual(len(independent.probes), 9)
        with self.h5py.File(REFERENCE) as file:
            self.close(file["scores"][()], independent.probabilities())
            self.assertGreater(numpy.nanstd(file["scores"][()]), 1000 * TOLERANCE)
            self.check_best(file, 7)
            target = file["edges/target"][()]
            self.assertFalse(numpy.take_along_axis(independent.self_pairs, target, axis=1).any())
            self.close(file["edges/spread"][()], numpy.take_along_axis(independent.spread(), target, axis=1))
            low, high = (numpy.take_along_axis(r, target, axis=1) for r in independent.false_discovery(TOLERANCE))
            found = file["edges/false_discovery"][()]
            self.assertTrue((low - 1e-6 <= found).all() and (found <= high + 1e-6).all())
            self.assertGreater((high - low < 0.01).mean(), 0.8)
            self.assertGreater(len(numpy.unique(found)), 3)

    def test_single(self):
        independent = self.independent("--panel-plan", "single")
        self.succeeds(*infer(self.out, "--panel-plan", "single", "--scores"), ranks=2)
        with self.h5py.File(self.out) as file, self.h5py.File(REFERENCE) as tiled:
            self.close(file["scores"][()], independent.probabilities())
            self.check_best(file, 39)
            self.assertGreater(self.numpy.nanmax(abs(file["scores"][()] - tiled["scores"][()])), 100 * TOLERANCE)

    def test_all_genes_are_sources_by_default(self):
        run = infer(self.out, *TILED, "--top-k", 0, "--scores", "float16", sources=False)
        self.succeeds(*run, ranks=2)
        with self.h5py.File(self.out) as file, self.h5py.File(REFERENCE) as some:
            genes = file["genes/target"][()].tolist()
            self.assertEqual(file["genes/source"][()].tolist(), genes)
            self.assertEqual(file["edges/target"].shape, (len(genes), len(genes) - 1))
            for source, row in enumerate(file["edges/target"][()]):
                self.assertEqual(sorted([source, *row]), list(range(len(genes))))
            scores = file["scores"][()]
            self.assertEqual(scores.dtype, self.numpy.float16)
            self.assertTrue(self.numpy.isnan(scores.diagonal()).all())
            kept = self.numpy.take_along_axis(scores, file["edges/target"][()], axis=1)
            self.numpy.testing.assert_array_equal(kept, file["edges/score"][()].astype("float16"))
            self.assertEqual(some["genes/target"][()].tolist(), genes)


class Export(Infer):
    def test_the_same_files_as_of_export(self):
        names = ["edges.tsv", "edges.csv", "edges.h5ad"]
        outs = [self.folder / name for name in names]
        self.succeeds(*infer(self.out, *EVERYTHING, "--export", *outs), ranks=2)
        for name, out in zip(names, outs):
            again = self.folder / f"again_{name}"
            self.succeeds("export", "--input", self.out, "--out", again)
            if name.endswith(".h5ad"):
                exported = self.data_sets(again)
                del exported["uns/regulus/export_provenance"]
                self.assertEqual(self.data_sets(out), exported)
            else:
                self.assertEqual(out.read_bytes(), again.read_bytes())
        self.fails(OPTIONS, ["edges.pdf"], *infer(self.folder / "no.h5", "--export", self.folder / "edges.pdf"), ranks=1)
        self.assertFalse((self.folder / "no.h5").exists())


class Refused(Infer):
    def refuses(self, code, mentions, *options, ranks=1, **what):
        self.fails(code, mentions, *infer(self.out, *TILED, *options, **what), ranks=ranks)
        self.assertFalse(self.out.exists())
        self.assertFalse(self.working.exists())

    def test_other_features_than_the_translator_knows(self):
        self.refuses(INPUT, ["values", TRANSLATOR], "--grid", 4, ranks=2)
        self.refuses(INPUT, ["values", TRANSLATOR], "--v-b", 0.5)
        self.refuses(INPUT, ["another model", TRANSLATOR], model=another_model(self.folder))

    def test_what_the_translator_does_not_have(self):
        plain = RUN.translator
        self.refuses(OPTIONS, ["--edge-spread", "--members"], "--edge-spread", translator=plain, ranks=2)
        self.refuses(OPTIONS, ["--false-discovery", "--null"], "--false-discovery", translator=plain)

    def test_files_and_options(self):
        self.refuses(OPTIONS, ["--top-k"], "--top-k", -1)
        self.refuses(OPTIONS, ["--scores", "float64"], "--scores", "float64")
        self.refuses(MODEL, ["nowhere.h5"], translator=self.folder / "nowhere.h5", ranks=2)


if __name__ == "__main__":
    harness.main()
