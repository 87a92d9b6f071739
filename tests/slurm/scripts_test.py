"""The scripts of slurm/ on a real Slurm, which is started for them: each of them with srun and with mpirun, a job that
reaches its time limit, dependants of such a job, failures, arrays, binding. The jobs run side by side and mostly wait."""

import concurrent.futures
import itertools
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

import fixture  # noqa: E402
import harness  # noqa: E402
import jobs  # noqa: E402

RUN = fixture.Run()
INPUT, INTERRUPTED = "3:0", "75:0"
LAUNCHERS = ("srun", "mpirun")
UNBOUND = {"srun_options": "(--mpi=pmix --cpu-bind=none)", "mpirun_options": "(--bind-to none)"}
# Of the job that reaches its limit. The shortest limit is one minute. Slurm looks every 30 s, from its start on, whether a limit
# is near, so the warning comes at most 30 s after the start of the job, here mostly after 20.
WARNING_S, WORK_S, MOST_VALUES = 30, 60, 1024
PROBE = {"model": RUN.model, "background": "cells", "background_cells": 60, "cells": 20, "features": ["gdt", "vvp", "osg"],
         "sources_per_tile": 1, "round_seconds": 0.05}  # fmt: skip
CELLS = {"features": ["vvp", "gdt", "osg"], "background": "cells", "background_cells": 3, "cells": 5, "sources_per_tile": 3}
PRETRAIN = {"expression": RUN.expression(1), "layers": 2, "heads": 2, "width": 16, "hidden": 16, "panel": 24, "steps": 400,
            "batch": 8, "leaf": 2, "checkpoint_minutes": 0}  # fmt: skip
TRAIN = {"network": RUN.network(1), "holdout_genes": 0.4, "epochs": 4, "hidden": 8}
EVALUATE = {"network": RUN.network(1), "expression": RUN.expression(1), "protocol": "full", "bootstrap": 50}


def metrics(folder):
    return (folder / "metrics.csv").read_bytes()


def grid_for(work_s, folder):
    """Values of the grid that make a probe of that much time of a processor, which other processes hardly change."""
    used, few, more = [], 4, 40
    for grid in (few, more):
        jobs.ini(folder / "trial.ini", **PROBE, expression=RUN.expression(1), grid=grid, out=folder / f"trial_{grid}.h5")
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        outcome = harness.regulus("probe", "--job", folder / "trial.ini")
        assert outcome.code == 0, outcome.err
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used.append(after.ru_utime - before.ru_utime)
    return min(MOST_VALUES, int(few + (more - few) * (work_s - used[0]) / (used[1] - used[0])))


class Texts(unittest.TestCase):
    FILES = sorted([*jobs.SCRIPTS.glob("*.sh"), *jobs.SCRIPTS.glob("*.sbatch")])

    def test_syntax(self):
        self.assertGreater(len(self.FILES), 7)
        for file in self.FILES:
            subprocess.run(["bash", "-n", file], check=True)

    def test_shellcheck(self):
        if not shutil.which("shellcheck"):
            self.skipTest("shellcheck is not installed")
        outcome = subprocess.run(["shellcheck", "--external-sources", "--source-path=SCRIPTDIR", *self.FILES],
                                 cwd=jobs.SOURCES, capture_output=True, text=True)  # fmt: skip
        self.assertEqual(outcome.returncode, 0, outcome.stdout)


