"""Formats in and out: files of other programs are prepared as those programs mean them, and edges leave as others read them."""

import gzip
import itertools
import json
import warnings

import fixture
import harness

OPTIONS, INPUT, STORAGE = 2, 3, 5

warnings.simplefilter("ignore")


class TestCase(harness.TestCase):
    """Rank 0 does the work of these commands: one rank is enough for most errors."""

    def fails(self, *arguments, ranks=1, **how):
        return super().fails(*arguments, ranks=ranks, **how)


class Inputs(TestCase):
    """The same counts in every form; scipy and anndata say what was meant."""

    def setUp(self):
        super().setUp()
        self.h5py, self.np = harness.require("h5py"), harness.require("numpy")
        self.anndata, self.scipy = harness.require("anndata"), harness.require("scipy.io")
        self.sparse = harness.require("scipy.sparse")
        random = self.np.random.default_rng(1)
        self.counts = random.poisson(0.6, (30, 12)).astype("float32")
        self.counts[:, 0] += 1  # no cell is empty
        self.cells = [f"ACGTACGTACGTAC{a}{b}-1" for a, b in itertools.islice(itertools.product("ACGT", "ABCDEFGH"), 30)]
        self.symbols = [f"GENE{i}" for i in range(12)]
        self.symbols[7] = self.symbols[3]
        self.distinct = [*self.symbols[:7], self.symbols[3] + "-1", *self.symbols[8:]]
        self.ids = [f"ENSG{i:011d}" for i in range(12)]

    def prepared(self, source, *options):
        out = self.folder / "prepared.h5ad"
        self.succeeds("prepare", "--input", source, "--normalise", "none", "--out", out, *options)
        return self.anndata.read_h5ad(out)

    def same(self, prepared, counts, genes):
        self.assertEqual(list(prepared.obs_names), self.cells)
        self.assertEqual(list(prepared.var_names), list(genes))
        self.np.testing.assert_array_equal(prepared.X.toarray(), counts)

    def tenx_group(self, group, counts):
        """The layout that Cell Ranger publishes: genes x cells by columns, text of fixed length, compressed chunks."""
        matrix = self.sparse.csc_matrix(counts.T)
        group.create_dataset("data", data=matrix.data.astype("int32"), compression="gzip", chunks=(16,))
        group.create_dataset("indices", data=matrix.indices.astype("int64"), compression="gzip", chunks=(16,))
        group.create_dataset("indptr", data=matrix.indptr.astype("int64"))
        group.create_dataset("shape", data=self.np.array(matrix.shape, dtype="int32"))
        group.create_dataset("barcodes", data=self.np.array(self.cells, dtype="S18"))

    def tenx(self, change=lambda file: None):
        path = self.folder / "filtered_feature_bc_matrix.h5"
        types = ["Gene Expression"] * 12
        types[4] = "Antibody Capture"
        with self.h5py.File(path, "w") as file:
            self.tenx_group(file.create_group("matrix"), self.counts)
            features = file.create_group("matrix/features")
            for name, texts in (("name", self.symbols), ("id", self.ids), ("feature_type", types)):
                features.create_dataset(name, data=self.np.array(texts, dtype="S24"))
            features.create_dataset("genome", data=self.np.array(["GRCh38"] * 12, dtype="S6"))
            change(file)
        return path

    def old_tenx(self):
        path = self.folder / "raw_gene_bc_matrices_h5.h5"
        with self.h5py.File(path, "w") as file:
            for genome, factor in (("GRCh38", 1), ("mm10", 2)):
                self.tenx_group(file.create_group(genome), self.counts * factor)
                file[genome].create_dataset("genes", data=self.np.array(self.ids, dtype="S15"))
                file[genome].create_dataset("gene_names", data=self.np.array(self.symbols, dtype="S8"))
        return path

    def market(self, name="filtered_feature_bc_matrix", compress=True, prefix=""):
        folder = self.folder / name
        folder.mkdir()
        matrix = folder / f"{prefix}matrix.mtx"
        self.scipy.mmwrite(str(matrix), self.sparse.csr_matrix(self.counts.T.astype("int64")))
        third = "\tGene Expression" if compress else ""
        genes = "".join(f"{i}\t{s}{third}\n" for i, s in zip(self.ids, self.symbols))
        (folder / f"{prefix}{'features' if compress else 'genes'}.tsv").write_text(genes)
        (folder / f"{prefix}barcodes.tsv").write_text("".join(f"{cell}\n" for cell in self.cells))
        for file in list(folder.iterdir()) if compress else []:
            file.with_suffix(file.suffix + ".gz").write_bytes(gzip.compress(file.read_bytes()))
            file.unlink()
        return folder

    def test_tenx(self):
        prepared = self.prepared(self.tenx())
        keep = [gene for gene in range(12) if gene != 4]
        self.same(prepared, self.counts[:, keep], [self.distinct[gene] for gene in keep])
        self.assertEqual(set(prepared.obs["dataset"]), {"filtered_feature_bc_matrix"})

    def test_old_tenx(self):
        file = self.old_tenx()
        self.same(self.prepared(file, "--genome", "mm10"), 2 * self.counts, self.distinct)
        out = self.folder / "x.h5ad"
        self.fails(INPUT, [file, "GRCh38, mm10", "--genome"], "prepare", "--input", file, "--out", out)
        self.fails(INPUT, [file, "hg19"], "prepare", "--input", file, "--out", out, "--genome", "hg19")

    def test_matrix_market(self):
        self.same(self.prepared(f"{self.market()}/"), self.counts, self.distinct)
        old = self.market("GRCh38", compress=False, prefix="GSM1_")
        self.same(self.prepared(old / "GSM1_matrix.mtx"), self.counts, self.distinct)

    def test_every_matrix_of_anndata(self):
        data = self.anndata.AnnData(self.sparse.csr_matrix(self.counts), dtype="float32")
        data.obs_names, data.var_names = self.cells, self.distinct
        for name, form in (("dense", self.np.asarray), ("by_row", self.sparse.csr_matrix), ("by_column", self.sparse.csc_matrix)):
            data.layers[name] = form(3 * self.counts)
        data.raw = data
        data = data[:, 2:].copy()
        file = self.folder / "all.h5ad"
        data.write(file)
        self.same(self.prepared(file), self.counts[:, 2:], self.distinct[2:])
        self.same(self.prepared(file, "--raw"), self.counts, self.distinct)
        for layer in data.layers:
            self.same(self.prepared(file, "--layer", layer), 3 * self.counts[:, 2:], self.distinct[2:])
        out = self.folder / "x.h5ad"
        self.fails(INPUT, [file, "spliced", "by_column, by_row, dense"], "prepare", "--input", file, "--out", out, "--layer", "spliced")
        self.fails(OPTIONS, ["--raw"], "prepare", "--input", file, "--out", out, "--raw", "--layer", "dense")
        self.fails(OPTIONS, ["--layer", "cells.csv"], "prepare", "--input", "cells.csv", "--out", out, "--layer", "dense")

    def test_a_joint_file_of_several_forms(self):
        out = self.folder / "joint.h5ad"
        self.succeeds("prepare", "--input", self.tenx(), self.market("folder"), "--out", out, ranks=2)
        joint = self.anndata.read_h5ad(out)
        self.assertEqual(joint.shape, (60, 12))
        self.assertEqual(joint.uns["regulus"]["scale"], "log-normalised")
        total = self.counts.sum(axis=1, keepdims=True)
        expected = self.np.log1p(1e4 * self.counts / total)
        self.np.testing.assert_allclose(joint[30:, self.distinct].X.toarray(), expected, rtol=1e-6)

    def test_damage(self):
        def index_out_of_range(file):
            file["matrix/indices"][0] = 12

        def negative(file):
            file["matrix/data"][0] = -1

        def without_features(file):
            del file["matrix/features"]

        for change in (index_out_of_range, negative, without_features):
            with self.subTest(change.__name__):
                file = self.tenx(change)
                self.fails(INPUT, [file], "prepare", "--input", file, "--out", self.folder / "x.h5ad")
        cut = fixture.truncated(self.tenx(), self.folder)
        self.fails(INPUT, [cut], "prepare", "--input", cut, "--out", self.folder / "x.h5ad", ranks=2)
        folder = self.market()
        matrix = folder / "matrix.mtx.gz"
        whole = gzip.decompress(matrix.read_bytes())
        lines = whole.decode().splitlines()
        damages = {
            "truncated gzip": (matrix.read_bytes()[:100], "truncated"),
            "fewer entries": ("\n".join(lines[:-1]), "entries instead of"),
            "repeated": ("\n".join([*lines[:-1], lines[-2]]), f"line {len(lines)}"),
            "out of range": ("\n".join([*lines[:-1], "13 1 1"]), f"line {len(lines)}"),
            "pattern": (whole.decode().replace("integer", "pattern"), "line 1"),
        }
        for name, (content, mention) in damages.items():
            with self.subTest(name):
                matrix.write_bytes(content if isinstance(content, bytes) else gzip.compress(content.encode()))
                self.fails(INPUT, [matrix, mention], "prepare", "--input", folder, "--out", self.folder / "x.h5ad")


