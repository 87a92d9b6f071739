#!/usr/bin/python3
"""Predicts how the tile scheduler uses up to 4,096 ranks, from what units cost on this machine, and compares the
simulation with real runs here: scheduler.json, tables, and plots' data. benchmarks/scheduler.sh calls this.

scheduler.py --regulus FILE --simulation FILE --out DIR [--quick]"""

import argparse
import json
import os
from pathlib import Path

from runs import GENES, Machine, costs, jobs, wall
from scenarios import CONTEXT, MODELS, RANKS, all_scenarios

OWN_RANKS = [1, 2, 4]
REPEATS = 3


def communication_of(measured: dict) -> dict:
    """In the words of the simulation. The last phases of a take, on one host, are the memory's."""
    return {
        "take_service_s": measured["take_s"] / measured["ranks"],
        "message_s": measured["message_s"],
        "sum_byte_s": measured["gather_byte_s"],
        "collective_s": measured["collective_s"],
        "holding_s": measured["holding_s"],
    }


def compare(machine: Machine, name: str, job: dict, options: list, measured: dict, repeats: int) -> list:
    """Real and predicted time of a job on each number of ranks; all costs are those of one rank."""
    real = {ranks: [] for ranks in OWN_RANKS}
    for _ in range(repeats):
        for ranks in OWN_RANKS:
            real[ranks].append(machine.probe(ranks, job, options))
    best = {ranks: sorted(runs, key=wall)[len(runs) // 2] for ranks, runs in real.items()}
    blank = {**job, "name": name, "targets": GENES, "gflops_per_s": 1.0, "ranks": [1]}
    cost = costs(best[1], machine.predict([blank])[0]["tiles"])
    rows = []
    for ranks in OWN_RANKS:
        cores = min(1.0, os.cpu_count() / ranks)  # ranks that share a core share its speed
        here = communication_of(measured[ranks]) | cost | {"gflops_per_s": cost["gflops_per_s"] * cores}
        own = sum(best[ranks]["unit_flops"]) / sum(best[ranks]["unit_seconds"]) / 1e9
        cases = [blank | here | {"ranks": [ranks]}, blank | here | {"ranks": [ranks], "gflops_per_s": own}]
        predicted, at_own_rate = machine.predict(cases)
        rows.append(
            {
                "name": name,
                "ranks": ranks,
                "units": sum(best[ranks]["units"]),
                "real_s": wall(best[ranks]),
                "all_real_s": [wall(run) for run in real[ranks]],
                "predicted_s": predicted["wall_s"],
                "predicted_units": predicted["units"],
                "at_own_rate_s": at_own_rate["wall_s"],
                "unit_spread": cost["unit_spread"],
            }
        )
    return rows


def print_comparison(rows: list):
    print(f"\n  {'real run':24}{'ranks':>6}{'units':>8}{'real, s':>10}{'predicted':>11}{'ratio':>7}{'at its rate':>13}{'ratio':>7}")
    for row in rows:
        ratios = [row[key] / row["real_s"] for key in ("predicted_s", "at_own_rate_s")]
        print(f"  {row['name']:24}{row['ranks']:6}{row['units']:8}{row['real_s']:10.2f}{row['predicted_s']:11.2f}", end="")
        print(f"{ratios[0]:7.2f}{row['at_own_rate_s']:13.2f}{ratios[1]:7.2f}")


def print_predictions(predictions: list):
    columns = ["counter", "idle", "exchange", "write"]
    print(f"\n  {'predicted':46}{'ranks':>6}{'wall, s':>12}{'efficiency':>12}{'whole':>7}", *(f"{c:>9}" for c in columns))
    for row in predictions:
        if row["ranks"] not in (1, 64, RANKS[-1]):
            continue
        name = ("weak: " if row["weak"] else "") + row["name"]
        print(f"  {name:46}{row['ranks']:6}{row['wall_s']:12.1f}{row['efficiency']:12.3f}{row['whole_efficiency']:7.3f}", end=" ")
        print(*(f"{row['losses'][c]:9.4f}" for c in columns))


def write_plot_data(predictions: list, folder: Path):
    """One block a job: ranks and efficiency."""
    for kind in ("weak", "strong"):
        chosen = [row for row in predictions if row["weak"] == (kind == "weak")]
        with open(folder / f"efficiency_{kind}.tsv", "w") as file:
            for name in dict.fromkeys(row["name"] for row in chosen):
                file.write(f'"{name.replace("all x all, ", "") if kind == "weak" else name}"\n')
                file.writelines(f"{r['ranks']}\t{r['efficiency']:.4f}\n" for r in chosen if r["name"] == name)
                file.write("\n\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--regulus", type=Path, required=True)
    parser.add_argument("--simulation", type=Path, required=True, help="scheduler_simulation")
    parser.add_argument("--out", type=Path, required=True, help="folder of the results")
    parser.add_argument("--quick", action="store_true", help="short runs, few ranks: to see that it works")
    options = parser.parse_args()
    machine = Machine(options.regulus.resolve(), options.simulation.resolve(), options.out.resolve() / "work")
    machine.make_cells()
    measured = {ranks: machine.communication(ranks) for ranks in OWN_RANKS}
    repeats = 1 if options.quick else REPEATS
    compared = []
    for name, (job, extra) in jobs(options.quick).items():
        compared += compare(machine, name, job, extra, measured, repeats)
    rates = {name: machine.rate(shape, 64 if options.quick else CONTEXT) for name, shape in MODELS.items()}
    spread = max(row["unit_spread"] for row in compared if row["name"].startswith("vvp"))
    local = {"unit_spread": spread} | {
        name: communication_of(measured[1])[name] for name in ("sum_byte_s", "holding_s")
    }
    ranks = [1, 64] if options.quick else RANKS
    predictions = machine.predict(all_scenarios(rates, local, ranks))
    report = {"measured": measured, "rates": rates, "used": local, "compared": compared, "predictions": predictions}
    (options.out / "scheduler.json").write_text(json.dumps(report, indent=1) + "\n")
    write_plot_data(predictions, options.out)
    print_comparison(compared)
    print_predictions(predictions)


if __name__ == "__main__":
    main()
