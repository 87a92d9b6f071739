"""Runs the benchmark of the feature store on a few MiB: every measurement is there and the ratios are those of the
rates. Looks at no times. Arguments: the program storage_benchmark, a folder of its own."""

import json
import subprocess
import sys
from pathlib import Path


def main(program: str, folder: Path):
    driver = Path(__file__).with_name("storage.py")
    options = ["--program", program, "--out", str(folder), "--gib", "0.01", "--ranks", "2", "--repeats", "2"]
    subprocess.run([sys.executable, str(driver), *options], check=True)
    report = json.loads((folder / "storage.json").read_text())
    rows = report["cases"]
    assert len(rows) == 6 and all(len(row["all_mib_per_s"]) == 2 and row["mib_per_s"] > 0 for row in rows)
    raw = max(row["mib_per_s"] for row in rows[:2])
    assert all(abs(row["ratio"] * raw / row["mib_per_s"] - 1) < 1e-9 for row in rows)
    assert all(("read_mib_per_s" in row) == row["name"].startswith("store") for row in rows)
    assert [path.name for path in folder.iterdir()] == ["storage.json"]


main(sys.argv[1], Path(sys.argv[2]))