class Exports(TestCase):
    """An edge file in the documented format, written by h5py; its exports are read by pandas and anndata."""

    def setUp(self):
        super().setUp()
        self.h5py, self.np, self.pandas = harness.require("h5py"), harness.require("numpy"), harness.require("pandas")
        random = self.np.random.default_rng(2)
        self.targets = [f"G{i}" for i in range(9)]
        self.sources = ["G0", "G3", "G8", "TF"]  # the last is no target
        rows = []
        for s, source in enumerate(self.sources):
            others = [t for t, target in enumerate(self.targets) if target != source][:8]
            scores = random.integers(0, 16, len(others)) / 16  # with ties
            rows += [(-score, s, t) for score, t in zip(scores, others)]
        self.table = self.pandas.DataFrame(
            [(self.sources[s], self.targets[t], -score) for score, s, t in sorted(rows)], columns=["source", "target", "score"])  # fmt: skip
        self.edges = self.folder / "edges.h5"
        self.write_edges(sorted(rows))

    def write_edges(self, ranked):
        by_source = [[(t, -score) for score, s, t in ranked if s == source] for source in range(len(self.sources))]
        text = self.h5py.string_dtype("utf-8")
        with self.h5py.File(self.edges, "w") as file:
            file.attrs.update(format="regulus edges", version=1, complete=1, matrix="none", background="cells",
                              checkpoint_sha256="a" * 64, translator_sha256="b" * 64, provenance=json.dumps({"seed": 5}))  # fmt: skip
            file.create_dataset("genes/source", data=self.sources, dtype=text)
            file.create_dataset("genes/target", data=self.targets, dtype=text)
            file["edges/target"] = self.np.array([[t for t, _ in row] for row in by_source], dtype="int32")
            score = self.np.array([[score for _, score in row] for row in by_source], dtype="float32")
            file["edges/score"] = score
            file["edges/spread"] = score / 8

    def exported(self, name, *options, ranks=1):
        out = self.folder / name
        self.succeeds("export", "--input", self.edges, "--out", out, *options, ranks=ranks)
        return out

    def same(self, read, expected):
        self.assertEqual(read.values.tolist(), expected.values.tolist())

    def test_adjacencies(self):
        read = self.pandas.read_csv(self.exported("adjacencies.tsv", ranks=2), sep="\t")
        self.assertEqual(list(read.columns), ["TF", "target", "importance", "spread"])
        self.same(read[["TF", "target", "importance"]], self.table)
        self.assertEqual(list(read["spread"]), list(self.table["score"] / 8))

    def test_ranked_edges(self):
        read = self.pandas.read_csv(self.exported("rankedEdges.csv"), sep="\t")
        self.assertEqual(list(read.columns), ["Gene1", "Gene2", "EdgeWeight"])
        self.same(read, self.table)
        best = self.table.groupby("source").head(3)
        best = best[best.score >= 0.75]
        read = self.pandas.read_csv(self.exported("best.txt", "--format", "ranked-edges", "--top-k", 3, "--threshold", 0.75), sep="\t")
        self.same(read, best)

    def network_of(self, data, genes):
        """varp as a dense matrix, checked against the table."""
        matrix = data.varp["regulus"]
        self.assertEqual(matrix.dtype, "float32")
        self.assertEqual(matrix.nnz, len(self.table))
        dense = self.pandas.DataFrame(matrix.toarray(), index=genes, columns=genes)
        expected = self.pandas.DataFrame(0.0, index=genes, columns=genes)
        for source, target, score in self.table.itertuples(index=False):
            expected.loc[source, target] = score
        self.same(dense, expected)
        edges = data.uns["regulus"]["edges"]
        self.same(edges[["source", "target", "score"]].astype({"source": str, "target": str}), self.table)
        self.assertEqual(list(edges["spread"]), list(self.table["score"] / 8))
        self.assertEqual(json.loads(data.uns["regulus"]["provenance"])["seed"], 5)
        self.assertEqual(json.loads(data.uns["regulus"]["export_provenance"])["command"], "export")

    def test_anndata_without_cells(self):
        anndata = harness.require("anndata")
        out = self.exported("network.h5ad")
        data = anndata.read_h5ad(out)
        genes = [*self.targets, "TF"]
        self.assertEqual(data.shape, (0, 10))
        self.assertEqual(list(data.var_names), genes)
        self.network_of(data, genes)
        data.write(self.folder / "again.h5ad")
        self.network_of(anndata.read_h5ad(self.folder / "again.h5ad"), genes)
        text = self.succeeds("inspect", out, self.edges).out
        self.assertIn(f"{out}: network (AnnData), whole", text)
        self.assertIn(f"{self.edges}: edges, whole", text)

    def test_anndata_with_cells(self):
        anndata = harness.require("anndata")
        genes = ["TF", "OTHER", *reversed(self.targets)]
        values = self.np.random.default_rng(3).integers(0, 3, (5, len(genes)))
        table = self.pandas.DataFrame(values, index=[f"cell_{i}" for i in range(5)], columns=genes)
        table.to_csv(self.folder / "cells.csv")
        cells = self.folder / "cells.h5ad"
        self.succeeds("prepare", "--input", self.folder / "cells.csv", "--orientation", "cells-by-genes", "--out", cells)
        before, out = anndata.read_h5ad(cells), self.exported("network.h5ad", "--expression", cells, ranks=2)
        data = anndata.read_h5ad(out)
        self.np.testing.assert_array_equal(data.X.toarray(), before.X.toarray())
        self.assertTrue(data.obs.equals(before.obs) and data.var.equals(before.var))
        self.assertEqual(data.uns["regulus"]["scale"], "log-normalised")
        self.network_of(data, genes)
        self.assertIn("expression (AnnData), whole", self.succeeds("inspect", out).out)
        small = anndata.read_h5ad(cells)[:, 1:].copy()
        small.write(self.folder / "small.h5ad")
        self.fails(INPUT, ["small.h5ad", "TF"], "export", "--input", self.edges, "--out", self.folder / "x.h5ad",
                   "--expression", self.folder / "small.h5ad")  # fmt: skip

    def test_wrong_options(self):
        wrong = {
            "no suffix": (OPTIONS, ["--format"], ["--out", "network.graphml"]),
            "too many": (OPTIONS, ["--top-k", "8 edges"], ["--out", "x.tsv", "--top-k", 9]),
            "cells in text": (OPTIONS, ["--expression"], ["--out", "x.tsv", "--expression", "cells.h5ad"]),
            "onto itself": (OPTIONS, ["--out"], ["--out", self.edges, "--format", "adjacencies"]),
            "not a number": (OPTIONS, ["--threshold"], ["--out", "x.tsv", "--threshold", "nan"]),
        }
        for name, (code, mentions, options) in wrong.items():
            with self.subTest(name):
                self.fails(code, mentions, "export", "--input", self.edges, *options, cwd=self.folder)

    def test_damage_and_full_disks(self):
        cut = fixture.truncated(self.edges, self.folder, 0.9)
        self.fails(INPUT, [cut], "export", "--input", cut, "--out", self.folder / "x.tsv", ranks=2)
        with self.h5py.File(self.edges, "r+") as file:
            file["edges/score"][1, 3] = 2
        self.fails(INPUT, [self.edges, "/edges/score", "G3"], "export", "--input", self.edges, "--out", self.folder / "x.tsv")
        self.fails(INPUT, [self.edges, "/edges/score"], "inspect", self.edges)
        with self.h5py.File(self.edges, "r+") as file:
            file["edges/score"][1, 3] = file["edges/score"][1, 4]
            file.attrs["complete"] = 0
        self.fails(INPUT, [self.edges, "unfinished"], "export", "--input", self.edges, "--out", self.folder / "x.tsv")
        with self.h5py.File(self.edges, "r+") as file:
            file.attrs["complete"] = 1
        blocked = self.write("blocker", "a file, not a folder") / "x.tsv"
        self.fails(STORAGE, [blocked], "export", "--input", self.edges, "--out", blocked)
        out = self.folder / "full.h5ad"
        self.fails(STORAGE, [out], "export", "--input", self.edges, "--out", out, ranks=2, wrapper=harness.FULL_DISK)
        self.assertEqual(list(self.folder.glob("full*")), [])

    def test_beelines_own_score(self):
        """BEELINE's computeScores: every ordered pair of genes of the true network, without self pairs; the score of a pair
        is the absolute weight, 0 if it is not listed; AUPRC by precision_recall_curve and auc. `evaluate` has no protocol
        beeline: its protocol full over the same genes, as sources and as targets, has the same candidates, and curves.csv
        is the curve. Its own auprc is the average precision of these candidates, not the area under straight lines."""
        metrics = harness.require("sklearn.metrics")
        true = {("G0", "G1"), ("G0", "G2"), ("G3", "G4"), ("G3", "G0"), ("G8", "G5"), ("G5", "G8"), ("G8", "G2")}
        genes = sorted({gene for edge in true for gene in edge})
        self.write("network.csv", "Gene1,Gene2\n" + "".join(f"{a},{b}\n" for a, b in sorted(true)))
        self.write("genes.txt", "".join(f"{gene}\n" for gene in genes))
        listed = self.pandas.read_csv(self.exported("rankedEdges.csv"), sep="\t")
        weight = {(row.Gene1, row.Gene2): abs(row.EdgeWeight) for row in listed.itertuples()}
        pairs = list(itertools.permutations(genes, 2))
        labels, scores = [int(pair in true) for pair in pairs], [weight.get(pair, 0.0) for pair in pairs]
        precision, recall, _ = metrics.precision_recall_curve(labels, scores)
        self.succeeds("evaluate", "--edges", "rankedEdges.csv", "--network", "network.csv", "--sources", "genes.txt",
                      "--genes", "genes.txt", "--protocol", "full", "--candidates", "listed", "--bootstrap", 0,
                      "--out", "evaluation", cwd=self.folder)  # fmt: skip
        row = self.pandas.read_csv(self.folder / "evaluation/metrics.csv").set_index("method").loc["rankedEdges"]
        self.assertEqual((row["pairs"], row["positives"]), (len(pairs), len(true)))
        self.assertAlmostEqual(row["auprc"], metrics.average_precision_score(labels, scores), places=12)
        curve = self.pandas.read_csv(self.folder / "evaluation/curves.csv").query("method == 'rankedEdges'")
        ours = metrics.auc([0.0, *curve["recall"]], [1.0, *curve["precision"]])
        self.assertAlmostEqual(ours, metrics.auc(recall, precision), places=12)


if __name__ == "__main__":
    harness.main()
