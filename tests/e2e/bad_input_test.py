"""Bad input, command by command: the job ends at once with one message that names the file and with its exit code.

Every table row is: exit code, texts that the message must hold, changes of the valid command line (None drops)."""

import gzip
import json
import struct
import zipfile

import fixture
import harness

OPTIONS, INPUT, MODEL, STORAGE = 2, 3, 4, 5

GENES_BY_CELLS = "gene,AAACCTGA-1,AAACCTGC-1,AAACCTGG-1\nGATA1,1,0,2\nTAL1,0,3,1\nKLF1,2,0,0\n"


class BadInput(harness.TestCase):
    """`valid` holds the options of a run that would succeed; a case replaces some of them."""

    command = ""

    def setUp(self):
        super().setUp()
        self.run_files = fixture.Run()

    def blocked(self, name):
        """A path that cannot be created: its folder is a file."""
        return self.write("blocker", "a file, not a folder") / name

    def check(self, name, code, mentions, changes, **how):
        options = {**self.valid(), **changes}
        arguments = []
        for option, value in options.items():
            if value is None:
                continue
            arguments.append(f"--{option}")
            arguments += value if isinstance(value, (list, tuple)) else [value]
        with self.subTest(name):
            self.fails(code, mentions, self.command, *arguments, **how)

    def check_all(self, cases):
        for name, (code, mentions, changes) in cases.items():
            self.check(name, code, mentions, changes)

    def check_files(self, code, option, files):
        """Each of the files (name -> content) as the value of `option`; the message names the file."""
        for name, content in files.items():
            file = self.write(name, content)
            self.check(name, code, [file], {option: file})

    def damage_hdf5(self, file, change):
        """A copy of an HDF5 file on which `change` has worked."""
        h5py = harness.require("h5py")
        folder = self.folder / change.__name__
        folder.mkdir()
        copy = fixture.copied(file, folder)
        with h5py.File(copy, "r+") as opened:
            change(opened)
        return copy


class Simulate(BadInput):
    command = "simulate"

    def valid(self):
        return {"out": self.folder / "out", "datasets": 2, "genes": 30, "tfs": 5, "cells": 20}

    def test_options(self):
        self.check_all({
            "no output": (OPTIONS, ["--out"], {"out": None}),
            "more TFs than genes": (OPTIONS, ["--tfs"], {"tfs": 31}),
            "no cells": (OPTIONS, ["--cells"], {"cells": 0}),
            "no data sets": (OPTIONS, ["--datasets"], {"datasets": 0}),
            "negative genes": (OPTIONS, ["--genes"], {"genes": -3}),
        })  # fmt: skip

    def test_unwritable(self):
        out = self.blocked("out")
        self.check("blocked", STORAGE, [out], {"out": out})

    def test_full_disk(self):
        self.check("full", STORAGE, [self.folder / "out"], {"cells": 500}, wrapper=harness.FULL_DISK)


