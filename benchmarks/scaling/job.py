"""What the sweeps run: the user's own command, or one that regulus makes from nothing."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import settings

COMMANDS = ("infer", "probe")
OURS = ("--out", "--overwrite", "--resume")  # the study sets or must not have them
DEFAULT_TILE = 8  # --sources-per-tile of regulus


class JobError(Exception):
    """For the user, in one line."""


@dataclass(frozen=True)
class Job:
    """A command of regulus without --sources and --out, and the sources to choose from, None: those of the job file or
    all genes, which cannot be varied."""

    arguments: list
    sources: list | None = None

    def sources_per_tile(self) -> int:
        text = _value(self.arguments, "--sources-per-tile") or ""
        return int(text) if text.isdigit() and int(text) > 0 else DEFAULT_TILE  # regulus itself refuses what is no number


def given(arguments: list, started_in: Path) -> Job:
    """The user's command, `infer --model DIR ...`."""
    if not arguments or arguments[0] not in COMMANDS:
        raise JobError(f"give a command of regulus after --, one of {', '.join(COMMANDS)}")
    for option in OURS:
        if any(argument.split("=")[0] == option for argument in arguments):
            raise JobError(f"{option} is not for the job of a scaling study: leave it out")
    file = _value(arguments, "--sources")
    if file is None:
        return Job(arguments)
    try:
        symbols = (started_in / file).read_text().split("\n")
    except OSError as failure:
        raise JobError(f"--sources: {failure}") from None
    return Job(_without(arguments, "--sources"), [symbol.strip() for symbol in symbols if symbol.strip()])


def made(regulus, folder: Path, command: str, size: settings.Size) -> Job:
    """Makes all inputs in `folder`. Times do not depend on the values, so nothing is trained for long.
    \\param regulus  runs the program with these arguments"""
    folder.mkdir(parents=True)
    simulated, cells, model = folder / "simulated", folder / "cells.h5ad", folder / "model"
    regulus("simulate", "--out", simulated, "--datasets", 1, "--genes", size.genes, "--tfs", size.tfs,
            "--cells", size.simulated_cells)  # fmt: skip
    regulus("prepare", "--input", simulated / "dataset_1.h5ad", "--out", cells)
    regulus("pretrain", "--expression", cells, "--out", model, "--width", size.width, "--hidden", 2 * size.width,
            "--heads", size.heads, "--layers", size.layers, "--panel", size.panel, "--start", "random", "--steps", 2,
            "--batch", 2, "--validation", 0)  # fmt: skip
    tfs = (simulated / "dataset_1_tfs.txt").read_text().split()
    network = simulated / "dataset_1_network.csv"
    arguments = [command, "--model", str(model), "--expression", str(cells), "--cells", str(size.cells)]
    genes = dict.fromkeys([*tfs, *_targets(network)])
    if command == "probe":
        return Job([*arguments, "--features", "osg"], list(genes))
    translator = _translator(regulus, folder, [model, cells, network], tfs)
    return Job([*arguments, "--translator", str(translator)], list(genes))


def _translator(regulus, folder: Path, inputs: list, tfs: list) -> Path:
    """One that was trained on some of the pairs, briefly."""
    model, cells, network = inputs
    few, genes, features = folder / "few_tfs.txt", folder / "some_genes.txt", folder / "features.h5"
    few.write_text("\n".join(tfs[:40]) + "\n")
    genes.write_text("\n".join(dict.fromkeys([*tfs[:40], *_targets(network)[:400]])) + "\n")
    translator = folder / "translator.h5"
    regulus("probe", "--model", model, "--expression", cells, "--genes", genes, "--sources", few, "--features", "osg",
            "--cells", 1, "--out", features)  # fmt: skip
    regulus("train", "--features", features, "--network", network, "--hidden", 8, "--epochs", 2, "--out", translator)
    return translator


def _targets(network: Path) -> list:
    return [line.split(",")[1] for line in network.read_text().split()[1:]]


def runner(program: Path, log: Path):
    """A function that runs the program and says why if it fails."""

    def run(*arguments):
        command = [str(program), *map(str, arguments), "--progress", "off"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        with log.open("a") as file:
            file.write(done.stdout)
        if done.returncode != 0:
            raise JobError(f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout.strip()}")

    return run


def _value(arguments: list, option: str) -> str | None:
    """Of `--option VALUE` or `--option=VALUE`; the last counts."""
    found = None
    for argument, after in zip(arguments, [*arguments[1:], None]):
        if argument == option:
            found = after
        elif argument.startswith(option + "="):
            found = argument.split("=", 1)[1]
    return found


def _without(arguments: list, option: str) -> list:
    kept, skip = [], False
    for argument in arguments:
        if not skip and argument != option and not argument.startswith(option + "="):
            kept.append(argument)
        skip = argument == option and not skip
    return kept
