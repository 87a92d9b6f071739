"""Kills the writer of a feature store (SIGKILL) and looks at what is left: the file opens, every tile that is marked
done holds its exact values, and another run goes on to the same whole file, on another number of ranks.

store_kill_test.py PROGRAM MPIRUN chosen|random: `chosen` kills a single process in place of its n-th file write, for many
n; `random` kills one rank or all of them at random moments, 20 times."""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import h5py
import numpy as np

PROGRAM, MPIRUN, WAY = sys.argv[1:]
PROBES = {"gdt": (3, 0.25), "vvp": (5, 0.5)}
TILES = 12


def expected(probe: str) -> np.ndarray:
    width, shift = PROBES[probe]
    source, target, column = np.ogrid[:14, :30, :width]
    return (1000 * source + 10 * target + column + shift).astype(np.float32)


def check(path: Path, complete: bool) -> int:
    """\\return number of tiles that are marked done"""
    with h5py.File(path) as file:
        done = file["tiles/done"][:]
        assert set(done) <= {0, 1}, done
        assert not (complete or file.attrs["complete"] == 1) or done.all()
        for tile in np.flatnonzero(done):
            source, sources, target, targets = file["tiles/plan"][tile]
            place = np.s_[source : source + sources, target : target + targets]
            for probe in PROBES:
                assert np.array_equal(file["features"][probe][place], expected(probe)[place]), (path, tile, probe)
            assert file["tiles/work"][tile].tolist() == [7 * tile + 1, -tile - 1]
        assert not complete or (file.attrs["complete"] == 1 and file.attrs["provenance"] == '{"finished": true}')
        return int(done.sum())


def command(ranks: int, path: Path, **options) -> list:
    launcher = [MPIRUN, "-n", str(ranks)] if ranks > 1 else []
    return [*launcher, PROGRAM, str(path), *(f"{name.replace('_', '-')}={value}" for name, value in options.items())]


def finish(path: Path, ranks: int):
    run = subprocess.run(command(ranks, path), capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    check(path, complete=True)


def is_complete(path: Path) -> bool:
    with h5py.File(path) as file:
        return file.attrs["complete"] == 1


def check_and_finish(path: Path, ranks: int) -> int:
    """\\return number of tiles that the kill left; 0 if there was no file yet"""
    done = check(path, complete=False) if path.exists() else 0
    if not path.exists() or not is_complete(path):
        finish(path, ranks)
    return done


def writes_of_a_whole_run(path: Path, compression: int) -> int:
    run = subprocess.run(command(1, path, compression=compression), capture_output=True, text=True, check=True)
    check(path, complete=True)
    path.unlink()
    return int(run.stdout.split()[0])


def kill_in_place_of(path: Path, writes: list, compression: int):
    left = []
    for write in writes:
        options = {"kill_write": write, "compression": compression}
        run = subprocess.run(command(1, path, **options), capture_output=True, text=True, timeout=120)
        assert run.returncode == -signal.SIGKILL, (write, run.returncode, run.stderr)
        left.append(check_and_finish(path, ranks=1))
        path.unlink()
    print(f"compression {compression}: killed in place of writes {writes}; tiles left: {left}", flush=True)
    assert left == sorted(left), left
    assert left[-1] == TILES, left


def chosen_writes(folder: Path):
    """Every third of creation and rounds, which are alike, and all from the last tile to the end."""
    path = folder / "store.h5"
    plain, packed = (writes_of_a_whole_run(path, compression) for compression in (0, 4))
    kill_in_place_of(path, [*range(1, plain - 9, 3), *range(plain - 9, plain + 1)], compression=0)
    kill_in_place_of(path, list(range(plain - 6, packed + 1)), compression=4)


def runs_program(pid: str) -> bool:
    try:
        return os.path.samefile(f"/proc/{pid}/exe", PROGRAM)
    except OSError:  # it has ended meanwhile
        return False


def ranks_of(mpirun: int) -> list:
    """The processes of PROGRAM that this mpirun started; none if it has ended."""
    try:
        children = Path(f"/proc/{mpirun}/task/{mpirun}/children").read_text().split()
    except OSError:
        return []
    return [int(pid) for pid in children if runs_program(pid)]


def kill(pids: list):
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def random_kill(folder: Path, number: int, chance: random.Random) -> int:
    path = folder / f"random_{number}.h5"
    ranks = chance.randint(2, 4)
    run = subprocess.Popen(command(ranks, path, delay_us=10000), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    while not path.exists() and run.poll() is None:
        time.sleep(0.002)
    time.sleep(chance.uniform(0.0, 0.5))
    pids = ranks_of(run.pid) if run.poll() is None else []
    kill(pids if number % 2 else pids[-1:])
    run.wait(timeout=120)
    return check_and_finish(path, chance.randint(1, 4))


def random_moments(folder: Path):
    seed = int(time.time())
    print(f"seed {seed}", flush=True)
    chance = random.Random(seed)
    left = [random_kill(folder, number, chance) for number in range(20)]
    print(f"tiles left by 20 kills: {sorted(left)}")
    assert any(0 < tiles < TILES for tiles in left), left


# In memory where that is possible: a process that dies takes nothing with it that it has written to either, and
# forcing files to disk is most of the time on one.
memory = Path("/dev/shm")
with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() and os.access(memory, os.W_OK) else None) as name:
    if WAY == "chosen":
        chosen_writes(Path(name))
    else:
        random_moments(Path(name))
