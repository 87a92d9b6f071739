"""The numbers of `plan` against a count from the definitions, and runs that cannot fit."""

import json
import math
import re

import fixture
import harness

OPTIONS = 2
RUN = fixture.Run()
RATE = 0.25  # GFLOP/s
TOO_LITTLE = {"SLURM_MEM_PER_NODE": "50"}  # MiB; less than the program itself takes
GENES, SOURCES, GRID = 40, 8, 8  # of the tiny pipeline
BACKGROUNDS, CELLS = 3, 5
SOURCES_PER_TILE, CONTEXT = 3, 20


class Model:
    """Floating point operations of a pass, from the description in include/regulus/backbone/work.h: multiply-adds of
    the matrix products of each layer, and how often a pass needs them."""

    def __init__(self, folder):
        args = json.loads((folder / "args.json").read_text())
        self.width, self.hidden, self.layers = args["embsize"], args["d_hid"], args["nlayers"]

    def products(self, length, targets, first_layer):
        """(linear, attention) multiply-adds of one forward pass; the last layer's queries are the targets alone."""
        d, linear, attention = self.width, 0, 0
        for layer in range(self.layers):
            queries = targets if layer == self.layers - 1 else length
            if layer > 0 or first_layer:
                linear += queries * d * d + 2 * length * d * d  # q; k and v
                attention += queries * length * d + queries * length * d  # scores; weighted values
            linear += queries * d * d + 2 * queries * d * self.hidden  # output projection; feed-forward block
        return linear + targets * (2 * d * d + d), attention  # and the decoder

    def flops(self, kind, length, targets):
        linear, attention = self.products(length, targets, first_layer=kind == "primal")
        a, b = {"primal": (1, 1), "forward": (1, 1), "dual": (2, 3), "tangent": (1, 2)}[kind]
        return 2 * (a * linear + b * attention)


class Tiles:
    """All tiles of the plan `tiled`, as lists of their sources and targets."""

    def __init__(self, genes, sources, per_tile, context):
        most = context - per_tile
        blocks = math.ceil(len(genes) / most)
        size = math.ceil(len(genes) / blocks)
        self.tiles = [
            (sources[i : i + per_tile], genes[j : j + size])
            for i in range(0, len(sources), per_tile)
            for j in range(0, len(genes), size)
        ]

    def count(self, passes_of_tile):
        """Sums over tiles. \\param passes_of_tile  kind -> passes, for a number of sources"""
        total = {"primal": 0, "forward": 0, "dual": 0, "tangent": 0}
        for sources, _ in self.tiles:
            for kind, passes in passes_of_tile(len(sources)).items():
                total[kind] += passes
        return total

    def flops(self, model, passes_of_tile):
        return sum(
            passes * model.flops(kind, len({*sources, *targets}), len(targets))
            for sources, targets in self.tiles
            for kind, passes in passes_of_tile(len(sources)).items()
        )


def of_cells(sources):
    """vvp, gdt and osg: a panel for each background and cell; the grids meet, and vvp has its reference state."""
    return {"primal": BACKGROUNDS + CELLS, "forward": sources * BACKGROUNDS, "dual": sources * GRID * BACKGROUNDS,
            "tangent": sources * CELLS}  # fmt: skip


def of_everything(sources):
    """Besides: attn goes through every background once more, and pert has a panel and a state at the mean cell."""
    cells = of_cells(sources)
    return {**cells, "primal": cells["primal"] + BACKGROUNDS + 1, "forward": cells["forward"] + sources}


def of_virtual(sources):
    """vvp at 0.5, 1 and 2, gdt at 1 and 4: the background is vvp's reference state, and the value 1 is shared."""
    return {"primal": 1, "forward": 2 * sources, "dual": 2 * sources}


def of_uniform(sources):
    return {"primal": GRID, "tangent": GRID * sources}


TILED = ["--panel-plan", "tiled", "--context", CONTEXT, "--sources-per-tile", SOURCES_PER_TILE]
ON_CELLS = ["--background", "cells", "--background-cells", BACKGROUNDS, "--cells", CELLS]