class Prepare(BadInput):
    command = "prepare"

    def valid(self):
        return {"input": self.write("good.csv", GENES_BY_CELLS), "out": self.folder / "out.h5ad"}

    def test_options(self):
        self.check_all({
            "no input": (OPTIONS, ["--input"], {"input": None}),
            "no output": (OPTIONS, ["--out"], {"out": None}),
            "other suffix": (OPTIONS, ["--out", ".h5ad"], {"out": self.folder / "out.csv"}),
            "orientation": (OPTIONS, ["sideways"], {"orientation": "sideways"}),
            "normalisation": (OPTIONS, ["zscore"], {"normalise": "zscore"}),
        })  # fmt: skip

    def test_files(self):
        self.check("missing", INPUT, ["nowhere.csv"], {"input": self.folder / "nowhere.csv"})
        self.check_files(INPUT, "input", {
            "empty.csv": "",
            "header_only.csv": GENES_BY_CELLS.splitlines()[0] + "\n",
            "ragged.csv": GENES_BY_CELLS + "SPI1,1,2\n",
            "nan.csv": GENES_BY_CELLS + "SPI1,1,nan,2\n",
            "infinite.csv": GENES_BY_CELLS + "SPI1,1,inf,2\n",
            "text.csv": GENES_BY_CELLS + "SPI1,1,much,2\n",
            "negative.csv": GENES_BY_CELLS + "SPI1,1,-1,2\n",
            "duplicate_gene.csv": GENES_BY_CELLS + "GATA1,1,1,2\n",
            "truncated.csv.gz": gzip.compress(GENES_BY_CELLS.encode())[:40],
            "other.pdf": "%PDF-1.4",
            "not_hdf5.h5ad": "not HDF5 at all",
            "signature_only.h5ad": b"\x89HDF\r\n\x1a\n" + bytes(100),
        })  # fmt: skip

    def test_damaged_h5ad(self):
        good = self.run_files.expression(1)
        cut = fixture.truncated(good, self.folder)
        self.check("truncated", INPUT, [cut], {"input": cut})

        def without_x(file):
            del file["X"]

        def with_nan(file):
            file["X/data"][0] = float("nan")

        def with_negative(file):
            file["X/data"][0] = -1

        def with_index_out_of_range(file):
            file["X/indices"][0] = 10**6

        for change in (without_x, with_nan, with_negative, with_index_out_of_range):
            copy = self.damage_hdf5(good, change)
            self.check(change.__name__, INPUT, [copy], {"input": copy})

    def test_unwritable(self):
        out = self.blocked("out.h5ad")
        self.check("blocked", STORAGE, [out], {"out": out})

    def test_full_disk(self):
        inputs = {"input": self.run_files.expression(1)}
        self.check("full", STORAGE, [self.folder / "out.h5ad"], inputs, wrapper=harness.FULL_DISK)


class Pretrain(BadInput):
    command = "pretrain"

    def valid(self):
        return {
            "expression": self.run_files.expression(1), "out": self.folder / "out", "layers": 1, "heads": 2, "width": 8,
            "hidden": 8, "panel": 10, "steps": 2, "batch": 2,
        }  # fmt: skip

    def test_options(self):
        self.check_all({
            "no input": (OPTIONS, ["--expression"], {"expression": None}),
            "no output": (OPTIONS, ["--out"], {"out": None}),
            "heads": (OPTIONS, ["--width", "--heads"], {"width": 9}),
            "no steps": (OPTIONS, ["--steps"], {"steps": 0}),
            "mask": (OPTIONS, ["mask"], {"mask": 1.5}),
            "learning rate": (OPTIONS, ["--lr"], {"lr": "nan"}),
        })  # fmt: skip

    def test_files(self):
        self.check("missing", INPUT, ["nowhere.h5ad"], {"expression": self.folder / "nowhere.h5ad"})
        self.check_files(INPUT, "expression", {"table.csv": GENES_BY_CELLS, "not_hdf5.h5ad": "not HDF5 at all"})
        cut = fixture.truncated(self.run_files.expression(1), self.folder)
        self.check("truncated, the second of two", INPUT, [cut], {"expression": [self.run_files.expression(2), cut]})

    def test_existing_model(self):
        self.check("kept", OPTIONS, ["--out", "--overwrite"], {"out": self.run_files.model})

    def test_unwritable(self):
        out = self.blocked("out")
        self.check("blocked", STORAGE, [out], {"out": out})


