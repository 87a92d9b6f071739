"""The scaling study of benchmarks/scaling: its arithmetic in closed form, and the whole of it on a tiny job. Looks at no
times."""

import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import harness

STUDY = Path(__file__).parents[2] / "benchmarks" / "scaling"
sys.path.insert(0, str(STUDY))

import gather  # noqa: E402
import job as jobs  # noqa: E402
import points  # noqa: E402
import scaling  # noqa: E402
import sweep as sweeps  # noqa: E402

LAUNCHER = f"{harness.MPIRUN} -n {{ranks}}"


def provenance(compute, wait, phase="score"):
    """Of ranks that exchanged for 0.25 s and wrote for 0.5 s each; tiles 10 s, reading 2 s, ranking 1 s."""
    ranks = {"compute": compute, "wait": wait, "exchange": [0.25] * len(wait), "write": [0.5] * len(wait)}
    return {"ranks": len(compute), "phases": {"read": 2.0, phase: 10.0, "rank": 1.0, "ranks": ranks}}


def run_result(ranks, sources, elapsed_s, tiles_s, compute_s, **other):
    """What a run took in which ranks computed for compute_s together, and nothing else was measured."""
    rank_s = dict.fromkeys(gather.PARTS, 0.0) | {"compute": compute_s, "other": ranks * elapsed_s - compute_s}
    result = {"ranks": ranks, "threads_per_rank": 1, "hosts": 1, "sources": sources, "elapsed_s": elapsed_s}
    return result | {"tiles_s": tiles_s, "rank_s": rank_s, "digest": f"of {sources}"} | other


class Gathering(unittest.TestCase):
    def test_rank_seconds_are_those_of_the_provenance_and_add_up_to_ranks_times_wall(self):
        seconds = gather.rank_seconds(provenance([8.0, 9.0], [1.25, 0.0]), elapsed_s=15.0)
        expected = {"compute": 17.0, "exchange": 0.5, "output": 1.0, "idle": 1.25, "reading": 4.0, "ranking": 2.0}
        self.assertEqual(seconds, expected | {"other": 2 * 15.0 - 25.75})

    def test_probe_has_another_name_for_its_tiles_and_ranks_nothing(self):
        record = provenance([8.0], [0.0], phase="probe")
        del record["phases"]["rank"]
        self.assertEqual(gather.tiles_seconds(record), 10.0)
        self.assertEqual(gather.rank_seconds(record, 15.0)["ranking"], 0.0)

    def test_an_older_provenance_is_refused(self):
        record = provenance([8.0], [0.0])
        del record["phases"]["ranks"]["exchange"]
        with self.assertRaises(jobs.JobError):
            gather.rank_seconds(record, 15.0)

    def test_the_digest_sees_values_names_and_types_but_no_provenance(self):
        h5py = harness.require("h5py")

        def digest(name="scores", values=(1.0, 2.0), kind="f4", text="a", provenance="x"):
            with h5py.File("memory", "w", driver="core", backing_store=False) as file:
                file.create_dataset(name, data=values, dtype=kind)
                file.create_dataset("genes/source", data=[text, "b"])
                file.create_dataset("uns/provenance", data=provenance)
                file.attrs["provenance"] = provenance
                return gather.digest(file)

        same = digest()
        self.assertEqual(digest(provenance="another"), same)
        others = [digest(name="other"), digest(values=(1.0, 2.5)), digest(kind="f8"), digest(text="c")]
        self.assertEqual(len({same, *others}), 5)


