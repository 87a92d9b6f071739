"""Jobs that are killed or stopped at random moments, on changing numbers of ranks, until one of their runs gets to its end:
nothing that was finished is lost or damaged, and the result is that of a run without a break, byte by byte.

Usage: random_kills_test.py [SEED]. A seed repeats the choices; where in the work a signal falls depends on the machine."""

import json
import os
import random
import shutil
import signal
import struct
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

import fixture  # noqa: E402
import harness  # noqa: E402
import killable  # noqa: E402

SEED = int(sys.argv.pop()) if sys.argv[-1].isdigit() else int(time.time())
INTERRUPTED = 75
MOST_RANKS = 4
# One in so many kills falls into the start-up, the others behind it.
EARLY = 6
# Of the time of a whole run: what a run that goes on has to do is less.
MOST_OF_WORK = 0.6
# Times the number that is asked for.
MOST_KILLS = 4
RUN = fixture.Run()
TILES = ["--model", RUN.model, "--expression", RUN.expression(1), "--background", "cells", "--panel-plan", "tiled",
         "--context", 14, "--sources-per-tile", 1, "--round-seconds", 0.05]  # fmt: skip


def tensors(path):
    """Name -> (shape, bytes) of a safetensors file."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    entries = json.loads(content[8 : 8 + length])
    data = content[8 + length :]
    return {name: (entry["shape"], data[slice(*entry["data_offsets"])]) for name, entry in entries.items()
            if name != "__metadata__"}  # fmt: skip


class Tiles:
    """A command that writes tiles. `working` is the file where they are while it runs."""

    def __init__(self, out, working):
        self.out, self.working = out, working
        self.h5py = harness.require("h5py")

    def watch(self, keep):
        """Keeps the working file of an uninterrupted run that has begun: infer removes its own at the end."""
        os.link(self.working, keep)
        self.reference_tiles = keep

    def content(self):
        return harness.numbers(self.out)

    def progress(self):
        """The tiles that are marked done, each compared with the reference. \\return None before there is a file"""
        if not self.working.exists():
            return None
        with self.h5py.File(self.working) as file, self.h5py.File(self.reference_tiles) as reference:
            done = file["tiles/done"][:]
            assert set(done) <= {0, 1}, done
            assert file.attrs["complete"] in (0, 1) and (file.attrs["complete"] == 0 or done.all())
            tiles = frozenset(int(tile) for tile in done.nonzero()[0])
            for tile in tiles:
                self.compare(file, reference, tile)
            return tiles

    def compare(self, file, reference, tile):
        source, sources, target, targets = reference["tiles/plan"][tile]
        for name in reference["features"]:
            block = (slice(source, source + sources), slice(target, target + targets))
            same = file["features"][name][block].tobytes() == reference["features"][name][block].tobytes()
            assert same, f"tile {tile}: {name} is not that of a run without a break"
        for name in reference["tiles"]:
            if name != "done":
                same = file["tiles"][name][tile].tobytes() == reference["tiles"][name][tile].tobytes()
                assert same, f"tile {tile}: {name} is not that of a run without a break"

    def kept(self, before, now):
        # The working file of infer goes once the edges are there.
        return self.out.exists() and not self.working.exists() if now is None else before <= now

    def shows(self, progress):
        return "no file" if progress is None else f"{len(progress)} tiles"


class Probe(Tiles):
    def __init__(self, folder):
        super().__init__(folder / "features.h5", folder / "features.h5")

    def command(self):
        return ["probe", *TILES, "--sources", RUN.sources(1), "--features", "gdt,vvp,osg", "--background-cells", 60,
                "--cells", 20, "--grid", 16, "--out", self.out]  # fmt: skip


class Infer(Tiles):
    """With all that edges can carry, so that there are numbers of tiles as well."""

    def __init__(self, folder):
        super().__init__(folder / "edges.h5", folder / "edges.h5.tiles")
        self.translator = folder.parent / "translator.h5"
        if not self.translator.exists():
            outcome = harness.regulus("train", "--features", RUN.features(1, "cells"), "--network", RUN.network(1), "--out",
                                      self.translator, "--epochs", 3, "--hidden", 4, "--members", 2, "--null", 1)  # fmt: skip
            assert outcome.code == 0, outcome.err

    def command(self):
        return ["infer", *TILES, "--translator", self.translator, "--background-cells", 12, "--cells", 20, "--edge-spread",
                "--false-discovery", "--scores", "float32", "--top-k", 0, "--out", self.out]  # fmt: skip


class Checkpointed:
    """A command that goes on from a checkpoint, its `working` file, which is replaced again and again."""

    working: Path

    def watch(self, keep):
        pass

    def progress(self):
        return self.steps(tensors(self.working)) if self.working.exists() else None

    def kept(self, before, now):
        return self.out.exists() if now is None else before <= now

    def shows(self, progress):
        return "no checkpoint" if progress is None else f"step {progress}"


class Pretrain(Checkpointed):
    FILES = ("model.safetensors", "best_model.pt", "vocab.json", "loss.csv")

    def __init__(self, folder):
        self.out = folder / "model"
        self.working = self.out / "checkpoint.safetensors"

    def command(self):
        return ["pretrain", "--expression", RUN.expression(1), "--layers", 2, "--heads", 2, "--width", 16, "--hidden", 16,
                "--panel", 24, "--steps", 500, "--batch", 8, "--leaf", 2, "--validate-every", 20, "--checkpoint-minutes", 0,
                "--out", self.out]  # fmt: skip

    def content(self):
        return {name: (self.out / name).read_bytes() for name in self.FILES}

    def steps(self, state):
        return struct.unpack("<q", state["step"][1])

    def kept(self, before, now):
        return (self.out / self.FILES[0]).exists() if now is None else before <= now


class Train(Checkpointed):
    def __init__(self, folder):
        self.out = folder / "translator.h5"
        self.working = folder / "translator.h5.checkpoint"

    def command(self):
        return ["train", "--features", RUN.features(1, "cells"), "--network", RUN.network(1), "--epochs", 60, "--patience",
                60, "--hidden", 16, "--members", 3, "--null", 2, "--checkpoint-minutes", 0, "--out", self.out]  # fmt: skip

    def content(self):
        return harness.numbers(self.out)

    def steps(self, state):
        """(MLPs that are trained, epochs of the next)"""
        finished = sum(name.startswith("finished.") and name.endswith(".parameters") for name in state)
        return finished, len(state.get("running.loss_train", ((), b""))[1]) // 8


class Kill:
    """What is to be done to one run, and when."""

    def __init__(self, chance):
        self.ranks = chance.randint(1, MOST_RANKS)
        self.early = chance.randrange(EARLY) == 0
        self.way = chance.choice(["one rank", "all", "SIGTERM", "SIGUSR1"])
        self.victim = chance.randrange(self.ranks)
        self.share = chance.uniform(0.0, 1.0 if self.early else MOST_OF_WORK)

    def __str__(self):
        which = f" {self.victim}" if self.way == "one rank" else ""
        return f"{self.way}{which} of {self.ranks}, {self.share:.2f} of {'the start' if self.early else 'the work'}"

    def happen(self, job, working, reference):
        """\\return whether the job still ran"""
        # Without its handler, a process that is asked to stop just ends.
        if self.way.startswith("SIG"):
            job.wait_until_it_can_be_asked()
        if not self.early:
            job.wait_until_it_writes(working)
        wait_s = self.share * (reference.start_s if self.early else reference.work_s)
        killable.wait_until(job.ended, wait_s)
        if job.ended():
            return False
        self.strike(job)
        return True

    def strike(self, job):
        ranks = sorted(job.processes())
        if self.way == "one rank":
            for rank in ranks[self.victim : self.victim + 1]:
                killable.send(rank, signal.SIGKILL)
        elif self.way == "all":
            for process in [*ranks, job.mpirun.pid]:
                killable.send(process, signal.SIGKILL)
        else:
            killable.send(job.mpirun.pid, getattr(signal, self.way))


class Reference:
    """A run without a break: its result, and how long starting and working take, without the ending of processes."""

    def __init__(self, kind, folder):
        folder.mkdir()
        self.task = kind(folder)
        job = killable.Job(self.task.command(), ranks=1, log=folder.parent / "reference.log")
        assert job.wait_until_it_writes(self.task.working), job.said()
        self.start_s, begin_ns = job.elapsed_s(), time.time_ns()
        self.task.watch(folder.parent / "reference_tiles.h5")
        code = job.end(harness.TIMEOUT_S)
        assert code == 0, job.said()
        self.work_s = max(1e-9 * (max(map(killable.written_at_ns, folder.rglob("*"))) - begin_ns), 0.0)
        self.content = self.task.content()


class RandomKills(harness.TestCase):
    def task(self, folder):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        task = self.kind(folder)
        if hasattr(self.reference.task, "reference_tiles"):
            task.reference_tiles = self.reference.task.reference_tiles
        return task

    def killed(self, kind, count):
        """`count` kills, spread over as many jobs as that takes; each job goes on until it is done."""
        chance = random.Random(f"{SEED} {kind.__name__}")
        self.kind, self.reference = kind, Reference(kind, self.folder / "reference")
        print(f"\nseed {SEED}: {kind.__name__.lower()}, start {self.reference.start_s:.1f} s, "
              f"work {self.reference.work_s:.1f} s", flush=True)  # fmt: skip
        self.kills, self.on_the_way = 0, 0
        # Some may all come before or after the work: then there are more.
        while self.kills < count or (self.on_the_way <= count // 4 and self.kills < MOST_KILLS * count):
            self.one_job(chance, max(count, self.kills + 1))
        self.assertGreater(self.on_the_way, count // 4, "too few kills fell on unfinished work: this tests nothing")

    def one_job(self, chance, count):
        """Kills it until there were `count` kills in all, and lets it go on to its end."""
        task = self.task(self.folder / "job")
        progress, done, options = None, False, []
        while not done:
            kill = Kill(chance) if self.kills < count else None
            done = self.one_run(task, kill, chance, options)
            before, progress = progress, task.progress()
            self.assertTrue(before is None or done or task.kept(before, progress),
                            f"seed {SEED}: after {kill}: {task.shows(before)} became {task.shows(progress)}")  # fmt: skip
            print(f"  {self.kills:2} {kill or 'left alone'}: {'done' if done else task.shows(progress)}", flush=True)
            self.on_the_way += not done and bool(progress)
            options = ["--resume"]
        self.assertEqual(task.content(), self.reference.content, f"seed {SEED}: not the result of a run without a break")

    def one_run(self, task, kill, chance, options):
        """\\return whether it got to its end"""
        ranks = kill.ranks if kill else chance.randint(1, MOST_RANKS)
        job = killable.Job([*task.command(), *options], ranks, self.folder / "run.log")
        struck = kill is not None and kill.happen(job, task.working, self.reference)
        code = job.end(killable.END_S + 5 * self.reference.work_s)
        self.assertIsNotNone(code, f"seed {SEED}: hangs after {kill}\n{job.said()}")
        if not struck or (kill.way == "SIGUSR1" and code != INTERRUPTED):
            self.assertEqual(code, 0, f"seed {SEED}: {kill}\n{job.said()}")
        self.kills += struck and code != 0
        return code == 0

    def test_probe(self):
        self.killed(Probe, 9)

    def test_infer(self):
        self.killed(Infer, 9)

    def test_pretrain(self):
        self.killed(Pretrain, 6)

    def test_train(self):
        self.killed(Train, 6)


if __name__ == "__main__":
    harness.main()
