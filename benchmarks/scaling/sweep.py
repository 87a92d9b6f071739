"""Which runs a study has, and its memory of them between submitting and gathering: DIR/sweep.json."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from job import Job, JobError


@dataclass(frozen=True)
class Run:
    """One start of regulus. `sources`: how many from the head of the job's list; None: the job as it is."""

    ranks: int
    sources: int | None
    repeat: int

    def name(self) -> str:
        amount = "all" if self.sources is None else f"{self.sources}_sources"
        return f"{self.ranks}_ranks_{amount}_{self.repeat}"


@dataclass
class Sweep:
    """`strong`: sources of the same job on every number of ranks; `per_rank`: those that each rank brings to the weak
    sweep, 0: there is none."""

    command: str
    ranks: list
    strong: int | None
    per_rank: int
    repeats: int
    machine: dict = field(default_factory=dict)

    def sources(self, kind: str, ranks: int) -> int | None:
        return self.strong if kind == "strong" else self.per_rank * ranks

    def kinds(self) -> list:
        return ["strong", "weak"] if self.per_rank else ["strong"]

    def runs(self) -> list:
        """In turns over all of them, since the machine's speed drifts. Where the two sweeps meet, a run serves both."""
        amounts = dict.fromkeys((ranks, self.sources(kind, ranks)) for kind in self.kinds() for ranks in self.ranks)
        return [Run(*amount, repeat) for repeat in range(1, self.repeats + 1) for amount in amounts]

    def save(self, folder: Path):
        (folder / "sweep.json").write_text(json.dumps(asdict(self), indent=2) + "\n")


def load(folder: Path) -> Sweep:
    try:
        return Sweep(**json.loads((folder / "sweep.json").read_text()))
    except FileNotFoundError:
        raise JobError(f"{folder}: holds no scaling study to gather") from None


def plan(job: Job, ranks: list, strong: int | None, per_rank: int | None, repeats: int) -> Sweep:
    """\\param strong, per_rank  None: all sources; as many as the largest number of ranks leaves for each, in whole tiles"""
    if job.sources is None:
        if strong or per_rank:
            raise JobError("--sources FILE is missing in the job: it is what the number of sources is chosen from")
        return Sweep(job.arguments[0], ranks, None, 0, repeats)
    have, most = len(job.sources), max(ranks)
    tile = job.sources_per_tile()
    if per_rank is None:
        per_rank = have // most
        per_rank = per_rank // tile * tile or per_rank
    wanted = max(strong or 0, per_rank * most)
    if wanted > have:
        raise JobError(f"{wanted} sources are asked for on {most} ranks, and the job has {have}")
    if per_rank == 0:
        raise JobError(f"the job has {have} sources for {most} ranks: too few for the weak sweep")
    return Sweep(job.arguments[0], ranks, strong or have, per_rank, repeats)
