"""The points for people and programs: tables on the terminal, scaling.csv, and the data of the plots."""

import csv
from pathlib import Path

from gather import COMPUTE, IN_TILES, PARTS

HEAD = ["sweep", "ranks", "sources", "wall, s", "least-most", "speed-up", "efficiency", "tiles, s", "speed-up",
        "efficiency", "busy", "inflation", "results"]  # fmt: skip
FIELDS = ["kind", "ranks", "threads", "hosts", "sources", "runs", "oversubscribed", "wall_s", "least_s", "most_s",
          "speedup", "efficiency", "tiles_s", "tiles_speedup", "tiles_efficiency", "inflation", "same_results"]  # fmt: skip


def print_report(report: dict):
    machine = report["machine"]
    print()
    if machine["cores"]:
        print(f"{machine['cpu']}, {machine['cores']} cores, ", end="")
        print(f"load {machine['load_before']:.1f} before and {machine['load_after']:.1f} after; ", end="")
    print(f"regulus {report['command']}, {report['threads']} thread(s) a rank, median of {report['repeats']}\n")
    print_rows(HEAD, [row_of(point) for point in report["points"]])
    if any(point["oversubscribed"] for point in report["points"]):
        print("\n  * oversubscribed: more ranks than cores, so no speed-up is possible beyond that of the cores")
    print("\n  shares of ranks x wall time, %")
    print_rows(["sweep", "ranks", *PARTS], [share_row(point, "shares", PARTS) for point in report["points"]])
    print("\n  shares of ranks x time of the tiles, %")
    parts = [*IN_TILES, "other"]
    print_rows(["sweep", "ranks", *parts], [share_row(point, "tiles_shares", parts) for point in report["points"]])


def print_rows(head: list, rows: list):
    rows = [head, *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    for row in rows:
        cells = [cell.ljust(n) if i == 0 else cell.rjust(n) for i, (cell, n) in enumerate(zip(row, widths))]
        print("  " + "  ".join(cells).rstrip())


def ranks_of(point: dict) -> str:
    return f"{point['ranks']}{'*' if point['oversubscribed'] else ''}"


def ideal(point: dict, cores: int | None) -> int:
    """Speed-up that the machine has room for."""
    return min(point["ranks"], max(1, cores * point["hosts"] // point["threads"])) if cores else point["ranks"]


def row_of(point: dict) -> list:
    compared = ["speedup", "efficiency", "tiles_s", "tiles_speedup", "tiles_efficiency"]
    row = [point["kind"], ranks_of(point), point["sources"], f"{point['wall_s']:.2f}"]
    row += [f"{point['least_s']:.2f}-{point['most_s']:.2f}", *(f"{point[field]:.2f}" for field in compared)]
    row += [f"{point['tiles_shares'][COMPUTE]:.3f}", f"{point['inflation']:.3f}"]
    return [*row, {True: "same bytes", False: "DIFFER", None: "-"}[point["same_results"]]]


def share_row(point: dict, field: str, parts: list) -> list:
    return [point["kind"], ranks_of(point), *(f"{100 * point[field][part]:.1f}" for part in parts)]


def write_csv(points: list, file: Path):
    parts = [f"{part}_share" for part in PARTS] + [f"tiles_{part}_share" for part in [*IN_TILES, "other"]]
    with file.open("w", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(FIELDS + parts)
        for point in points:
            shares = [*point["shares"].values(), *point["tiles_shares"].values()]
            writer.writerow([_cell(point[field]) for field in FIELDS] + [f"{share:.6f}" for share in shares])


def _cell(value) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    return f"{value:.6f}" if isinstance(value, float) else str(value)


def write_plot_data(report: dict, folder: Path):
    """A file for each sweep, and one of shares; the ideal ends at the cores of the machine."""
    shares = ["\t".join(["point", *PARTS])]
    for kind in dict.fromkeys(point["kind"] for point in report["points"]):
        lines = ["\t".join(["ranks", "whole run", "tiles", "efficiency", "efficiency of tiles", "ideal", "wall", "wall of tiles"])]
        for point in (point for point in report["points"] if point["kind"] == kind):
            values = [point["ranks"], point["speedup"], point["tiles_speedup"], point["efficiency"], point["tiles_efficiency"]]
            lines.append("\t".join(map(str, [*values, ideal(point, report["machine"]["cores"]), point["wall_s"], point["tiles_s"]])))
            label = f'"{kind}, {ranks_of(point)}"'
            shares.append("\t".join([label, *(str(100 * point["shares"][part]) for part in PARTS)]))
        (folder / f"scaling_{kind}.tsv").write_text("\n".join(lines) + "\n")
    (folder / "scaling_shares.tsv").write_text("\n".join(shares) + "\n")
