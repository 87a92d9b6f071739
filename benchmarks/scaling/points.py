"""Speed-up, efficiency and shares of every point of the sweeps, from what its runs took."""

from gather import COMPUTE, IN_TILES, PARTS
from sweep import Sweep


def median_run(results: list) -> dict:
    """The run of median wall time (of an even number the faster of the two), so that its parts add up."""
    return sorted(results, key=lambda result: result["elapsed_s"])[(len(results) - 1) // 2]


def points_of(sweep: Sweep, results: dict) -> list:
    """\\param results  (ranks, sources) -> what its finished runs took; a point without one is left out"""
    points = []
    for kind in sweep.kinds():
        chosen = [(ranks, results.get((ranks, sweep.sources(kind, ranks)))) for ranks in sweep.ranks]
        measured = [_measured(kind, ranks, runs, sweep) for ranks, runs in chosen if runs]
        points += [_compared(point, measured[0]) for point in measured]
    return points


def _measured(kind: str, ranks: int, runs: list, sweep: Sweep) -> dict:
    run = median_run(runs)
    walls = [one["elapsed_s"] for one in runs]
    point = {"kind": kind, "ranks": ranks, "threads": run["threads_per_rank"], "hosts": run["hosts"]}
    point |= {"sources": run["sources"], "runs": len(runs), "oversubscribed": oversubscribed(sweep, run)}
    point |= {"wall_s": run["elapsed_s"], "least_s": min(walls), "most_s": max(walls), "tiles_s": run["tiles_s"]}
    point["rank_s"] = run["rank_s"]
    point["shares"] = {part: run["rank_s"][part] / (ranks * run["elapsed_s"]) for part in PARTS}
    in_tiles = {part: run["rank_s"][part] / (ranks * run["tiles_s"]) for part in IN_TILES}
    point["tiles_shares"] = in_tiles | {"other": 1 - sum(in_tiles.values())}
    return point


def _compared(point: dict, base: dict) -> dict:
    """With the smallest number of ranks of its sweep, whose speed-up is defined as its ranks. One formula serves both
    sweeps: the rate at which sources are done."""
    work, ranks = point["sources"] / base["sources"], point["ranks"]
    for name, field in (("", "wall_s"), ("tiles_", "tiles_s")):
        speedup = base["ranks"] * work * base[field] / point[field]
        point |= {f"{name}speedup": speedup, f"{name}efficiency": speedup / ranks}
    return point | {"inflation": point["rank_s"][COMPUTE] / (work * base["rank_s"][COMPUTE])}


def oversubscribed(sweep: Sweep, run: dict) -> bool:
    """Whether ranks had to share cores. Slurm counts them itself: cores is None."""
    cores = sweep.machine["cores"]
    return cores is not None and run["ranks"] * run["threads_per_rank"] > cores * run["hosts"]


def same_results(results: dict) -> dict:
    """Number of sources -> whether all runs on them, on any ranks, left the same data sets."""
    digests = {}
    for (_, sources), runs in results.items():
        digests.setdefault(sources, set()).update(run["digest"] for run in runs)
    return {sources: len(found) == 1 for sources, found in digests.items()}
