"""From the files that a run left to what it took: its provenance, as rank-seconds, and a hash of its results."""

import hashlib
import json
from pathlib import Path

from job import JobError
from launch import OUTPUT
from sweep import Run

# Where the time of all ranks can go, in the order of the plots and tables.
COMPUTE, EXCHANGE, OUTPUT_TIME, IDLE, READING, RANKING, OTHER = PARTS = (
    "compute", "exchange", "output", "idle", "reading", "ranking", "other"
)  # fmt: skip
IN_TILES = {COMPUTE: "compute", EXCHANGE: "exchange", OUTPUT_TIME: "write", IDLE: "wait"}  # part -> phases/ranks
TILE_PHASES = ("score", "probe")
ERROR = "regulus: error: "


def rank_seconds(provenance: dict, elapsed_s: float) -> dict:
    """Part -> seconds, added up over the ranks; together ranks x elapsed_s. What a phase before or after the tiles takes
    holds up every rank, whoever works on it."""
    ranks, phases = provenance["ranks"], provenance["phases"]
    if not set(IN_TILES.values()) <= set(phases["ranks"]):
        raise JobError("the program is older than this study: its provenance does not tell exchange from output")
    seconds = {part: sum(phases["ranks"][field]) for part, field in IN_TILES.items()}
    seconds[READING] = ranks * phases["read"]
    seconds[RANKING] = ranks * phases.get("rank", 0.0)
    seconds[OTHER] = ranks * elapsed_s - sum(seconds.values())
    return seconds


def tiles_seconds(provenance: dict) -> float:
    """Wall time of the phase in which ranks share work."""
    return next(provenance["phases"][name] for name in TILE_PHASES if name in provenance["phases"])


def digest(file) -> str:
    """SHA-256 of every data set of an open HDF5 file: names, types, shapes and values, but for the provenance."""
    sha = hashlib.sha256()

    def visit(path, node):
        if not hasattr(node, "dtype") or path.endswith("provenance"):
            return
        sha.update(f"{path} {node.dtype} {node.shape}\n".encode())
        numeric = node.dtype.kind in "iufb"
        for block in _blocks(node):
            sha.update(block.tobytes() if numeric else repr(block.tolist() if node.shape else block).encode())

    file.visititems(visit)
    return sha.hexdigest()


def _blocks(node):
    """Of some 64 MiB: results may be larger than memory."""
    if not node.shape:
        yield node[()]
        return
    row = max(1, node.dtype.itemsize * (node.size // max(1, node.shape[0])))
    step = max(1, 2**26 // row)
    for begin in range(0, node.shape[0], step):
        yield node[begin : begin + step]


def result_of(run: Run, folder: Path, keep_output: bool) -> dict:
    """What the run took, or why there is nothing: `failed` or `unfinished`. Frees the disk of the run's output."""
    known = folder / "result.json"
    if known.exists():
        return json.loads(known.read_text())
    if not (folder / "status").exists():
        return {"unfinished": f"{run.name()}: has not ended{_last_words(folder)}"}
    code, nanoseconds = map(int, (folder / "status").read_text().split())
    if code != 0:
        return {"failed": f"{run.name()}: exit code {code}{_last_words(folder)}"}
    result = read_output(folder / OUTPUT, 1e-9 * nanoseconds)
    if result["ranks"] != run.ranks:
        return {"failed": f"{run.name()}: ran as {result['ranks']} ranks: the launcher does not fit the program's MPI"}
    known.write_text(json.dumps(result) + "\n")
    if not keep_output:
        (folder / OUTPUT).unlink()
    return result


def read_output(path: Path, elapsed_s: float) -> dict:
    import h5py  # what the arithmetic above does without

    with h5py.File(path) as file:
        provenance = json.loads(file.attrs["provenance"])
        result = {field: provenance[field] for field in ("ranks", "threads_per_rank", "hosts", "git_revision")}
        result |= {"sources": len(file["genes/source"]), "digest": digest(file)}
    result |= {"elapsed_s": elapsed_s, "tiles_s": tiles_seconds(provenance)}
    return result | {"rank_s": rank_seconds(provenance, elapsed_s)}


def _last_words(folder: Path) -> str:
    """The error in the log if it has one, otherwise its last lines."""
    log = folder / "log"
    lines = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
    chosen = [line for line in lines if line.startswith(ERROR)] or lines[-5:]
    return "".join(f"\n    {line}" for line in chosen) + (f"\n    (log: {log})" if lines else "")
