"""Submits jobs with the scripts of slurm/ and watches them, as a user would with scontrol."""

import os
import re
import subprocess
import time
import unittest
from pathlib import Path

import local_slurm

SOURCES = Path(__file__).resolve().parents[2]
SCRIPTS = SOURCES / "slurm"
ENDED = {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY"}
LIMIT_S = 600


def start(folder):
    """\\return a Slurm, or skips the tests"""
    if missing := local_slurm.missing():
        raise unittest.SkipTest(f"Slurm is not installed: no {', '.join(missing)}")
    try:
        return local_slurm.LocalSlurm(folder)
    except local_slurm.CannotStart as reason:
        raise unittest.SkipTest(f"Slurm does not start here: {reason}") from None


class Cluster:
    """A Slurm and a folder for the files of its jobs."""

    def __init__(self, environment, folder):
        self.environment, self.folder = {**os.environ, **environment}, Path(folder)

    def run(self, *command, cwd=None, **variables):
        """\\return what the command printed"""
        outcome = subprocess.run(list(map(str, command)), cwd=cwd or self.folder, env={**self.environment, **variables},
                                 capture_output=True, text=True, timeout=LIMIT_S)  # fmt: skip
        assert outcome.returncode == 0, f"{command}: {outcome.stdout}{outcome.stderr}"
        return outcome.stdout

    def place(self, name, **settings):
        """A folder to submit from, with a site file of its own: that of the sources, with other settings."""
        place = Place(self, self.folder / name)
        place.folder.mkdir()
        place.site.write_text('source "$REGULUS_HOME/slurm/site.sh"\n')
        place.set(**settings)
        return place


class Place:
    """Where jobs are submitted, and where their logs are."""

    def __init__(self, cluster, folder):
        self.cluster, self.folder, self.site = cluster, folder, folder / "site.sh"

    def set(self, **settings):
        """Lines of the site file."""
        with open(self.site, "a") as site:
            site.writelines(f"{name}={value}\n" for name, value in settings.items())

    def run(self, *command, cwd=None):
        return self.cluster.run(*command, cwd=cwd or self.folder, REGULUS_SITE=str(self.site))

    def submit(self, step, *options):
        """With slurm/submit.sh. `options` are those of sbatch, then perhaps '--' and those of regulus."""
        return self.job(self.run(SCRIPTS / "submit.sh", step, "--parsable", *options))

    def pipeline(self, options):
        """\\return the jobs by the names of their steps"""
        said = self.run(SCRIPTS / "pipeline.sh", options)
        return {step: self.job(number) for step, number in re.findall(r"^(\w+): job (\d+)$", said, re.MULTILINE)}

    def job(self, number):
        return Job(self, number.strip())


class Job:
    def __init__(self, place, number):
        self.place, self.number = place, number

    def facts(self):
        """What scontrol knows of the job, such as JobState, ExitCode, Restarts."""
        said = self.place.run("scontrol", "show", "job", "--oneliner", self.number)
        return dict(part.split("=", 1) for part in said.split() if "=" in part)

    def log(self):
        logs = list(self.place.folder.glob(f"*-{self.number}.log"))
        return logs[0].read_text(errors="replace") if logs else ""

    def wait_until(self, condition, what):
        end = time.monotonic() + LIMIT_S
        while not condition():
            assert time.monotonic() < end, f"job {self.number}: not {what}: {self.facts()}\n{self.log()}"
            time.sleep(0.5)

    def ended(self):
        """Waits for the end. \\return the facts, and the log"""
        self.wait_until(lambda: self.facts()["JobState"] in ENDED, "ended")
        return {**self.facts(), "log": self.log()}

    def says(self, text):
        self.wait_until(lambda: text in self.log() or self.facts()["JobState"] in ENDED, f"saying '{text}'")

    def warn(self):
        """What Slurm does before the time limit: USR1 for the batch script alone."""
        self.place.run("scancel", "--batch", "--signal=USR1", self.number)

    def cancel(self):
        self.place.run("scancel", self.number)


def script(file, text):
    """A program for a job, in place of regulus."""
    file.write_text(f"#!/bin/bash\n{text}\n")
    file.chmod(0o755)
    return file


def ini(file, **options):
    """A job file."""
    lines = []
    for name, value in options.items():
        values = value if isinstance(value, (list, tuple)) else [value]
        lines.append(f"{name.replace('_', '-')} = {' '.join(map(str, values))}")
    file.write_text("\n".join(lines) + "\n")
