#!/usr/bin/python3
"""Measures the dual engine with engine_benchmark and against peers.py: engine.json, a table and the plots' data.

engine.py --program FILE --out DIR [--quick] [--threads N] [--no-peers] [--clock cpu]; benchmarks/engine.sh builds the
program and calls this."""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import settings
import table
from settings import Model

ONE_RUN = "engine.json"


SHARING = 8  # directions around one primal evaluate its weights once together


class Machine:
    """Runs the benchmark programs, one at a time, each in a process of its own."""

    def __init__(self, program: Path, folder: Path, threads: int, clock: str):
        self.program, self.folder, self.threads, self.clock = program, folder, threads, clock

    def engine(self, mode: str, model: Model, ranks: int = 1, **options) -> dict:
        options = {"threads": self.threads, "clock": self.clock} | model.options() | options
        command = ["mpirun", "-n", str(ranks)] if ranks > 1 else []
        command += [str(self.program), mode]
        for name, value in options.items():
            command += [f"--{name}"] if value is True else [f"--{name}", str(value)]
        return self.run(command, options["threads"])

    def peers(self, **options) -> dict:
        command = [sys.executable, str(Path(__file__).with_name("peers.py")), str(self.folder), "--clock", self.clock]
        for name, value in options.items():
            command += [f"--{name}", *(str(item) for item in (value if isinstance(value, list) else [value]))]
        return self.run(command, threads=1)

    def run(self, command: list, threads: int) -> dict:
        result = self.folder / "result.json"
        environment = os.environ | {"OMP_NUM_THREADS": str(threads), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run([*command, "--out", str(result)], env=environment, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: exit code {done.returncode}\n{done.stderr.strip()}")
        return json.loads(result.read_text())


def say(text: str):
    print(f"  {text}", flush=True)


def has_bfloat16_units() -> bool:
    """Whether the processor multiplies bfloat16 matrices itself."""
    flags = Path("/proc/cpuinfo").read_text().split()
    return "avx512_bf16" in flags or "amx_bf16" in flags


def precisions(machine: Machine) -> tuple:
    """Those that the engine takes, and why it does not take the others."""
    taken, refused = [], []
    for precision in settings.PRECISIONS:
        if precision == "bfloat16" and not has_bfloat16_units():
            refused.append({"precision": precision, "reason": "no such units here; emulated, it is some 50 times slower"})
            continue
        try:
            machine.engine("errors", settings.SMALLEST, precision=precision)
            taken.append(precision)
        except RuntimeError as failure:
            refused.append({"precision": precision, "reason": str(failure).splitlines()[-1]})
    return taken, refused


def measure_cases(machine: Machine, plan: settings.Plan, taken: list) -> list:
    """Every model, probe and precision, in rounds over all of them: the best of each counts."""
    cases = {}
    for _ in range(plan.rounds):
        for model in plan.models:
            for precision in taken:
                for probe in ("vvp+gdt", "osg"):
                    states = plan.states_of(model)
                    sources = {"sources": 1, "grid": states} if probe == "vvp+gdt" else {"sources": max(states, SHARING)}
                    measured = machine.engine(
                        "sweeps", model, products=True, precision=precision, probe=probe, seconds=plan.seconds, **sources
                    )
                    keep_best(cases, (model, precision, probe), measured)
                    say(f"{model.name}, {precision}, {probe}: {measured['gflops']:.1f} GFLOP/s")
    return [describe_case(*key, case) for key, case in cases.items()]


def keep_best(cases: dict, key: tuple, measured: dict):
    best = cases.setdefault(key, measured)
    gemm = max(best["gemm_gflops"], measured["gemm_gflops"])
    peak = max(best["peak_bytes"], measured["peak_bytes"])
    fastest = min(best, measured, key=lambda one: one["best_s"])
    cases[key] = fastest | {"gemm_gflops": gemm, "peak_bytes": peak}


def describe_case(model: Model, precision: str, probe: str, case: dict) -> dict:
    fields = ["states", "best_s", "median_s", "flops_per_state", "gflops", "gemm_gflops", "peak_bytes"]
    return model.fields() | {"precision": precision, "probe": probe} | {field: case[field] for field in fields}


def add_errors(machine: Machine, plan: settings.Plan, cases: list):
    """The derivatives of the same models, on panels no longer than the plan allows."""
    known = {}
    for case in cases:
        model = next(model for model in plan.models if model.name == case["name"])
        shorter = model.at_length(min(model.length, plan.longest_exact))
        key = (model.name, case["precision"])
        if key not in known:
            known[key] = machine.engine("errors", shorter, precision=case["precision"])
        case |= known[key][case["probe"]] | {"plain_error": known[key]["plain"]["error"], "error_length": shorter.length}


def measure_growth(machine: Machine, plan: settings.Plan) -> dict:
    """Seconds per source (8 values of vvp+gdt) and peak memory against the panel and the number of sources."""

    def point(model: Model, sources: int) -> dict:
        measured = machine.engine("sweeps", model, sources=sources, sweeps=plan.growth_sweeps, seconds=plan.growth_seconds)
        seconds = measured["best_s"] / sources
        say(f"{model.name}, L = {model.length}, {sources} sources: {seconds:.3g} s a source")
        return model.fields() | {"sources": sources, "seconds_per_source": seconds, "peak_bytes": measured["peak_bytes"]}

    lengths = [point(model.at_length(n), 1) for model, longest in plan.growing for n in plan.lengths if n <= longest]
    sources = [point(settings.SOURCES_MODEL.at_length(plan.sources_length), n) for n in plan.sources]
    return {"length": lengths, "sources": sources}


def measure_scaling(machine: Machine, plan: settings.Plan) -> list:
    """The same probe on one and two threads, and on one and two ranks, by the wall clock."""
    if (os.cpu_count() or 1) < 2:
        say("scaling: skipped, this machine has one core")
        return []
    results = []
    for model in plan.scaling:
        ways = {"one": (1, 1), "threads": (2, 1), "ranks": (1, 2)}
        best = dict.fromkeys(ways, float("inf"))
        for _ in range(plan.rounds):
            for way, (threads, ranks) in ways.items():
                options = {"grid": plan.scaling_states, "batch": 4, "seconds": plan.seconds, "clock": "wall"}
                measured = machine.engine("sweeps", model, ranks=ranks, threads=threads, **options)
                best[way] = min(best[way], measured["best_s"])
        for way in ("threads", "ranks"):
            speedup = best["one"] / best[way]
            say(f"{model.name}: 1 to 2 {way}: {speedup:.2f} times as fast")
            results.append(model.fields() | {"what": way, "one_s": best["one"], "two_s": best[way], "speedup": speedup})
    return results


def measure_peers(machine: Machine, plan: settings.Plan) -> list:
    """Ours before and after the peers, the better of the two counts."""
    results = []
    for model, columns, options in plan.peers:
        ours = lambda: machine.engine(
            "columns", model, threads=1, sources=columns, seconds=plan.seconds, folder=machine.folder
        )
        before = ours()
        peers = machine.peers(seconds=plan.seconds, **options)["peers"]
        after = ours() if plan.repeat_columns else before
        for peer in peers:
            own = min(before[peer["probe"]], after[peer["probe"]])
            ratio = peer["seconds_per_column"] / own
            say(f"{model.name}, {peer['probe']}, {peer['name']}: {ratio:.3g} times our time")
            results.append(model.fields() | peer | {"model": model.name, "our_seconds": own, "ratio": ratio, "name": peer["name"]})
    return results


def cpu_name() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "unknown")


def measure(machine: Machine, plan: settings.Plan, with_peers: bool) -> dict:
    load, start = os.getloadavg()[0], time.monotonic()
    taken, refused = precisions(machine)
    report = {"machine": {"cpu": cpu_name(), "cores": os.cpu_count(), "load_before": load}}
    report |= {"plan": plan.name, "threads": machine.threads, "clock": machine.clock, "refused": refused}
    report["cases"] = cases = measure_cases(machine, plan, taken)
    report["gemm_gflops"] = max(case["gemm_gflops"] for case in cases)
    for case in cases:
        case["share"] = case["gflops"] / report["gemm_gflops"]
    add_errors(machine, plan, cases)
    report["growth"] = measure_growth(machine, plan)
    report["scaling"] = measure_scaling(machine, plan)
    report["peers"] = measure_peers(machine, plan) if with_peers else []
    report["machine"]["load_after"] = os.getloadavg()[0]
    report["seconds"] = time.monotonic() - start
    return report


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", type=Path, required=True, help="engine_benchmark")
    parser.add_argument("--out", type=Path, required=True, help="folder of the results")
    parser.add_argument("--threads", type=int, default=1, help="of the cases and the growth; peers have one")
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall", help="cpu: for a busy machine")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_const", dest="plan", const=settings.QUICK, default=settings.FULL)
    size.add_argument("--smoke", action="store_const", dest="plan", const=settings.SMOKE, help="tiny models")
    options = parser.parse_args()
    work = options.out / "work"
    work.mkdir(parents=True, exist_ok=True)
    report = measure(Machine(options.program, work, options.threads, options.clock), options.plan, not options.no_peers)
    (options.out / ONE_RUN).write_text(json.dumps(report, indent=2) + "\n")
    table.print_report(report)
    table.write_plot_data(report, options.out)
    for file in work.iterdir():
        file.unlink()
    work.rmdir()


if __name__ == "__main__":
    main()
