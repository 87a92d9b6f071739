"""Runs the engine's benchmark on tiny models: every key is there, the work is counted right, and peers, engine and
float64 agree. Looks at no times. Arguments: the program engine_benchmark, a folder of its own."""

import json
import subprocess
import sys
from pathlib import Path

CASE_KEYS = {"name", "width", "heads", "layers", "length", "precision", "probe", "gflops", "share", "error", "correlation"}
PEER_KEYS = {"name", "width", "length", "seconds_per_column", "ratio", "probe", "difference"}
PEERS = {"reverse mode", "reverse mode, every gene a source", "vmap(jvp)", "central differences"}


def layer_flops(case: dict, linear: int, attention: int, shared: bool) -> int:
    """One layer whose feed-forward block is as wide as the model."""
    width, length = case["width"], case["length"]
    after = linear * 3 * 2 * length * width**2
    if shared:
        return after
    return after + linear * 3 * 2 * length * width**2 + attention * 2 * 2 * length**2 * width


def expected_flops(case: dict) -> int:
    linear, attention = {"vvp+gdt": (2, 3), "osg": (1, 2)}[case["probe"]]
    decoder = linear * 2 * case["length"] * (2 * case["width"] ** 2 + case["width"])
    layers = [layer_flops(case, linear, attention, shared=k == 0) for k in range(case["layers"])]
    return sum(layers) + decoder


def check_cases(report: dict):
    assert {(case["precision"], case["probe"]) for case in report["cases"]} >= {("float32", "vvp+gdt"), ("float32", "osg")}
    for case in report["cases"]:
        assert CASE_KEYS <= case.keys(), CASE_KEYS - case.keys()
        assert case["flops_per_state"] == expected_flops(case), case
        rate = 1e-9 * case["flops_per_state"] * case["states"] / case["best_s"]
        assert abs(case["gflops"] / rate - 1) < 1e-9, case
        assert abs(case["share"] * report["gemm_gflops"] / rate - 1) < 1e-9, case
        if case["precision"] == "float32":
            assert case["error"] < 1e-3 and case["correlation"] > 0.99999, case


def check_peers(report: dict):
    assert {peer["name"] for peer in report["peers"]} == PEERS
    for peer in report["peers"]:
        assert PEER_KEYS <= peer.keys(), PEER_KEYS - peer.keys()
        assert abs(peer["ratio"] * peer["our_seconds"] / peer["seconds_per_column"] - 1) < 1e-9, peer
        exact = peer["name"] != "central differences"
        assert peer["difference"] < (1e-3 if exact else 0.1), peer


def main(program: str, folder: Path):
    driver = Path(__file__).with_name("engine.py")
    subprocess.run([sys.executable, str(driver), "--program", program, "--out", str(folder), "--smoke"], check=True)
    report = json.loads((folder / "engine.json").read_text())
    check_cases(report)
    check_peers(report)
    assert [point["sources"] for point in report["growth"]["sources"]] == [2, 4]
    assert len({point["length"] for point in report["growth"]["length"]}) == 2
    assert {way["what"] for way in report["scaling"]} <= {"threads", "ranks"}


main(sys.argv[1], Path(sys.argv[2]))
