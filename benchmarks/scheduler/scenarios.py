"""The jobs that are predicted for many ranks, and what is assumed of the cluster. Times in seconds, sizes in bytes."""

RANKS = [2**k for k in range(13)]  # 1 … 4,096
CONTEXT = 1200
GRID = 8

MODELS = {
    "d = 64, 4 layers": {"width": 64, "hidden": 64, "heads": 4, "layers": 4},
    "d = 256, 6 layers": {"width": 256, "hidden": 256, "heads": 8, "layers": 6},
    "d = 512, 12 layers": {"width": 512, "hidden": 512, "heads": 8, "layers": 12},
}
SOURCES = {"TF x genome": 1600, "all x all": 20000}
BACKGROUNDS = {"virtual": {"backgrounds": 1}, "cells": {"backgrounds": 16}}

# A rank is a core; the 128 of a host share a link of 10 GB/s.
CLUSTER = {
    "take_latency_s": 2 * 2.0e-6,  # two remote atomics of 2 us, there and back
    "take_service_s": 2 * 1.0e-6,  # of which the memory of rank 0 serves one at a time
    "message_s": 2.0e-6,
    "byte_s": 128 / 10e9,
    "collective_s": 10e-6,
    "level_s": 10e-6,
    "tile_write_s": 2.0e-3,
    "file_byte_s": 1 / 5e9,
    "rank_spread": 0.02,
    "start_s": 10.0,
    "finish_s": 0.02,
    "end_pair_s": 25e-9,
}


def scenario(model: str, background: str, sources: str, rates: dict, measured: dict) -> dict:
    """vvp and gdt, scored: one number a pair is stored. \"measured\" holds what this machine says of any."""
    return {
        "name": f"{sources}, {model}, {background}",
        "model": MODELS[model],
        "targets": 20000,
        "sources": SOURCES[sources],
        "context": CONTEXT,
        "grid": GRID,
        "gflops_per_s": rates[model],
        "stored_width": 1,
        "ranks": RANKS,
        **BACKGROUNDS[background],
        **CLUSTER,
        **measured,
    }


def all_scenarios(rates: dict, measured: dict, ranks: list) -> list:
    """Strong: the job stays. Weak: the sources grow with the ranks, all of them on the most ranks."""
    strong = [
        scenario(model, background, sources, rates, measured) | {"ranks": ranks}
        for sources in SOURCES
        for background in BACKGROUNDS
        for model in MODELS
    ]
    weak = [one | {"weak_ranks": RANKS[-1]} for one in strong if one["sources"] == SOURCES["all x all"]]
    return strong + weak
