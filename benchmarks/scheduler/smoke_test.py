"""Runs the comparison and the predictions of the tile scheduler, short: every number is there, and what must hold
whatever the machine does. Looks at no times. Arguments: regulus, scheduler_simulation, a folder of its own."""

import json
import shutil
import subprocess
import sys
from pathlib import Path


def main(regulus: str, simulation: str, folder: Path):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    driver = Path(__file__).with_name("scheduler.py")
    programs = ["--regulus", regulus, "--simulation", simulation]
    subprocess.run([sys.executable, "-B", str(driver), *programs, "--out", str(folder), "--quick"], check=True)
    report = json.loads((folder / "scheduler.json").read_text())
    compared = report["compared"]
    assert len(compared) == 9 and all(row["real_s"] > 0 and row["predicted_s"] > 0 for row in compared)
    # The simulation divides the work as the runs did.
    assert all(row["units"] == row["predicted_units"] for row in compared), compared
    for row in report["predictions"]:
        assert 0 < row["efficiency"] <= 1.001, row
        assert abs(row["compute"] + sum(row["losses"].values()) - 1) < 1e-6, row
    assert len(report["predictions"]) == 2 * 18 and (folder / "efficiency_weak.tsv").stat().st_size > 0


main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
