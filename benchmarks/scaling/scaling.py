#!/usr/bin/python3
"""Strong and weak scaling of `infer` or `probe`: runs or submits the sweeps, gathers where the time of every rank went,
and writes a table and plots. docs/benchmarks.md says what the numbers mean.

scaling.py --program FILE --out DIR [options] [-- infer --model DIR ...]; benchmarks/scaling.sh builds the program and
calls this."""

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import job as jobs
import launch
import settings
import sweep as sweeps
import table
from gather import result_of
from points import points_of, same_results

FILES = ("sweep.json", "scaling.json", "scaling.csv")
FOLDERS = ("job", "runs")


def say(text: str):
    print(f"  {text}", flush=True)


def cpu_name() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "unknown")


def machine_of(options) -> dict:
    """Under Slurm the runs are elsewhere: their hosts are in the results."""
    if options.slurm:
        return {"cores": None}
    return {"cpu": cpu_name(), "cores": len(os.sched_getaffinity(0)), "load_before": os.getloadavg()[0]}


def default_ranks(cores: int, threads: int) -> list:
    """1, 2, 4 ... up to the cores; a small machine also shows what more ranks than cores do."""
    most = max(1, cores // threads)
    ranks = [2**i for i in range(most.bit_length()) if 2**i < most] + [most]
    return ranks + ([2 * most] if cores <= 4 else [])


def prepare(options) -> tuple:
    """(sweep, job) in a folder that holds nothing of an earlier study."""
    if (options.out / "sweep.json").exists() and not options.overwrite:
        raise jobs.JobError(f"{options.out}: holds a study already; --overwrite replaces it, --collect gathers it")
    machine = machine_of(options)
    if options.slurm and not options.ranks:
        raise jobs.JobError("--ranks is missing: with --slurm nothing here says how many there could be")
    ranks = options.ranks or default_ranks(machine["cores"], options.threads)
    strong, per_rank = options.sources, options.sources_per_rank
    if options.job:
        job = jobs.given(options.job, options.started_in)
        sweep = sweeps.plan(job, ranks, strong, per_rank, options.repeats)
    clear(options.out)
    if not options.job:
        say("making the job: simulated cells, a model, a translator")
        regulus = jobs.runner(options.program, options.out / "job.log")
        job = jobs.made(regulus, options.out / "job", options.command, options.size)
        size = options.size
        sweep = sweeps.plan(job, ranks, strong or size.sources, per_rank or size.sources_per_rank, options.repeats)
    sweep.machine = machine | {"threads": options.threads}
    sweep.save(options.out)
    return sweep, job


def clear(folder: Path):
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "sweep.json").exists() and any((folder / name).exists() for name in FOLDERS):
        raise jobs.JobError(f"{folder}: holds files of something else; give an empty folder")
    for name in FOLDERS:
        shutil.rmtree(folder / name, ignore_errors=True)
    for name in FILES:
        (folder / name).unlink(missing_ok=True)


def run_all(scripts: dict, options):
    """Here, one after another. The first that fails ends the study: the others would as well."""
    for run, script in scripts.items():
        launch.run_here(script)
        result = result_of(run, script.parent, options.keep)
        if "elapsed_s" not in result:
            raise jobs.JobError("; ".join(result.values()))
        say(f"{run.name()}: {result['elapsed_s']:.2f} s, tiles {result['tiles_s']:.2f} s")


def submit_all(scripts: dict, options):
    """The runs start in this order, so who waits for the last one waits for all."""
    slurm = launch.Slurm(f"scaling-{os.getpid()}", options.threads, shlex.split(options.sbatch_options))
    last = list(scripts)[-1]
    say(f"submitting {len(scripts)} runs as {slurm.name}; once they have ended, --out {options.out} --collect gathers them")
    for run, script in scripts.items():
        slurm.submit(script, run.ranks, wait=run == last and not options.submit_only)


def gather(sweep, options) -> tuple:
    """((ranks, sources) -> results of the finished runs, what is wrong with the others)."""
    results, problems = {}, []
    for run in sweep.runs():
        result = result_of(run, options.out / "runs" / run.name(), options.keep)
        if "elapsed_s" in result:
            results.setdefault((run.ranks, run.sources), []).append(result)
        else:
            problems += result.values()
    return results, problems