class Scripts(unittest.TestCase):
    """Each case is started by `setUpClass` in a thread of its own; its test waits for what it found."""

    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="regulus_slurm_"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        slurm = jobs.start(cls.folder / "slurm")
        cls.addClassCleanup(cls.stop, slurm)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, cls.interrupted)
        cls.cluster = jobs.Cluster(slurm.environment, cls.folder)
        cls.grid = grid_for(WORK_S, cls.folder)
        names = [name for name in dir(cls) if name.startswith("case_")]
        pool = concurrent.futures.ThreadPoolExecutor(len(names) + len(LAUNCHERS))
        cls.addClassCleanup(pool.shutdown, wait=False, cancel_futures=True)
        cls.cases = {name[5:]: pool.submit(getattr(cls, name)) for name in names}
        cls.pipelines = {launcher: pool.submit(cls.whole_pipeline, launcher) for launcher in LAUNCHERS}

    @staticmethod
    def stop(slurm):
        said = slurm.stop()
        assert said == "stopped", said

    @classmethod
    def interrupted(cls, *_):
        """The threads would go on waiting for their jobs."""
        cls.doClassCleanups()
        os._exit(1)

    def found(self, case):
        return self.cases[case].result()

    @classmethod
    def place(cls, name, launcher="srun", program=harness.PROGRAM, **settings):
        return cls.cluster.place(name, launcher=launcher, program=program, **{**UNBOUND, **settings})

    def check_end(self, facts, state, code="0:0", restarts=0):
        self.assertEqual((facts["JobState"], facts["ExitCode"], int(facts["Restarts"])), (state, code, restarts),
                         f"{facts}\n{facts['log']}")  # fmt: skip

    # The time limit.

    @classmethod
    def case_limit(cls):
        """The same probe twice: by srun with a time limit that it reaches, by mpirun without."""
        options = {**PROBE, "expression": RUN.expression(1), "grid": cls.grid}
        found = {}
        for launcher, limits in {"srun": ["--time=1", f"--signal=B:USR1@{WARNING_S}"], "mpirun": []}.items():
            place = cls.place(f"limit_{launcher}", launcher)
            jobs.ini(place.folder / "probe.ini", **options, out="features.h5")
            found[launcher] = place.submit("probe", "--ntasks=2", *limits, "--", "--job", "probe.ini")
        # The machine may be slow: the second run has time to finish.
        found["srun"].says("requeued, to go on")
        if found["srun"].facts()["JobState"] not in jobs.ENDED:
            found["srun"].place.run("scontrol", "update", f"JobId={found['srun'].number}", "TimeLimit=60")
        return found

    def test_time_limit(self):
        limited, whole = (self.found("limit")[launcher] for launcher in LAUNCHERS)
        facts = limited.ended()
        log = facts["log"]
        restarts = int(facts["Restarts"])
        self.assertGreater(restarts, 0, f"not requeued: {facts}\n{log}")
        self.check_end(facts, "COMPLETED", restarts=restarts)
        self.assertGreaterEqual(log.count("the time limit is near"), restarts)
        for restart in range(restarts + 1):
            self.assertEqual(log.count(f"restart {restart}: regulus probe --resume"), 1, "each run appends to the log")
        self.check_end(whole.ended(), "COMPLETED")
        files = [job.place.folder / "features.h5" for job in (limited, whole)]
        self.assertEqual(*map(harness.numbers, files))

    # A pipeline with each launcher. Its first step is warned, and goes back into the queue.

    @classmethod
    def whole_pipeline(cls, launcher):
        place = cls.place(f"pipeline_{launcher}", launcher)
        options = place.folder / "options"
        options.mkdir()
        jobs.ini(options / "pretrain.ini", **PRETRAIN, out="model")
        jobs.ini(options / "probe.ini", **CELLS, model="model", expression=RUN.expression(1), sources=RUN.sources(1),
                 out="features.h5")  # fmt: skip
        jobs.ini(options / "train.ini", **TRAIN, features="features.h5", out="translator.h5")
        jobs.ini(options / "evaluate.ini", **EVALUATE, features="features.h5", translator="translator.h5", out="evaluation")
        infer = {name: value for name, value in CELLS.items() if name != "features"}
        jobs.ini(options / "infer.ini", **infer, model="model", expression=RUN.expression(2), sources=RUN.sources(2),
                 translator="translator.h5", out="edges.h5", export="edges.tsv")  # fmt: skip
        (options / "resources.txt").write_text("".join(f"{step} --ntasks={ranks} --time=10\n" for step, ranks in
                                                       {"pretrain": 2, "probe": 2, "train": 1, "infer": 2}.items()))  # fmt: skip
        steps = place.pipeline(options)
        checkpoint = place.folder / "model" / "checkpoint.safetensors"
        steps["pretrain"].wait_until(checkpoint.exists, "pretraining")
        steps["pretrain"].warn()
        steps["pretrain"].says("requeued, to go on")
        waiting = steps["probe"].facts()
        return place.folder, waiting, {step: job.ended() for step, job in steps.items()}, steps

    def test_pipeline_srun(self):
        self.check_pipeline("srun")

    def test_pipeline_mpirun(self):
        self.check_pipeline("mpirun")

    def check_pipeline(self, launcher):
        _, waiting, ends, steps = self.pipelines[launcher].result()
        self.assertEqual(list(ends), ["pretrain", "probe", "train", "infer"])
        self.assertEqual((waiting["JobState"], waiting["Reason"]), ("PENDING", "Dependency"))
        for step, facts in ends.items():
            self.check_end(facts, "COMPLETED", restarts=int(step == "pretrain"))
            self.assertEqual(int(facts["NumTasks"]), 1 if step == "train" else 2)
        for before, after in itertools.pairwise(ends.values()):
            self.assertGreaterEqual(after["StartTime"], before["EndTime"])
        self.assertIn("regulus evaluate", steps["train"].log())
        # The script waits for the program to stop.
        self.assertRegex(ends["pretrain"]["log"],
                         r"(?s)limit is near.*regulus: error: .*--resume.*ended with exit code 75.*requeued,")  # fmt: skip

    def test_pipelines_are_alike(self):
        whole = self.folder / "model"
        jobs.ini(self.folder / "pretrain.ini", **PRETRAIN, out=whole)
        outcome = harness.regulus("pretrain", "--job", self.folder / "pretrain.ini")
        self.assertEqual(outcome.code, 0, outcome.err)
        srun, mpirun = (self.pipelines[launcher].result()[0] for launcher in LAUNCHERS)
        for name in ("model.safetensors", "loss.csv"):
            for folder in (srun, mpirun):
                self.assertEqual((folder / "model" / name).read_bytes(), (whole / name).read_bytes(), f"{folder} {name}")
        for name in ("features.h5", "translator.h5", "edges.h5"):
            self.assertEqual(harness.numbers(srun / name), harness.numbers(mpirun / name), name)
        for name in ("edges.tsv", "evaluation/metrics.csv"):
            self.assertEqual((srun / name).read_bytes(), (mpirun / name).read_bytes(), name)

    # What must not be requeued.

    @classmethod
    def case_bad_input(cls):
        place = cls.place("bad_input", max_requeues=1)
        options = place.folder / "options"
        options.mkdir()
        jobs.ini(options / "probe.ini", **CELLS, model=RUN.model, expression="none.h5ad", out="features.h5")
        jobs.ini(options / "train.ini", **TRAIN, features="features.h5", out="translator.h5")
        (options / "resources.txt").write_text("probe --ntasks=2\ntrain --ntasks=1\n")
        return {step: job.ended() for step, job in place.pipeline(options).items()}

    def test_bad_input(self):
        facts = self.found("bad_input")["probe"]
        self.check_end(facts, "FAILED", INPUT)
        self.assertIn("none.h5ad", facts["log"])
        self.assertIn("ended with exit code 3", facts["log"])
        self.assertEqual(self.found("bad_input")["train"]["JobState"], "CANCELLED")

    @classmethod
    def case_cancelled(cls):
        """A program that ends as regulus does when it is told to."""
        place = cls.place("cancelled")
        place.set(program=jobs.script(place.folder / "waits", "trap 'exit 75' TERM; echo ready; sleep 600 & wait"))
        job = place.submit("probe", "--ntasks=1")
        job.says("ready")
        job.cancel()
        job.ended()
        time.sleep(2)
        return job.ended()

    def test_cancelled(self):
        facts = self.found("cancelled")
        self.assertEqual((facts["JobState"], facts["Restarts"]), ("CANCELLED", "0"))

    @classmethod
    def case_requeue_limit(cls):
        """A run that never gets on. Submitted by sbatch itself, in the folder of the sources."""
        place = cls.place("requeue_limit", max_requeues=1)
        folder = place.folder
        jobs.ini(folder / "probe.ini", **CELLS, model=RUN.model, expression=RUN.expression(1), max_hours=0, out=folder / "out.h5")
        number = place.run("sbatch", "--parsable", "--ntasks=2", f"--output={folder}/regulus-%j.log", "slurm/probe.sbatch",
                           "--job", folder / "probe.ini", cwd=jobs.SOURCES)  # fmt: skip
        job = place.job(number)
        job.ended()
        time.sleep(2)
        return job.ended()

    def test_requeue_limit(self):
        facts = self.found("requeue_limit")
        self.check_end(facts, "FAILED", INTERRUPTED, restarts=1)
        self.assertIn("requeued 1 times already", facts["log"])

    # The start of the program, when it knows nothing of signals yet.

    @classmethod
    def case_early(cls):
        """Warned too early, and ended by the same signal without a warning."""
        found = {}
        for launcher in LAUNCHERS:
            place = cls.place(f"early_{launcher}", launcher, max_requeues=1)
            lines = ['if [[ $3 == --warned && -z $SLURM_RESTART_COUNT ]]; then echo ready; exec sleep 600; fi',
                     'if [[ $3 == --alone ]]; then kill -USR1 $$; fi']  # fmt: skip
            place.set(program=jobs.script(place.folder / "starts", "\n".join(lines)))
            warned, alone = (place.submit("probe", "--ntasks=1", "--", option) for option in ("--warned", "--alone"))
            warned.says("ready")
            warned.warn()
            found[launcher] = warned.ended(), alone.ended()
        return found

    def test_early(self):
        for launcher, (warned, alone) in self.found("early").items():
            with self.subTest(launcher=launcher):
                self.check_end(warned, "COMPLETED", restarts=1)
                self.check_end(alone, "FAILED", "138:0")

    @classmethod
    def case_not_started(cls):
        """PMIx finds the place of its files taken; srun ends with 0 all the same."""
        place = cls.place("not_started")
        job = place.submit("probe", "--ntasks=1", "--hold", "--", "--job", "none.ini")
        taken = cls.folder / "slurm" / "tmp" / f"spmix_appdir_{os.geteuid()}_{job.number}.0"
        taken.mkdir()
        place.run("scontrol", "release", job.number)
        return job.ended()

    def test_not_started(self):
        facts = self.found("not_started")
        if "launch failed" not in facts["log"]:
            self.skipTest("this Slurm starts the ranks even so")
        self.check_end(facts, "FAILED", "1:0")

    # Arrays. Slurm takes the plain number of one of its jobs for all of them.

    @classmethod
    def case_array(cls):
        place = cls.place("array")
        once = f'if [[ $SLURM_JOB_ID$SLURM_RESTART_COUNT == "$SLURM_ARRAY_JOB_ID" ]]; then exit 75; fi\nexec {harness.PROGRAM} "$@"'
        place.set(program=jobs.script(place.folder / "interrupted_once", once))
        lines = [f"{RUN.features(i, 'cells').stem} {RUN.expression(i)} {RUN.sources(i)} {RUN.network(i)}" for i in (1, 2)]
        (place.folder / "datasets.txt").write_text("# name expression sources network\n\n" + "\n".join(lines) + "\n")
        jobs.ini(place.folder / "probe.ini", **CELLS, model=RUN.model)
        evaluate = ["--translator", RUN.translator, "--bootstrap", 50, "--protocol", "balanced", "full", "--train-network",
                    RUN.network(1)]  # fmt: skip
        job = place.submit("array", "--array=1-2", "--ntasks=2", "--", "datasets.txt", "results", "probe", "--job",
                           "probe.ini", "--", *evaluate)  # fmt: skip
        return place.folder / "results", [place.job(f"{job.number}_{i}") for i in (1, 2)]

    def test_array(self):
        results, tasks = self.found("array")
        ends = [task.ended() for task in tasks]
        main = [facts["JobId"] == facts["ArrayJobId"] for facts in ends]
        self.assertEqual(sum(main), 1, ends)
        for facts, interrupted in zip(ends, main):
            self.check_end(facts, "COMPLETED", restarts=int(interrupted))
        for i in (1, 2):
            features = RUN.features(i, "cells")
            self.assertEqual(harness.numbers(results / features.name), harness.numbers(features))
            self.assertTrue((results / f"{features.stem}_evaluation" / "metrics.csv").exists())
        # The second was evaluated with the same options by the pipeline of the end-to-end tests.
        self.assertEqual(metrics(results / f"{features.stem}_evaluation"), metrics(RUN.evaluation(2)))

    # What reaches Slurm and the ranks.

    @classmethod
    def case_binding(cls):
        """With the launchers' options of the site file as they are."""
        own = {"partition": "other", "account": "project", "gpus_per_node": 2}
        program = jobs.script(cls.folder / "shows", """\
echo "{\\"command\\": \\"$1\\", \\"cores\\": \\"$(taskset -cp $$ | sed 's/.*: //')\\", \\"threads\\": $OMP_NUM_THREADS,""" + """\
 \\"gpus\\": \\"$CUDA_VISIBLE_DEVICES\\"}" """)
        found = {}
        for launcher in LAUNCHERS:
            place = cls.cluster.place(f"binding_{launcher}", launcher=launcher, program=program, **own)
            for variable in ("OMPI_MCA_hwloc_base_binding_policy", "OMPI_MCA_rmaps_base_oversubscribe"):
                place.cluster.environment.pop(variable, None)
            submitted = {"gpus": place.submit("probe"), "ranks": place.submit("pretrain", "--ntasks=2"),
                         "threads": place.submit("pretrain", "--ntasks=1", "--cpus-per-task=2")}  # fmt: skip
            for what, job in submitted.items():
                facts = job.ended()
                found[launcher, what] = facts, [json.loads(line) for line in facts["log"].splitlines() if line.startswith("{")]
        return found

    def test_binding(self):
        if os.cpu_count() < 2:
            self.skipTest("one core: nothing to bind to")
        for (launcher, what), (facts, ranks) in self.found("binding").items():
            with self.subTest(launcher=launcher, what=what):
                self.check_end(facts, "COMPLETED")
                self.assertEqual((facts["Partition"], facts["Account"]), ("other", "project"))
                self.assertEqual(len(ranks), 1 if what == "threads" else 2)
                self.assertEqual({rank["threads"] for rank in ranks}, {2 if what == "threads" else 1})
                self.assertEqual({rank["gpus"] for rank in ranks}, {"0,1" if what == "gpus" else ""})
                cores = [rank["cores"] for rank in ranks]
                self.assertEqual(len(set(cores)), len(ranks), "each rank has cores of its own")
                if what != "threads":
                    self.assertTrue(all(core.isdigit() for core in cores), cores)


if __name__ == "__main__":
    harness.main()
