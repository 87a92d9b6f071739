"""Starts the runs of a study, by a launcher such as mpirun or through Slurm. Each has a folder with its script, which is
the same either way, and leaves `status` there: exit code and nanoseconds."""

import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

from job import Job, JobError
from sweep import Run

SCRIPT = """#!/usr/bin/env bash
# One run of a scaling study (docs/benchmarks.md).
cd {started_in} || exit
export OMP_NUM_THREADS={threads}
begin=$(date +%s%N)
code=0
{command} || code=$?
end=$(date +%s%N)
echo "$code $((end - begin))" > {folder}/status.part
mv {folder}/status.part {folder}/status
exit $code
"""
OUTPUT = "out.h5"


@dataclass(frozen=True)
class Launcher:
    """How every run is started. `launch` holds {ranks} where it wants their number."""

    program: Path
    launch: str
    threads: int
    started_in: Path


def write_script(launcher: Launcher, job: Job, run: Run, folder: Path) -> Path:
    folder.mkdir(parents=True)
    arguments = [*job.arguments]
    if run.sources is not None:
        sources = folder / "sources.txt"
        sources.write_text("\n".join(job.sources[: run.sources]) + "\n")
        arguments += ["--sources", str(sources)]
    arguments += ["--out", str(folder / OUTPUT), "--progress", "off"]
    command = f"{launcher.launch.format(ranks=run.ranks)} {shlex.join([str(launcher.program), *arguments])}"
    script = folder / "run.sh"
    quoted = {"started_in": launcher.started_in, "folder": folder}
    script.write_text(
        SCRIPT.format(threads=launcher.threads, command=command, **{k: shlex.quote(str(v)) for k, v in quoted.items()})
    )
    return script


def run_here(script: Path):
    with (script.parent / "log").open("w") as log:
        subprocess.run(["bash", str(script)], stdout=log, stderr=subprocess.STDOUT)


@dataclass(frozen=True)
class Slurm:
    """Submits runs that start one after another: they would disturb each other's file system and network."""

    name: str
    threads: int
    options: list

    def submit(self, script: Path, ranks: int, wait: bool = False):
        command = ["sbatch", "--parsable", "--no-requeue", "--dependency=singleton", f"--job-name={self.name}"]
        command += [f"--ntasks={ranks}", f"--cpus-per-task={self.threads}", f"--output={script.parent / 'log'}"]
        command += (["--wait"] if wait else []) + self.options + [str(script)]
        try:
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        except FileNotFoundError:
            raise JobError("sbatch: not found; leave --slurm out where there is no Slurm") from None
        # With --wait the exit code is that of the job, which `status` tells as well.
        if not done.stdout.strip():
            raise JobError(f"{shlex.join(command)}: {done.stderr.strip()}")
        (script.parent / "job").write_text(done.stdout)