def report_on(sweep, results: dict) -> dict:
    points = points_of(sweep, results)
    same = same_results(results)
    on = {sources: {ranks for ranks, amount in results if amount == sources} for _, sources in results}
    for point in points:
        sources = sweep.sources(point["kind"], point["ranks"])
        point["same_results"] = same[sources] if len(on[sources]) > 1 or not same[sources] else None
    revisions = sorted({run["git_revision"] for runs in results.values() for run in runs})
    report = {"command": sweep.command, "threads": sweep.machine["threads"], "repeats": sweep.repeats}
    return report | {"git_revisions": revisions, "machine": sweep.machine, "points": points}


def write(report: dict, folder: Path):
    (folder / "scaling.json").write_text(json.dumps(report, indent=2) + "\n")
    table.write_csv(report["points"], folder / "scaling.csv")
    table.write_plot_data(report, folder)
    table.print_report(report)
    if shutil.which("gnuplot") is None:
        say("gnuplot: not found, so there are no plots")
        return
    kinds = " ".join(dict.fromkeys(point["kind"] for point in report["points"]))
    script = Path(__file__).with_name("plots.gp")
    subprocess.run(["gnuplot", "-e", f"folder='.'; kinds='{kinds}'", str(script)], check=True, cwd=folder)


def conclude(sweep, options) -> int:
    results, problems = gather(sweep, options)
    if results:
        if sweep.machine["cores"] and not options.collect:
            sweep.machine["load_after"] = os.getloadavg()[0]
            sweep.save(options.out)
        write(report_on(sweep, results), options.out)
    if not all(same_results(results).values()):
        problems.append("the results of the same job differ between numbers of ranks or repeats")
    for problem in problems:
        print(f"scaling: {problem}", file=sys.stderr)
    return 1 if problems else 0


def study(options) -> int:
    if options.collect:
        return conclude(sweeps.load(options.out), options)
    sweep, job = prepare(options)
    launcher = launch.Launcher(options.program, options.launcher, options.threads, options.started_in)
    scripts = {run: launch.write_script(launcher, job, run, options.out / "runs" / run.name()) for run in sweep.runs()}
    if not options.slurm:
        run_all(scripts, options)
        return conclude(sweep, options)
    submit_all(scripts, options)
    return 0 if options.submit_only else conclude(sweep, options)


def numbers(text: str) -> list:
    ranks = sorted({int(number) for number in text.split(",")})
    if ranks[0] < 1:
        raise ValueError(text)
    return ranks


def positive(text: str) -> int:
    if int(text) < 1:
        raise ValueError(text)
    return int(text)


def parse(arguments: list):
    split = arguments.index("--") if "--" in arguments else len(arguments)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--program", type=Path, help="regulus")
    add("--out", type=Path, required=True, help="folder of the study, under Slurm on a disk that the nodes share")
    add("--ranks", type=numbers, help="such as 1,2,4 (default: powers of two up to the cores, and one step beyond 1 to 4)")
    add("--threads", type=positive, default=1, help="of a rank")
    add("--repeats", type=positive, default=3)
    add("--command", choices=jobs.COMMANDS, default="infer", help="of the job that is made here")
    add("--sources", type=positive, help="of the strong sweep: the first of the job's list")
    add("--sources-per-rank", type=positive, help="of the weak sweep")
    add("--launcher", help="before the program; {ranks} becomes their number")
    add("--keep", action="store_true", help="keep the outputs of the runs")
    add("--overwrite", action="store_true", help="replace an earlier study")
    add("--slurm", action="store_true", help="submit every run by sbatch, wait for them, gather")
    add("--sbatch-options", default="", help="more options of sbatch, in one argument")
    add("--submit-only", action="store_true", help="do not wait for the runs")
    add("--collect", action="store_true", help="gather the runs of an earlier --slurm")
    add("--started-in", type=Path, default=Path.cwd(), help="what relative paths of the job refer to")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_const", dest="size", const=settings.QUICK, default=settings.FULL)
    size.add_argument("--smoke", action="store_const", dest="size", const=settings.SMOKE, help="a tiny job")
    options = parser.parse_args(arguments[:split])
    options.job = arguments[split + 1 :]
    if options.program is None and not options.collect:
        parser.error("--program is missing")
    if options.program is not None and not options.program.is_file():
        parser.error(f"--program: {options.program} is no file")
    options.out = options.out.absolute()
    options.program = options.program and options.program.absolute()
    options.launcher = options.launcher or ("srun --mpi=pmix" if options.slurm else "mpirun -n {ranks}")
    return options


if __name__ == "__main__":
    try:
        sys.exit(study(parse(sys.argv[1:])))
    except jobs.JobError as failure:
        sys.exit(f"scaling: {failure}")
