#!/usr/bin/python3
"""Measures how fast a feature store is written, against plain writes to the same disk in the same run: storage.json
and a table.

storage.py --program FILE --out DIR [--gib N] [--ranks N] [--repeats N]; benchmarks/storage.sh builds the program and
calls this."""

import argparse
import json
import os
import statistics
import subprocess
from pathlib import Path

ROWS = {"targets": 2000}
TILES = {"targets": 20000, "targets-per-tile": 1200}
MIB = 2**20


def cases(ranks: int) -> dict:
    """Name -> ranks, MPI-IO component (None: Open MPI's choice), mode and options of the program."""
    return {
        "plain writes, 1 process": (1, None, "raw", {}),
        f"plain writes, {ranks} processes": (ranks, None, "raw", {}),
        "store, all targets in a tile": (ranks, None, "store", ROWS),
        "store, 1,200 of 20,000 targets": (ranks, None, "store", TILES),
        "store, all targets, romio": (ranks, "romio321", "store", ROWS),
        "store, 1,200 targets, romio": (ranks, "romio321", "store", TILES),
    }


def measure(program: Path, file: Path, mebibytes: float, case: tuple) -> dict:
    ranks, component, mode, options = case
    options = options | {"mib": max(1, round(mebibytes)), "file": file}
    launcher = ["mpirun", "-n", str(ranks), *(["--mca", "io", component] if component else [])]
    command = [*launcher, str(program), mode, *(f"--{name}={value}" for name, value in options.items())]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: exit code {done.returncode}\n{done.stderr.strip()}")
    return json.loads(done.stdout)


def summary(name: str, runs: list) -> dict:
    rates = [run["bytes"] / run["seconds"] / MIB for run in runs]
    result = {"name": name, "mib_per_s": statistics.median(rates), "all_mib_per_s": rates}
    if "read_seconds" in runs[0]:
        result["read_mib_per_s"] = statistics.median(run["bytes"] / run["read_seconds"] / MIB for run in runs)
    return result


def add_ratios(rows: list):
    """To the faster kind of plain writes."""
    raw = max(row["mib_per_s"] for row in rows if row["name"].startswith("plain"))
    for row in rows:
        row["ratio"] = row["mib_per_s"] / raw


def print_table(report: dict):
    print(f"\n{report['gib']:g} GiB a measurement, {report['ranks']} ranks, median of {report['repeats']}, ", end="")
    print(f"to the disk (fsync); load {report['load_before']:.1f} before, {report['load_after']:.1f} after\n")
    print(f"  {'':32}{'MiB/s':>8}{'least':>8}{'most':>8}{'ratio':>8}{'read, MiB/s':>14}")
    for row in report["cases"]:
        rates = row["all_mib_per_s"]
        read = f"{row['read_mib_per_s']:.0f}" if "read_mib_per_s" in row else ""
        print(f"  {row['name']:32}{row['mib_per_s']:8.0f}{min(rates):8.0f}{max(rates):8.0f}{row['ratio']:8.2f}{read:>14}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", type=Path, required=True, help="storage_benchmark")
    parser.add_argument("--out", type=Path, required=True, help="folder of the results, on the disk that is meant")
    parser.add_argument("--gib", type=float, default=1.0)
    parser.add_argument("--ranks", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    load = os.getloadavg()[0]
    runs = {name: [] for name in cases(options.ranks)}
    for _ in range(options.repeats):  # in turns: the disk's rate drifts
        for name, case in cases(options.ranks).items():
            runs[name].append(measure(options.program, options.out / "written.h5", 1024 * options.gib, case))
    rows = [summary(name, results) for name, results in runs.items()]
    add_ratios(rows)
    report = {"gib": options.gib, "ranks": options.ranks, "repeats": options.repeats, "cases": rows}
    report |= {"load_before": load, "load_after": os.getloadavg()[0], "cores": os.cpu_count()}
    (options.out / "storage.json").write_text(json.dumps(report, indent=2) + "\n")
    print_table(report)


if __name__ == "__main__":
    main()
