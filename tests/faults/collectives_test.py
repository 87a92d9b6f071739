"""One of two ranks fails at a collective call: the job ends soon, with an error, and leaves nothing that looks finished.

The program itself tells how many points a job passes (REGULUS_FAULT, see core/fault.h). At every point in turn each rank is
killed (probe; in the other jobs at a spread of them); at a spread of them it throws, runs out of memory, aborts, or is
asked to stop. Of points of one name the first 40 are tried.

Usage: collectives_test.py JOB, one of those below."""

import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

import fixture  # noqa: E402
import harness  # noqa: E402

RANKS = 2
SIDE_BY_SIDE = 4
MOST_OF_A_NAME = 40
SPREAD = 7
INTERRUPTED = 75
# A failed rank waits 5 s for the others before it stops the job. On top of it, so many usual runs of this machine.
LIMIT_S = 10
USUAL_RUNS = 4
HANGS_S = 120
REPORT = re.compile(r"^regulus-fault rank=(\d+) total=(\d+) (.*)$", re.MULTILINE)


def probe(out):
    run = fixture.Run()
    return ["probe", "--model", run.model, "--genes", run.sources(1), "--sources", run.sources(1), "--features", "gdt",
            "--background", "virtual", "--grid", 2, "--sources-per-tile", 4, "--out", out]  # fmt: skip


def train(out):
    run = fixture.Run()
    return ["train", "--features", run.features(1, "mean"), "--network", run.network(1), "--epochs", 2, "--hidden", 2,
            "--checkpoint-minutes", 0, "--out", out]  # fmt: skip


def infer(out):
    run = fixture.Run()
    return ["infer", "--model", run.model, "--expression", run.expression(1), "--sources", run.sources(1), "--translator",
            run.translator, "--background", "cells", "--background-cells", 3, "--cells", 5, "--panel-plan", "tiled",
            "--context", 24, "--sources-per-tile", 4, "--scores", "float32", "--round-seconds", 0, "--out", out]  # fmt: skip


JOBS = {"probe": probe, "infer": infer, "train": train}
# A rank is killed at every so many points; probe has them all.
STEPS = {probe: 1, infer: 12, train: 4}
JOB = JOBS[sys.argv.pop()]
STEP = STEPS[JOB]


def run_job(out, plan, *options):
    """The outcome and its wall time; a job that hangs has no outcome."""
    start = time.monotonic()
    try:
        outcome = harness.regulus(*JOB(out), "--log-level", "warning", *options, ranks=RANKS, timeout_s=HANGS_S,
                                  environment={"REGULUS_FAULT": plan})  # fmt: skip
    except subprocess.TimeoutExpired:
        outcome = None
    return outcome, time.monotonic() - start


