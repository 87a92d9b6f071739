"""engine.json for people: the table on the terminal, and the data of the plots."""

from pathlib import Path


def print_rows(head: list, rows: list):
    rows = [head, *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    for row in rows:
        cells = [cell.ljust(n) if i == 0 else cell.rjust(n) for i, (cell, n) in enumerate(zip(row, widths))]
        print("  " + "  ".join(cells))


def print_report(report: dict):
    machine = report["machine"]
    print(f"\n{machine['cpu']}, {machine['cores']} cores, load {machine['load_before']:.1f} before and ", end="")
    print(f"{machine['load_after']:.1f} after; {report['threads']} thread(s), {report['clock']} time, {report['plan']}")
    print(f"matrix products, float32: {report['gemm_gflops']:.1f} GFLOP/s\n")
    print_rows(["necessary work", "L", "precision", "probe", "GFLOP/s", "share", "error", "peak MiB"], case_rows(report))
    for refused in report["refused"]:
        print(f"  {refused['precision']}: not available ({refused['reason']})")
    print()
    growth = report["growth"]["length"] + report["growth"]["sources"]
    print_rows(["growth", "L", "sources", "ms/source", "peak MiB"], [growth_row(point) for point in growth])
    print()
    print_rows(
        ["scaling, 1 to 2", "L", "of", "times as fast"],
        [[s["name"], s["length"], s["what"], f"{s['speedup']:.2f}"] for s in report["scaling"]],
    )
    if report["peers"]:
        print()
        head = ["peers", "model", "L", "probe", "s/column", "ours", "ratio", "difference", "how"]
        print_rows(head, [peer_row(peer) for peer in report["peers"]])


def case_rows(report: dict) -> list:
    return [
        [c["name"], c["length"], c["precision"], c["probe"], f"{c['gflops']:.1f}", f"{c['share']:.2f}"]
        + [f"{c['error']:.1e}", mebibytes(c)]
        for c in report["cases"]
    ]


def growth_row(point: dict) -> list:
    return [point["name"], point["length"], point["sources"], f"{1e3 * point['seconds_per_source']:.3g}", mebibytes(point)]


def peer_row(peer: dict) -> list:
    times = [f"{peer[field]:.3g}" for field in ("seconds_per_column", "our_seconds", "ratio")]
    row = [peer["name"], peer["model"], peer["length"], peer["probe"], *times]
    return [*row, f"{peer['difference']:.1e}", peer["how"]]


def mebibytes(measured: dict) -> int:
    return round(measured["peak_bytes"] / 2**20)


def write_plot_data(report: dict, folder: Path):
    """Blocks of the same model, two empty lines apart: gnuplot's index."""
    for axis, points in report["growth"].items():
        models = list(dict.fromkeys(point["name"] for point in points))
        blocks = [
            "\n".join([f'"{name}"', *(growth_line(point, axis) for point in points if point["name"] == name)])
            for name in models
        ]
        (folder / f"growth_{axis}.tsv").write_text("\n\n\n".join(blocks) + "\n")
    lines = [f'"{c["name"]}, L = {c["length"]}\\n{c["probe"]}\\n{c["precision"]}"\t{c["share"]}' for c in report["cases"]]
    (folder / "shares.tsv").write_text("\n".join(lines) + "\n")


def growth_line(point: dict, axis: str) -> str:
    return f"{point[axis]}\t{point['seconds_per_source']}\t{point['peak_bytes'] / 2**20}"