class Arithmetic(unittest.TestCase):
    """A machine of 2 cores: 4 ranks are too many, and two ranks compute a quarter slower than one."""

    sweep = sweeps.Sweep("infer", [1, 2, 4], strong=40, per_rank=10, repeats=1, machine={"cores": 2, "threads": 1})
    runs = [
        run_result(1, 40, elapsed_s=50.0, tiles_s=40.0, compute_s=36.0),
        run_result(2, 40, elapsed_s=40.0, tiles_s=25.0, compute_s=45.0),
        run_result(4, 40, elapsed_s=50.0, tiles_s=32.0, compute_s=72.0),
        run_result(1, 10, elapsed_s=20.0, tiles_s=10.0, compute_s=9.0),
        run_result(2, 20, elapsed_s=25.0, tiles_s=12.5, compute_s=22.5),
    ]

    def points(self, sweep=None):
        results = {(run["ranks"], run["sources"]): [run] for run in self.runs}
        return {(p["kind"], p["ranks"]): p for p in points.points_of(sweep or self.sweep, results)}

    def columns(self, point, *names):
        return tuple(round(point[name], 12) for name in names)

    def test_strong_speedup_is_the_ratio_of_the_walls(self):
        found = self.points()
        both = ("speedup", "efficiency", "tiles_speedup", "tiles_efficiency", "inflation")
        self.assertEqual(self.columns(found["strong", 1], *both), (1.0, 1.0, 1.0, 1.0, 1.0))
        self.assertEqual(self.columns(found["strong", 2], *both), (1.25, 0.625, 1.6, 0.8, 1.25))
        self.assertEqual(self.columns(found["strong", 4], *both), (1.0, 0.25, 1.25, 0.3125, 2.0))

    def test_weak_speedup_is_the_ratio_of_the_rates(self):
        found = self.points()
        both = ("speedup", "efficiency", "tiles_speedup", "tiles_efficiency", "inflation")
        self.assertEqual(self.columns(found["weak", 2], *both), (1.6, 0.8, 1.6, 0.8, 1.25))
        # The strong run of 4 ranks has the sources of the weak one.
        self.assertEqual(self.columns(found["weak", 4], "speedup", "inflation"), (1.6, 2.0))

    def test_efficiency_is_the_busy_share_over_the_inflation(self):
        found = self.points()
        for (kind, _), point in found.items():
            busy = point["tiles_shares"]["compute"] / found[kind, 1]["tiles_shares"]["compute"]
            self.assertAlmostEqual(point["tiles_efficiency"], busy / point["inflation"])

    def test_more_ranks_than_cores_are_labelled(self):
        labelled = {key for key, point in self.points().items() if point["oversubscribed"]}
        self.assertEqual(labelled, {("strong", 4), ("weak", 4)})

    def test_the_smallest_number_of_ranks_has_a_speedup_of_itself(self):
        later = sweeps.Sweep("infer", [2, 4], 40, 0, 1, self.sweep.machine)
        found = self.points(later)
        self.assertEqual(set(found), {("strong", 2), ("strong", 4)})
        self.assertEqual(self.columns(found["strong", 2], "speedup", "efficiency"), (2.0, 1.0))
        self.assertEqual(self.columns(found["strong", 4], "speedup", "efficiency"), (1.6, 0.4))

    def test_the_median_run_speaks_for_a_point(self):
        walls = lambda *seconds: [{"elapsed_s": s} for s in seconds]
        self.assertEqual(points.median_run(walls(9.0, 1.0, 3.0))["elapsed_s"], 3.0)
        self.assertEqual(points.median_run(walls(9.0, 1.0, 3.0, 2.0))["elapsed_s"], 2.0)


class Planning(unittest.TestCase):
    job = jobs.Job(["infer"], [f"g{i}" for i in range(100)])

    def test_each_rank_of_the_weak_sweep_brings_whole_tiles(self):
        sweep = sweeps.plan(self.job, [1, 2, 4], None, None, 2)
        self.assertEqual((sweep.strong, sweep.per_rank), (100, 24))
        self.assertEqual(sweeps.plan(self.job, [32], None, None, 1).per_rank, 3)

    def test_runs_are_taken_in_turns_and_shared_by_both_sweeps(self):
        sweep = sweeps.plan(self.job, [1, 4], 96, None, 2)
        amounts = [(run.ranks, run.sources) for run in sweep.runs()]
        self.assertEqual(amounts, [(1, 96), (4, 96), (1, 24)] * 2)
        self.assertEqual(len({run.name() for run in sweep.runs()}), 6)

    def test_too_few_sources_are_refused(self):
        for arguments in ([[128], None, None], [[1], 101, None], [[2], None, 51]):
            with self.subTest(arguments), self.assertRaises(jobs.JobError):
                sweeps.plan(self.job, *arguments, 1)

    def test_a_job_without_a_list_of_sources_is_scaled_strongly_alone(self):
        sweep = sweeps.plan(jobs.Job(["probe"]), [1, 2], None, None, 1)
        self.assertEqual([(run.ranks, run.sources) for run in sweep.runs()], [(1, None), (2, None)])

    def test_default_ranks(self):
        self.assertEqual(scaling.default_ranks(cores=1, threads=1), [1, 2])
        self.assertEqual(scaling.default_ranks(cores=2, threads=1), [1, 2, 4])
        self.assertEqual(scaling.default_ranks(cores=6, threads=1), [1, 2, 4, 6])
        self.assertEqual(scaling.default_ranks(cores=16, threads=2), [1, 2, 4, 8])


