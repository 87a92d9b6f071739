"""The job that the scaling study makes for itself, in its sizes."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """Simulated data, a backbone of (nearly) random weights and the sweep's number of sources."""

    genes: int
    tfs: int
    simulated_cells: int
    width: int
    heads: int
    layers: int
    panel: int
    cells: int  # of osg
    sources: int  # of the strong sweep
    sources_per_rank: int  # of the weak sweep


FULL = Size(2000, 400, 200, width=64, heads=4, layers=3, panel=600, cells=8, sources=192, sources_per_rank=48)
QUICK = Size(2000, 400, 200, width=64, heads=4, layers=3, panel=600, cells=8, sources=32, sources_per_rank=16)
SMOKE = Size(80, 24, 40, width=8, heads=2, layers=1, panel=48, cells=2, sources=16, sources_per_rank=8)