class Plan(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.h5py = harness.require("h5py")
        self.json = self.folder / "plan.json"

    def described(self, *options):
        return ["--model", RUN.model, "--expression", RUN.expression(2), "--sources", RUN.sources(2), *options]

    def plan(self, *options, rate=True, ranks=1):
        """The numbers of --json and the printed text."""
        rated = ["--rate", RATE] if rate else []
        outcome = self.succeeds("plan", "--json", self.json, *rated, *self.described(*options), ranks=ranks)
        return json.loads(self.json.read_text()), outcome.out

    def genes(self):
        with self.h5py.File(RUN.features(2, "cells")) as store:
            return [[name.decode() for name in store[f"genes/{role}"][()]] for role in ("source", "target")]

    def tiles(self, per_tile=SOURCES_PER_TILE, context=CONTEXT):
        sources, genes = self.genes()
        self.assertEqual((len(sources), len(genes)), (SOURCES, GENES))
        return Tiles(genes, sources, per_tile, context)

    def check_work(self, plan, passes_of_tile, tiles):
        numbers, text = plan
        passes = tiles.count(passes_of_tile)
        shown = dict((kind, int(count)) for count, kind in re.findall(r"(\d+) (dual|forward|tangent|primal)", text))
        self.assertEqual(shown, passes)
        self.assertEqual(numbers["passes"], sum(passes.values()))
        self.assertEqual((numbers["sources"], numbers["targets"], numbers["tiles"]), (SOURCES, GENES, len(tiles.tiles)))
        self.assertAlmostEqual(numbers["flops"] / tiles.flops(Model(RUN.model), passes_of_tile), 1.0, places=12)

    def check_time(self, numbers, ranks, parts, ranking_s=0.0):
        """All ranks share the parts of the tiles, none of which is divided, and the ranking of the edges."""
        self.assertEqual((numbers["gflops_per_s"], numbers["ranks"]), (RATE, ranks))
        alone = numbers["flops"] / (1e9 * RATE)
        rounded = alone * math.ceil(parts / ranks) / parts
        self.assertAlmostEqual(numbers["seconds"], rounded + ranking_s / ranks, delta=1e-9 * alone)

    def test_probe_in_tiles(self):
        options = [*TILED, *ON_CELLS, "--features", "vvp,gdt,osg,pert,attn,emb", "--attention", "all", "--spread"]
        numbers, text = plan = self.plan(*options, "--ranks", 5)
        self.assertEqual(numbers["command"], "probe")
        self.check_work(plan, of_everything, self.tiles())
        parts = BACKGROUNDS + CELLS + 1  # and the mean cell
        self.check_time(numbers, 5, parts * numbers["tiles"])
        self.check_bytes(numbers, options, per_pair=2 * (2 * GRID + 2) + 4 + 1 + 16)
        self.assertIn("9 of up to 3 sources x 14 targets", text)

    def check_bytes(self, numbers, options, per_pair):
        out = self.folder / "features.h5"
        tile = 4 * 3 * 14 * per_pair  # those at the edges take the room of whole ones
        self.assertEqual(numbers["output_bytes"], numbers["tiles"] * tile)
        self.assertEqual(numbers["working_bytes"], 0)
        self.succeeds("probe", "--out", out, *self.described(*options))
        with self.h5py.File(out) as store:
            stored = sum(data.id.get_storage_size() for data in store["features"].values())
        self.assertEqual(stored, numbers["output_bytes"])
        self.assertLess(out.stat().st_size - stored, 64 * 1024)  # names, attributes and the journal

    def test_probe_in_one_panel(self):
        grids = ["--perturbation-grid", "0.5,1,2", "--gradient-grid", "1,4", "--panel-plan", "single"]
        plan = self.plan("--features", "vvp,gdt", *grids)
        self.check_work(plan, of_virtual, self.tiles(per_tile=8, context=GENES + 8))
        self.assertEqual(plan[0]["output_bytes"], 4 * SOURCES * GENES * (3 + 2))
        self.check_time(plan[0], 1, 1)

    def test_uniform_background_beyond_the_longest_panel(self):
        # 40 genes are more than the 24 of the model's training: `auto` cuts them into tiles.
        plan = self.plan("--features", "gdt", "--background", "uniform")
        self.check_work(plan, of_uniform, self.tiles(per_tile=8, context=24))

    def test_infer(self):
        kept = 11
        options = ["--translator", RUN.translator, *TILED, *ON_CELLS, "--top-k", kept]
        numbers, _ = plan = self.plan(*options, "--scores", "float16", "--ranks", 2)
        self.assertEqual(numbers["command"], "infer")
        self.check_work(plan, of_cells, self.tiles())
        self.check_time(numbers, 2, (BACKGROUNDS + CELLS) * numbers["tiles"], ranking_s=25e-9 * SOURCES * GENES)
        self.assertEqual(numbers["output_bytes"], SOURCES * kept * (4 + 4) + SOURCES * GENES * 2)
        self.assertEqual(numbers["working_bytes"], numbers["tiles"] * 3 * 14 * 4)  # the logits of all pairs

    def test_tried_instead_of_rated(self):
        numbers, text = self.plan(*TILED, rate=False, ranks=2)
        self.assertGreater(numbers["gflops_per_s"], 0)
        self.assertGreater(numbers["seconds"], 0)
        self.assertEqual(numbers["ranks"], 2)
        self.assertIn("tried", text)
        self.assertEqual(text.count("submit.sh"), 1, "printed by one rank only")

    def test_batch_line(self):
        out = self.folder / "wanted.h5"
        numbers, text = self.plan(*TILED, "--features", "vvp,gdt", "--v-b", 0.5, "--ranks", 6, "--out", out)
        line = text.strip().splitlines()[-1]
        self.assertRegex(line, r"^slurm/submit.sh probe .*--ntasks=6 ")
        minutes = int(re.search(r"--time=(\d+)", line)[1])
        self.assertGreaterEqual(60 * minutes, 1.25 * numbers["seconds"])
        mebibytes = int(re.search(r"--mem-per-cpu=(\d+)M", line)[1]) * int(re.search(r"--cpus-per-task=(\d+)", line)[1])
        self.assertGreaterEqual(mebibytes * 2**20, 1.2 * numbers["memory_per_rank"])
        given_again = re.search(r" -- (.*)$", line)[1].split()
        given = {"--model": RUN.model, "--expression": RUN.expression(2), "--sources": RUN.sources(2), "--out": out,
                 "--panel-plan": "tiled", "--context": CONTEXT, "--sources-per-tile": SOURCES_PER_TILE, "--features": "vvp,gdt",
                 "--v-b": 0.5}  # fmt: skip
        self.assertEqual(sorted(given_again), sorted(str(text) for pair in given.items() for text in pair))
        self.succeeds("probe", *given_again)

    def test_what_cannot_fit_is_refused_before_it_starts(self):
        out = self.folder / "out.h5"
        options = self.described(*ON_CELLS, "--out", out)
        translated = ["--translator", RUN.translator, *options]
        for command in (["plan", *options], ["plan", *translated], ["probe", *options], ["infer", *translated]):
            outcome = self.fails(OPTIONS, ["memory", "MiB"], *command, ranks=1, environment=TOO_LITTLE)
            needed, available = map(float, re.search(r"needs (\S+) MiB .* (\S+) MiB are available", outcome.errors[0]).groups())
            self.assertGreater(needed, available)
            self.assertLessEqual(available, 50)
            self.assertEqual([file for file in self.folder.iterdir() if ".genes." not in file.name], [])

    def test_options(self):
        self.fails(OPTIONS, ["--rate"], "plan", "--rate", 0, *self.described(), ranks=1)
        self.fails(OPTIONS, ["--ranks"], "plan", "--ranks", 0, *self.described(), ranks=2)


if __name__ == "__main__":
    harness.main()