class Probe(BadInput):
    command = "probe"

    def valid(self):
        run = self.run_files
        return {
            "model": run.model, "expression": run.expression(1), "sources": run.sources(1), "features": "vvp,gdt",
            "out": self.folder / "out.h5",
        }  # fmt: skip

    def model_copy(self, name):
        folder = self.folder / name
        folder.mkdir()
        return fixture.copied(self.run_files.model, folder)

    def with_tensors(self, name, change):
        """A model folder whose safetensors header and data `change` has replaced."""
        model = self.model_copy(name)
        file = model / "model.safetensors"
        content = file.read_bytes()
        length = struct.unpack("<Q", content[:8])[0]
        header, data = json.loads(content[8 : 8 + length]), bytearray(content[8 + length :])
        change(header, data)
        text = json.dumps(header).encode()
        file.write_bytes(struct.pack("<Q", len(text)) + text + bytes(data))
        return model

    def test_options(self):
        self.check_all({
            "no model": (OPTIONS, ["--model"], {"model": None}),
            "no output": (OPTIONS, ["--out"], {"out": None}),
            "no genes": (OPTIONS, ["--genes", "--expression"], {"expression": None}),
            "feature": (OPTIONS, ["features", "magic"], {"features": "vvp,magic"}),
            "background": (OPTIONS, ["background", "dark"], {"background": "dark"}),
            "cells without expression": (
                OPTIONS, ["--expression"],
                {"background": "cells", "expression": None, "genes": self.run_files.sources(1)}),
            "cells chosen without expression": (
                OPTIONS, ["--cells-where", "--expression"],
                {"cells-where": "a=b", "expression": None, "genes": self.run_files.sources(1)}),
            "uniform without gdt": (OPTIONS, ["--background", "gdt"], {"background": "uniform", "features": "vvp"}),
            "spread of one background": (OPTIONS, ["--spread"], {"spread": []}),
            "attention": (OPTIONS, ["--attention", "first"], {"attention": "first"}),
            "read-out": (OPTIONS, ["--read-out", "MVC"], {"read-out": "mvc"}),
            "batch label": (OPTIONS, ["--batch-label"], {"batch-label": 0}),
            "binning": (OPTIONS, ["--binning"], {"binning": "on", "background": "mean"}),
            "share": (OPTIONS, ["--min-mapped"], {"min-mapped": 1.5}),
            "grid": (OPTIONS, ["grid"], {"grid": "1,two"}),
            "tiles": (OPTIONS, ["--sources-per-tile"], {"sources-per-tile": 0}),
            "panels": (OPTIONS, ["panel-plan", "many"], {"panel-plan": "many"}),
            "no room for targets": (OPTIONS, ["--sources-per-tile", "--context"], {"context": 8}),
            "one panel": (OPTIONS, ["--context", "tiled"], {"context": 20, "panel-plan": "single"}),
            "resume and overwrite": (OPTIONS, ["--resume", "--overwrite"], {"resume": [], "overwrite": []}),
        })  # fmt: skip

    def test_output_that_is_there(self):
        out, complete = self.folder / "out.h5", self.run_files.features(1, "cells").read_bytes()
        out.write_bytes(complete)
        self.check("complete", OPTIONS, [out, "--overwrite"], {})
        self.check("of another job", OPTIONS, [out, "--background"], {"resume": []})
        self.assertEqual(out.read_bytes(), complete)
        foreign = self.write("list.txt", "GATA1\n")
        self.check("something else", INPUT, [foreign, "HDF5"], {"out": foreign})
        self.assertEqual(foreign.read_text(), "GATA1\n")

    def test_gene_lists(self):
        self.check("missing", INPUT, ["nowhere.txt"], {"sources": self.folder / "nowhere.txt"})
        self.check_files(INPUT, "sources", {
            "empty.txt": "",
            "twice.txt": "".join(2 * [self.run_files.sources(1).read_text().splitlines()[0] + "\n"]),
        })  # fmt: skip

        unknown = self.write("unknown.txt", "NO_SUCH_GENE\n")
        self.check("unknown", INPUT, ["--sources", "panel"], {"sources": unknown})

    def test_expression(self):
        cut = fixture.truncated(self.run_files.expression(1), self.folder)
        self.check("truncated", INPUT, [cut], {"expression": cut, "background": "mean"})

    def test_model_folder(self):
        self.check("missing", MODEL, ["nowhere"], {"model": self.folder / "nowhere"})
        for name in ("args.json", "vocab.json", "model.safetensors"):
            model = self.model_copy("without_" + name)
            (model / "best_model.pt").unlink()
            (model / name).unlink()
            self.check("without " + name, MODEL, [model, name], {"model": model})
            model = self.model_copy("cut_" + name)
            content = (model / name).read_bytes()
            (model / name).write_bytes(content[: len(content) // 2])
            self.check("cut " + name, MODEL, [model / name], {"model": model})

    def test_pickled_weights(self):
        """best_model.pt counts where there is no model.safetensors."""
        model = self.model_copy("pickled")
        (model / "model.safetensors").unlink()
        file = model / "best_model.pt"
        whole = file.read_bytes()
        file.write_bytes(whole[: len(whole) // 2])
        self.check("truncated", MODEL, [file], {"model": model})
        file.write_bytes(b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19." + whole)  # the magic number
        self.check("older format", MODEL, [file, "torch.save"], {"model": model})
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("archive/data.pkl", b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00true\x85R.")
            archive.writestr("archive/version", b"3\n")
        self.check("runs a command", MODEL, [file, "os.system"], {"model": model})

    def test_weights(self):
        def without_a_weight(header, data):
            name = sorted(header)[-1]
            begin = header.pop(name)["data_offsets"][0]
            del data[begin:]

        def with_another_shape(header, _):
            name = next(name for name, tensor in header.items() if len(tensor.get("shape", [])) == 2)
            header[name]["shape"].reverse()
            header[name]["shape"][0] *= 2
            header[name]["shape"][1] //= 2

        def with_nan(_, data):
            data[0:4] = struct.pack("<f", float("nan"))

        for change in (without_a_weight, with_another_shape, with_nan):
            model = self.with_tensors(change.__name__, change)
            self.check(change.__name__, MODEL, [model / "model.safetensors"], {"model": model})

    def test_vocabulary_without_the_genes(self):
        model = self.model_copy("other_vocabulary")
        file = model / "vocab.json"
        tokens = json.loads(file.read_text())
        file.write_text(json.dumps({f"OTHER{id}": id for id in tokens.values()}))
        self.check("other vocabulary", INPUT, ["vocabulary"], {"model": model})

    def test_unwritable(self):
        out = self.blocked("out.h5")
        self.check("blocked", STORAGE, [out], {"out": out})

    def test_full_disk(self):
        out = self.folder / "out.h5"
        self.check("full", STORAGE, [out], {}, wrapper=harness.FULL_DISK)


class Train(BadInput):
    command = "train"

    def valid(self):
        run = self.run_files
        return {"features": run.features(1, "cells"), "network": run.network(1), "out": self.folder / "out.h5", "epochs": 1}

    def test_options(self):
        run = self.run_files
        self.check_all({
            "no features": (OPTIONS, ["--features"], {"features": None}),
            "no network": (OPTIONS, ["--network"], {"network": None}),
            "no output": (OPTIONS, ["--out"], {"out": None}),
            "protocol": (OPTIONS, ["protocol", "fair"], {"protocol": "fair"}),
            "holdout": (OPTIONS, ["--holdout-genes"], {"holdout-genes": 1.5}),
            "networks": (OPTIONS, ["--network"], {"network": 3 * [run.network(1)]}),
        })  # fmt: skip

    def test_networks(self):
        self.check("missing", INPUT, ["nowhere.csv"], {"network": self.folder / "nowhere.csv"})
        self.check_files(INPUT, "network", {
            "empty.csv": "",
            "no_edge.csv": "Gene1,Gene2\n",
            "other_header.csv": "from,to\nA,B\n",
            "ragged.csv": "Gene1,Gene2\nA,B\nC\n",
        })  # fmt: skip
        apart = self.write("apart.csv", "Gene1,Gene2\nNO_SUCH_GENE,NOR_THIS\n")
        self.check("nothing in common", INPUT, ["apart"], {"network": apart})

    def test_features(self):
        self.check("missing", INPUT, ["nowhere.h5"], {"features": self.folder / "nowhere.h5"})
        good = self.run_files.features(1, "cells")
        cut = fixture.truncated(good, self.folder)
        self.check("truncated", INPUT, [cut], {"features": cut})
        self.check("without the probe", INPUT, [good, "attn"], {"probes": "attn"})
        self.check("other HDF5", INPUT, ["dataset_1.h5ad"], {"features": self.run_files.expression(1)})

        def unfinished(file):
            file.attrs["complete"] = 0

        def with_nan(file):
            file["features/gdt"][0] = float("nan")

        for change in (unfinished, with_nan):
            copy = self.damage_hdf5(good, change)
            self.check(change.__name__, INPUT, [copy], {"features": copy})

    def test_unwritable(self):
        out = self.blocked("out.h5")
        self.check("blocked", STORAGE, [out], {"out": out})


class Evaluate(BadInput):
    command = "evaluate"

    def valid(self):
        run = self.run_files
        return {
            "features": run.features(2, "cells"), "translator": run.translator, "network": run.network(2),
            "bootstrap": 10, "out": self.folder / "out",
        }  # fmt: skip

    def test_options(self):
        self.check_all({
            "nothing to score": (OPTIONS, ["--features"], {"features": None, "translator": None}),
            "no network": (OPTIONS, ["--network"], {"network": None}),
            "no output": (OPTIONS, ["--out"], {"out": None}),
            "protocol": (OPTIONS, ["protocol", "fair"], {"protocol": "fair"}),
            "setting": (OPTIONS, ["setting", "easy"], {"setting": "easy"}),
            "bootstrap": (OPTIONS, ["--bootstrap"], {"bootstrap": -1}),
            "origin": (OPTIONS, ["--origin", "vvp"], {"origin": "vvp"}),
            "no such feature": (INPUT, [self.run_files.features(2, "cells"), "pert"], {"origin": "pert"}),
        })  # fmt: skip

    def test_translator(self):
        self.check("missing", INPUT, ["nowhere.h5"], {"translator": self.folder / "nowhere.h5"})
        cut = fixture.truncated(self.run_files.translator, self.folder)
        self.check("truncated", MODEL, [cut], {"translator": cut})
        store = self.run_files.features(1, "cells")
        self.check("a feature store", MODEL, [store], {"translator": store})

        def with_nan(file):
            file["probe/gdt/member/0/weight_0"][0] = float("nan")

        copy = self.damage_hdf5(self.run_files.translator, with_nan)
        self.check("with NaN", MODEL, [copy], {"translator": copy})

    def test_features(self):
        def of_another_model(file):
            file.attrs["checkpoint_sha256"] = 64 * "0"

        copy = self.damage_hdf5(self.run_files.features(2, "cells"), of_another_model)
        self.check("of another model", INPUT, [copy], {"features": copy})
        lacking = self.run_files.features(2, "mean")
        self.check("without the probes", INPUT, [lacking], {"features": lacking})

    def test_networks(self):
        self.check_files(INPUT, "network", {
            "empty.csv": "",
            "no_edge.csv": "Gene1,Gene2\n",
        })  # fmt: skip
        apart = self.write("apart.csv", "Gene1,Gene2\nNO_SUCH_GENE,NOR_THIS\n")
        self.check("nothing in common", INPUT, ["apart"], {"network": apart})

    def test_edges(self):
        alone = {"features": None, "translator": None}
        for name, content in {
            "empty.csv": "",
            "header.csv": "Gene1,Gene2\nA,B\n",
            "text.csv": "Gene1,Gene2,EdgeWeight\nA,B,strong\n",
            "nan.csv": "Gene1,Gene2,EdgeWeight\nA,B,nan\n",
        }.items():
            file = self.write(name, content)
            self.check(name, INPUT, [file], {**alone, "edges": file})

    def test_unwritable(self):
        out = self.blocked("out")
        self.check("blocked", STORAGE, [out], {"out": out})


class Inspect(BadInput):
    command = "inspect"

    def valid(self):
        return {}

    def test_unknown(self):
        self.check("missing", INPUT, ["nowhere"], {"file": self.folder / "nowhere"})
        self.check_files(INPUT, "file", {
            "empty.csv": "",
            "text.pdf": "%PDF-1.4",
            "half.json": '{"format": "regulus met',
            "list.json": "[1, 2]",
            "metrics.json": '{"format": "regulus metrics", "metrics": [{}], "provenance": {}}',
            "not_hdf5.h5": "not HDF5 at all",
            "ragged.csv": "gene,cell_1,cell_2\nGATA1,1\n",
            "short.safetensors": b"\x10\x00",
        })  # fmt: skip

    def test_truncated(self):
        run = self.run_files
        for file in (run.expression(1), run.features(1, "cells"), run.translator, run.model / "model.safetensors",
                     run.evaluation(1) / "metrics.json"):  # fmt: skip
            cut = fixture.truncated(file, self.folder)
            self.check(file.name, INPUT, [cut], {"file": cut})

    def test_foreign_hdf5(self):
        h5py = harness.require("h5py")
        file = self.folder / "foreign.h5"
        with h5py.File(file, "w") as opened:
            opened["numbers"] = [1, 2, 3]
        self.check("foreign", INPUT, [file], {"file": file})

    def test_unfinished(self):
        def unfinished(file):
            file.attrs["complete"] = 0
            file["tiles/done"][-1] = 0

        copy = self.damage_hdf5(self.run_files.features(1, "cells"), unfinished)
        self.check("store", INPUT, [copy, "not whole", "tiles"], {"file": copy})


if __name__ == "__main__":
    harness.main()
