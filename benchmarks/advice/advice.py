"""Plans runs of infer over genes, models, features and ranks; writes advice.json and advice.md.

The models have the sizes of published ones and random weights, which cost the same. For each model and each choice of
features, plan tries a tile of one job; the other jobs are planned with the rate that it found."""

import argparse
import json
import subprocess
from pathlib import Path

GENES = 20000
TFS = 1600
CONTEXT = 1200
# name: width, heads, layers, as options of pretrain
MODELS = {"64 x 4": (64, 4, 4), "256 x 6": (256, 8, 6), "512 x 12": (512, 8, 12)}
# name: what probe and the translator use, how infer sets the other genes
FEATURES = {
    "vvp, gdt": ("vvp,gdt", ["--background", "mean"]),
    "osg, 16 cells": ("osg", ["--cells", "16"]),
}
# name: options, in the order of the table
JOBS = {
    "TF x 3,000": ["--sources", "tfs.txt", "--genes", "genes_3000.txt"],
    "TF x genome": ["--sources", "tfs.txt"],
    "all x all": [],
}
RANKS = (1, 16, 128, 1024)


class Study:
    def __init__(self, program, folder):
        self.program, self.folder = Path(program).resolve(), folder

    def regulus(self, *arguments):
        outcome = subprocess.run([self.program, *map(str, arguments), "--log-level", "warning"], cwd=self.folder,
                                 capture_output=True, text=True)  # fmt: skip
        if outcome.returncode != 0:
            raise SystemExit(f"regulus {' '.join(map(str, arguments))}\n{outcome.stderr}")

    def make(self, output, *arguments):
        """Runs a command unless its output is there."""
        if not (self.folder / output).exists():
            self.regulus(*arguments, "--out", output)

    def write(self, name, lines):
        (self.folder / name).write_text("".join(f"{line}\n" for line in lines))

    def prepare(self):
        """Cells, gene lists, models and translators: what plan reads. Only their sizes matter."""
        self.make("sim", "simulate", "--datasets", 1, "--genes", GENES, "--tfs", TFS, "--cells", 100)
        self.make("cells.h5ad", "prepare", "--input", "sim/dataset_1.h5ad")
        tfs = (self.folder / "sim/dataset_1_tfs.txt").read_text().split()
        edges = [line.split(",")[:2] for line in (self.folder / "sim/dataset_1_network.csv").read_text().splitlines()[1:]]
        others = [gene for gene in dict.fromkeys(target for _, target in edges) if gene not in set(tfs)]
        self.write("tfs.txt", tfs)
        self.write("genes_3000.txt", (tfs + others)[:3000])
        self.write("few_tfs.txt", tfs[:60])
        self.write("few_genes.txt", tfs[:60] + others[:500])
        for name, (width, heads, layers) in MODELS.items():
            self.make(self.model(name), "pretrain", "--expression", "cells.h5ad", "--width", width, "--hidden", width,
                      "--heads", heads, "--layers", layers, "--panel", 64, "--steps", 1, "--batch", 1, "--leaf", 1,
                      "--validation-samples", 1, "--start", "random")  # fmt: skip
        for features, (probes, background) in FEATURES.items():
            store = f"features_{probes.replace(',', '_')}.h5"
            self.make(store, "probe", "--model", self.model("64 x 4"), "--expression", "cells.h5ad", "--genes",
                      "few_genes.txt", "--sources", "few_tfs.txt", "--features", probes, *background)  # fmt: skip
            self.make(self.translator(features), "train", "--features", store, "--network", "sim/dataset_1_network.csv",
                      "--hidden", 8, "--epochs", 1)  # fmt: skip

    def model(self, name):
        return "model_" + name.replace(" ", "")

    def translator(self, features):
        return "translator_" + FEATURES[features][0].replace(",", "_") + ".h5"

    def plan(self, model, features, job, ranks, rate=None):
        arguments = ["plan", "--model", self.model(model), "--expression", "cells.h5ad", "--translator",
                     self.translator(features), *FEATURES[features][1], *JOBS[job], "--context", CONTEXT, "--ranks", ranks,
                     "--json", "plan.json"]  # fmt: skip
        if rate:
            arguments += ["--rate", rate]
        self.regulus(*arguments)
        return json.loads((self.folder / "plan.json").read_text())

    def rows(self):
        for model in MODELS:
            for features in FEATURES:
                rate = self.plan(model, features, "TF x 3,000", 1)["gflops_per_s"]
                for job in JOBS:
                    plans = [self.plan(model, features, job, ranks, rate) for ranks in RANKS]
                    yield {"model": model, "features": features, "job": job, "rate_gflops_per_s": rate, "plans": plans}


def duration(seconds):
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= 0.95 * length:
            value = seconds / length
            return f"{value:.1f} {unit}" if unit == "h" and value < 9.95 else f"{value:,.0f} {unit}"
    return f"{seconds:.0f} s"


def size(bytes_):
    for unit, factor in (("GiB", 2**30), ("MiB", 2**20)):
        if bytes_ >= factor:
            return f"{bytes_ / factor:.2g} {unit}" if bytes_ < 10 * factor else f"{bytes_ / factor:.0f} {unit}"
    return f"{bytes_ / 1024:.0f} KiB"


def table(rows):
    ranks = " | ".join(f"{count:,} {'rank' if count == 1 else 'ranks'}" for count in RANKS)
    lines = [f"| pairs | model | features | {ranks} | memory a rank | output | while it runs |",
             "| --- | --- | --- | " + " | ".join("---:" for _ in RANKS) + " | ---: | ---: | ---: |"]  # fmt: skip
    for row in sorted(rows, key=lambda row: list(JOBS).index(row["job"])):
        plans = row["plans"]
        times = " | ".join(duration(plan["start_s"] + plan["seconds"]) for plan in plans)
        last = plans[-1]
        lines.append(f"| {row['job']} | {row['model']} | {row['features']} | {times} | {size(last['memory_per_rank'])} | "
                     f"{size(last['output_bytes'])} | {size(last['working_bytes'])} |")  # fmt: skip
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True)
    parser.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    study = Study(chosen.program, chosen.out)
    study.prepare()
    rows = []
    for row in study.rows():
        rows.append(row)
        print(f"{row['model']}, {row['features']}, {row['job']}: {row['rate_gflops_per_s']:.3g} GFLOP/s a core, "
              f"{duration(row['plans'][0]['seconds'])} on one", flush=True)  # fmt: skip
    (chosen.out / "advice.json").write_text(json.dumps(rows, indent=1) + "\n")
    (chosen.out / "advice.md").write_text(table(rows))
    print("\n" + table(rows))


if __name__ == "__main__":
    main()
