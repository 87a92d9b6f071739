"""A job under mpirun that can be asked to stop or be killed at any moment, and what it looks like from outside."""

import os
import signal
import subprocess
import time
from pathlib import Path

import harness

# From a kill to the end of the last process; mpirun gives ranks that stay some seconds.
END_S = 60


def fields_of(process):
    """The fields of /proc/PROCESS/stat behind the name: state, parent ... ; none if it is gone."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def children_of(parent):
    processes = (entry.name for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [int(process) for process in processes if fields_of(process)[1:2] == [str(parent)]]


def lives(process):
    return fields_of(process)[:1] not in ([], ["Z"], ["X"])


def catches(process, number):
    """Whether a process has a handler of a signal."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    caught = [line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:")]
    return bool(caught) and bool(int(caught[0], 16) >> (number - 1) & 1)


def send(process, number):
    try:
        os.kill(process, number)
    except ProcessLookupError:
        pass


def written_at_ns(file):
    """When, in the time of the file system; 0 without a file."""
    try:
        return file.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def wait_until(condition, limit_s, step_s=0.005):
    """Whether it became true in time."""
    end = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(step_s)
    return True


class Job:
    """One run of the program under mpirun, on one rank too. Its output goes to a file."""

    def __init__(self, command, ranks, log):
        self.ranks, self.log = ranks, Path(log)
        self.start, self.start_ns = time.monotonic(), time.time_ns()
        with open(log, "w") as output:
            self.mpirun = subprocess.Popen([harness.MPIRUN, "-n", str(ranks), harness.PROGRAM, *map(str, command)],
                                           stdout=output, stderr=output, start_new_session=True)  # fmt: skip

    def elapsed_s(self):
        return time.monotonic() - self.start

    def ended(self):
        return self.mpirun.poll() is not None

    def processes(self):
        return children_of(self.mpirun.pid)

    def can_be_asked(self):
        """Whether every rank has its handler of SIGUSR1: before, a signal just ends it."""
        ranks = self.processes()
        return len(ranks) == self.ranks and all(catches(rank, signal.SIGUSR1) for rank in ranks)

    def wait_until_it_can_be_asked(self, limit_s=END_S):
        return wait_until(lambda: self.ended() or self.can_be_asked(), limit_s) and not self.ended()

    def wait_until_it_writes(self, file, limit_s=END_S):
        """\\return whether it writes the file, before it ends"""
        return wait_until(lambda: self.ended() or written_at_ns(file) > self.start_ns, limit_s) and not self.ended()

    def end(self, limit_s):
        """The exit code, once no process is left. \\return None if that takes too long; then all are killed"""
        ranks = self.processes()
        try:
            code = self.mpirun.wait(limit_s)
        except subprocess.TimeoutExpired:
            code = None
        if code is None or not wait_until(lambda: not any(map(lives, ranks)), limit_s):
            for process in [*ranks, self.mpirun.pid]:
                send(process, signal.SIGKILL)
            self.mpirun.wait()
            return None
        return code

    def said(self):
        return self.log.read_text(errors="replace")
