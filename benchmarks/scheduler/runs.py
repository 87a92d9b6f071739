"""Real runs of regulus probe on this machine, small ones, and what they say of the costs of units."""

import json
import os
import subprocess
from pathlib import Path

import h5py

from scenarios import CONTEXT, GRID, MODELS

TINY = {"width": 16, "hidden": 32, "heads": 2, "layers": 1}
GENES = 1500


def jobs(quick: bool) -> dict:
    """Name -> the job as the simulation describes it, and the options of regulus probe that it stands for."""
    few = 8 if quick else 1  # a share of the work
    rows = 2 if quick else 4
    virtual = {"model": MODELS["d = 64, 4 layers"], "grid": GRID, "backgrounds": 1, "context": 600}
    cells = {"model": MODELS["d = 256, 6 layers"], "grid": 2, "backgrounds": rows, "context": 150}
    slopes = {"model": TINY, "cells": 20, "context": 150}
    return {
        "vvp and gdt, virtual": (virtual | {"sources": 24 // few + 1}, ["--features", "vvp,gdt", "--grid", GRID]),
        f"vvp and gdt, {rows} cells": (
            cells | {"sources": 8},
            ["--features", "vvp,gdt", "--grid", 2, "--background", "cells", "--background-cells", rows],
        ),
        "osg, small tiles": (slopes | {"sources": 400 // few}, ["--features", "osg", "--cells", slopes["cells"]]),
    }


class Machine:
    """This machine, with the programs; makes its data and models once, in a folder."""

    def __init__(self, regulus: Path, simulation: Path, folder: Path):
        self.regulus, self.simulation, self.folder = regulus, simulation, folder
        folder.mkdir(parents=True, exist_ok=True)
        self.cells = folder / "cells.h5ad"

    def run(self, ranks: int, *command) -> str:
        words = ["mpirun", "-n", str(ranks), *map(str, command)]
        done = subprocess.run(words, capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(words)}: exit code {done.returncode}\n{done.stderr.strip()}")
        return done.stdout

    def make_cells(self):
        source = self.folder / "sim"
        options = {"datasets": 1, "genes": GENES, "tfs": 100, "cells": 60, "out": source}
        self.run(1, self.regulus, "simulate", *flags(options))
        self.run(1, self.regulus, "prepare", "--input", source / "dataset_1.h5ad", "--out", self.cells)

    def model(self, shape: dict) -> Path:
        """A model of this size with random weights."""
        folder = self.folder / f"model_{shape['width']}"
        if not folder.exists():
            options = {"expression": self.cells, "out": folder, "panel": 16, "steps": 1, "batch": 1, "validation": 0}
            self.run(1, self.regulus, "pretrain", *flags(options | shape | {"start": "random"}))
        return folder

    def sources(self, count: int) -> Path:
        file = self.folder / f"sources_{count}.txt"
        with h5py.File(self.cells) as cells:
            names = cells["var"][cells["var"].attrs["_index"]].asstr()[:count]
        file.write_text("\n".join(names) + "\n")
        return file

    def options(self, job: dict, extra: list) -> list:
        panel = ["--panel-plan", "tiled", "--context", job["context"], "--sources", self.sources(job["sources"])]
        return ["--model", self.model(job["model"]), "--expression", self.cells, *panel, *extra]

    def probe(self, ranks: int, job: dict, extra: list) -> dict:
        """Seconds of every rank's phases, and its units."""
        out = self.folder / "features.h5"
        self.run(ranks, self.regulus, "probe", *self.options(job, extra), "--out", out, "--overwrite")
        with h5py.File(out) as store:
            return json.loads(store.attrs["provenance"])["phases"]["ranks"]

    def rate(self, shape: dict, context: int) -> float:
        """GFLOP/s of a rank, as regulus plan tries it."""
        file = self.folder / "plan.json"
        job = {"model": shape, "context": context, "sources": 8}
        self.run(1, self.regulus, "plan", *self.options(job, ["--features", "vvp,gdt"]), "--json", file)
        return json.loads(file.read_text())["gflops_per_s"]

    def communication(self, ranks: int) -> dict:
        file = self.folder / "measured.json"
        self.run(ranks, self.simulation, "measure", file)
        return json.loads(file.read_text())

    def predict(self, scenarios: list) -> list:
        given, found = self.folder / "scenarios.json", self.folder / "predictions.json"
        given.write_text(json.dumps({"scenarios": scenarios}, indent=1) + "\n")
        self.run(1, self.simulation, "predict", given, found)
        return json.loads(found.read_text())["predictions"]


def flags(options: dict) -> list:
    return [word for name, value in options.items() for word in (f"--{name}", value)]


def wall(times: dict) -> float:
    """Of the runner: its ranks enter and leave together."""
    phases = [name for name in times if not name.startswith("unit")]
    return max(sum(seconds) for seconds in zip(*(times[name] for name in phases)))


def costs(times: dict, tiles: int) -> dict:
    """What one rank's run says of units and tiles."""
    units, flops = times["unit_seconds"][0], times["unit_flops"][0]
    return {
        "gflops_per_s": flops / units / 1e9,
        "unit_spread": times["unit_spread"][0],
        "finish_s": max(0.0, times["compute"][0] - units) / tiles,
        "tile_write_s": (wall(times) - times["compute"][0]) / tiles,
    }