def spread_out(points, step):
    """(rank, (name, hit)) of every step-th point, other ones on each rank."""
    return [(rank, point) for rank in points for point in points[rank][rank * step // 2 :: step]]


class Collectives(harness.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.h5py = harness.require("h5py")
        cls.shared = Path(tempfile.mkdtemp(prefix="regulus_faults_"))
        cls.addClassCleanup(shutil.rmtree, cls.shared, ignore_errors=True)
        cls.reference = cls.shared / "reference.h5"
        files = [cls.reference, *(cls.shared / f"usual_{number}.h5" for number in range(1, SIDE_BY_SIDE))]
        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            runs = list(pool.map(lambda file: run_job(file, "action=report"), files))
        for outcome, _ in runs:
            assert outcome and outcome.code == 0, outcome and outcome.err
        # As slow as the cases are, which run side by side too.
        cls.usual_s = max(elapsed_s for _, elapsed_s in runs)
        cls.points = cls.points_of(runs[0][0])

    @classmethod
    def points_of(cls, outcome):
        """rank -> the points to try, as (name, hit)."""
        points = {}
        for rank, total, names in REPORT.findall(outcome.err):
            counts = {name: int(count) for name, count in (pair.split("=") for pair in names.split())}
            tried = [(name, hit) for name in counts for hit in range(1, min(counts[name], MOST_OF_A_NAME) + 1)]
            print(f"rank {rank}: {total} points ({names}), {len(tried)} tried", flush=True)
            points[int(rank)] = tried
        assert sorted(points) == list(range(RANKS)), outcome.err
        return points

    def complete(self, out):
        """Whether the output says that it is whole."""
        try:
            with self.h5py.File(out) as file:
                return bool(file.attrs.get("complete", 1))
        except OSError:
            return False

    def was_not_reached(self, outcome, name):
        """Which rank computes a tile, or a part of it, and who then gathers and writes it is not the same in every run."""
        return outcome.code == 0 and name in ("gather", "send", "receive", "h5_write")

    def ends(self, action, rank, point, says):
        """Runs one job with one fault; returns what is wrong with how it ends, or None."""
        name, hit = point
        plan = f"rank={rank},point={name},hit={hit},action={action}"
        for attempt in ("first", "second"):  # a machine that stood still for a moment does not do so twice
            out = self.folder / f"{action}_{rank}_{name}_{hit}_{attempt}.h5"
            outcome, elapsed_s = run_job(out, plan)
            if outcome is None:
                return f"{plan}: hangs"
            if elapsed_s <= LIMIT_S + USUAL_RUNS * self.usual_s:
                break
        else:
            return f"{plan}: took {elapsed_s:.0f} s, twice"
        reached = not self.was_not_reached(outcome, name)
        if reached and outcome.code == 0:
            return f"{plan}: ends with code 0"
        if not reached and not self.complete(out):
            return f"{plan}: ends with code 0 and no output"
        problem = says(outcome) if reached else None
        if problem:
            return f"{plan}: {problem}\n{outcome.err}"
        # The last collectives come after the output was finished; then it must be right.
        if self.complete(out) and harness.numbers(out) != harness.numbers(self.reference):
            return f"{plan}: left a wrong output that says that it is complete"
        return None

    def try_all(self, action, cases, says):
        self.assertGreater(len(cases), 3)
        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            problems = list(pool.map(lambda case: self.ends(action, *case, says), cases))
        found = [problem for problem in problems if problem]
        self.assertEqual(found, [], f"{len(found)} of {len(cases)}:\n" + "\n".join(found))

    def test_killed(self):
        self.try_all("kill", spread_out(self.points, STEP), lambda outcome: None if "signal 9" in outcome.err else "mute")

    def test_aborted(self):
        says = lambda outcome: None if "signal 6" in outcome.err else "mute"  # noqa: E731
        self.try_all("abort", spread_out(self.points, 2 * SPREAD * STEP), says)

    def one_error(self, *texts):
        def says(outcome):
            if len(outcome.errors) != 1:
                return f"{len(outcome.errors)} messages"
            missing = [text for text in texts if text not in outcome.errors[0]]
            return f"does not say {missing}" if missing else None

        return says

    def test_throws(self):
        self.try_all("throw", spread_out(self.points, SPREAD * STEP), self.one_error("REGULUS_FAULT"))

    def test_out_of_memory(self):
        self.try_all("bad_alloc", spread_out(self.points, 2 * SPREAD * STEP), self.one_error("out of memory"))

    def stops(self, rank, point):
        """Runs one job with one rank asked to stop, and goes on with it; returns whether it stopped and what is wrong."""
        name, hit = point
        plan = f"rank={rank},point={name},hit={hit},action=stop"
        out = self.folder / f"stop_{rank}_{name}_{hit}.h5"
        outcome, _ = run_job(out, plan)
        stopped = outcome is not None and outcome.code == INTERRUPTED
        if stopped:
            outcome, _ = run_job(out, "action=report", "--resume")
        if outcome is None:
            return stopped, f"{plan}: hangs"
        if outcome.code != 0:
            return stopped, f"{plan}: ends with code {outcome.code}\n{outcome.err}"
        if harness.numbers(out) != harness.numbers(self.reference):
            return stopped, f"{plan}: other numbers"
        return stopped, None

    def test_asked_to_stop(self):
        """By a signal to one rank alone: the job stops as one and goes on to the same numbers."""
        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            outcomes = list(pool.map(lambda case: self.stops(*case), spread_out(self.points, SPREAD * STEP)))
        self.assertEqual([problem for _, problem in outcomes if problem], [])
        self.assertGreater(sum(stopped for stopped, _ in outcomes), 0)

    def test_a_plan_that_cannot_be_read_is_an_option_error(self):
        outcome, _ = run_job(self.folder / "none.h5", "action=explode")
        self.assertEqual(outcome.code, 2, outcome.err)
        self.assertIsNone(self.one_error("REGULUS_FAULT", "explode")(outcome), outcome.err)


if __name__ == "__main__":
    unittest.main(testRunner=unittest.TextTestRunner(stream=sys.stdout, verbosity=2))