class OwnJob(harness.TestCase):
    def test_the_sources_are_taken_out_of_the_command(self):
        self.write("tfs.txt", "A\nB\n\n C\n")
        for arguments in (["--sources", "tfs.txt"], ["--sources=tfs.txt"]):
            job = jobs.given(["infer", "--sources-per-tile=4", *arguments, "--cells", "2"], self.folder)
            self.assertEqual(job.arguments, ["infer", "--sources-per-tile=4", "--cells", "2"])
            self.assertEqual((job.sources, job.sources_per_tile()), (["A", "B", "C"], 4))

    def test_what_the_study_sets_itself_is_refused(self):
        for arguments in (["train"], [], ["infer", "--out", "x"], ["infer", "--resume"], ["probe", "--sources", "none"]):
            with self.subTest(arguments), self.assertRaises(jobs.JobError):
                jobs.given(arguments, self.folder)


class Study(harness.TestCase):
    """The program itself, on a job of a second."""

    @classmethod
    def setUpClass(cls):
        harness.require("h5py")
        cls.root = Path(tempfile.mkdtemp(prefix="regulus_scaling_"))
        cls.addClassCleanup(shutil.rmtree, cls.root, ignore_errors=True)
        cls.done = cls.study("--out", cls.root / "study", "--smoke", "--ranks", "1,2", "--repeats", "1")

    @classmethod
    def study(cls, *arguments, environment=None):
        split = arguments.index("--") if "--" in arguments else len(arguments)
        options = ["--program", harness.PROGRAM, "--launcher", LAUNCHER, *arguments[:split]]
        command = [sys.executable, STUDY / "scaling.py", *options, *arguments[split:]]
        return subprocess.run(
            [str(part) for part in command], capture_output=True, text=True, timeout=harness.TIMEOUT_S,
            env={**os.environ, **(environment or {})}
        )  # fmt: skip

    def copied(self):
        return Path(shutil.copytree(self.root / "study", self.folder / "study"))

    def test_all_points_and_files_are_there(self):
        self.assertEqual(self.done.returncode, 0, self.done.stderr)
        report = json.loads((self.root / "study" / "scaling.json").read_text())
        found = [(point["kind"], point["ranks"], point["sources"]) for point in report["points"]]
        self.assertEqual(found, [("strong", 1, 16), ("strong", 2, 16), ("weak", 1, 8), ("weak", 2, 16)])
        for point in report["points"]:
            self.assertAlmostEqual(sum(point["shares"].values()), 1)
            self.assertTrue(all(0 <= share <= 1 for share in point["shares"].values()), point["shares"])
            self.assertTrue(all(-1e-3 <= share <= 1 for share in point["tiles_shares"].values()), point["tiles_shares"])
            self.assertGreater(point["rank_s"]["compute"], 0)
        with (self.root / "study" / "scaling.csv").open() as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([float(row["wall_s"]) for row in rows], [round(p["wall_s"], 6) for p in report["points"]])
        self.assertEqual(self.done.stdout.count("same bytes"), 3)

    @unittest.skipIf(shutil.which("gnuplot") is None, "gnuplot is not installed (package gnuplot-nox)")
    def test_plots(self):
        for name in ("strong", "weak", "shares"):
            for format, start in (("png", b"\x89PNG"), ("svg", b"<?xml")):
                content = (self.root / "study" / f"scaling_{name}.{format}").read_bytes()
                self.assertTrue(content.startswith(start) and len(content) > 4000, name)

    def test_outputs_are_removed_once_they_are_gathered(self):
        self.assertEqual(list((self.root / "study" / "runs").glob("*/out.h5")), [])

    def test_a_study_is_not_replaced_unasked(self):
        done = self.study("--out", self.root / "study", "--smoke")
        self.assertEqual(done.returncode, 1)
        self.assertIn("--overwrite", done.stderr)

    def test_differing_results_are_an_error(self):
        folder = self.copied()
        file = folder / "runs" / "2_ranks_16_sources_1" / "result.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | {"digest": "another"}))
        done = self.study("--out", folder, "--collect")
        self.assertEqual(done.returncode, 1)
        self.assertIn("DIFFER", done.stdout)
        self.assertIn("results of the same job differ", done.stderr)

    def test_what_has_not_ended_or_failed_is_named_and_the_rest_gathered(self):
        folder = self.copied()
        for name, status in (("1_ranks_8_sources_1", None), ("2_ranks_16_sources_1", "3 1000")):
            (folder / "runs" / name / "result.json").unlink()
            (folder / "runs" / name / "status").unlink()
            if status:
                (folder / "runs" / name / "status").write_text(status)
        done = self.study("--out", folder, "--collect")
        self.assertEqual(done.returncode, 1)
        self.assertIn("1_ranks_8_sources_1: has not ended", done.stderr)
        self.assertIn("2_ranks_16_sources_1: exit code 3", done.stderr)
        report = json.loads((folder / "scaling.json").read_text())
        self.assertEqual([(point["kind"], point["ranks"]) for point in report["points"]], [("strong", 1)])

    def test_a_run_that_fails_ends_the_study_with_its_error(self):
        job = ["--", "probe", "--model", "no_such_model", "--genes", "none.txt"]
        done = self.study("--out", self.folder / "failing", "--ranks", "1", *job)
        self.assertEqual(done.returncode, 1)
        self.assertIn("1_ranks_all_1: exit code", done.stderr)
        self.assertIn("no_such_model", done.stderr)
        self.assertNotIn("Traceback", done.stderr)

    def test_ranks_that_do_not_find_each_other_are_noticed(self):
        made = self.root / "study" / "job"
        job = ["--", "probe", "--model", made / "model", "--expression", made / "cells.h5ad", "--sources", made / "few_tfs.txt"]
        done = self.study("--out", self.folder / "apart", "--ranks", "2", "--launcher", "env", *job)
        self.assertEqual(done.returncode, 1)
        self.assertIn("ran as 1 ranks", done.stderr)

    def sbatch(self):
        """An environment with an sbatch that runs the script at once and writes down how it was called."""
        self.write("sbatch", f"""#!/bin/sh
echo "$@" >> {self.folder}/submitted
for script; do :; done
bash "$script" > {self.folder}/log 2>&1
echo 7
""").chmod(0o755)  # fmt: skip
        return {"PATH": f"{self.folder}:{os.environ['PATH']}"}

    def test_only_the_last_run_is_waited_for_and_failures_are_reported(self):
        self.write("tfs.txt", "A\nB\n")
        done = self.study("--out", self.folder / "study", "--slurm", "--ranks", "1,2", "--repeats", "1",
                          "--program", shutil.which("false"), "--", "infer", "--sources", self.folder / "tfs.txt",
                          environment=self.sbatch())  # fmt: skip
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr.count("exit code 1"), 3)
        lines = (self.folder / "submitted").read_text().splitlines()
        self.assertEqual(["--wait" in line.split() for line in lines], [False, False, True])

    def test_slurm_gets_the_runs_in_order_and_collect_gathers_them(self):
        environment = self.sbatch()
        made, study = self.root / "study" / "job", self.folder / "slurm"
        job = ["--", "probe", "--model", made / "model", "--expression", made / "cells.h5ad", "--features", "osg",
               "--cells", "1", "--sources", made / "few_tfs.txt"]  # fmt: skip
        slurm = ["--slurm", "--sbatch-options=--partition=cpu --time=9", "--ranks", "1", "--repeats", "1", "--sources-per-rank", "8"]
        done = self.study("--out", study, *slurm, "--submit-only", *job, environment=environment)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        lines = (self.folder / "submitted").read_text().splitlines()
        self.assertEqual(len(lines), 2)
        for line in lines:
            self.assertIn("--dependency=singleton", line)
            self.assertIn("--ntasks=1 --cpus-per-task=1", line)
            self.assertIn("--partition=cpu --time=9", line)
        done = self.study("--out", study, "--collect")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("scaling_weak.tsv", [file.name for file in study.iterdir()])


if __name__ == "__main__":
    harness.main()
