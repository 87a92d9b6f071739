"""Modules include only what the table of docs/architecture.md lets them; the heavy headers stay where they belong."""

import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(r"^\| `(\w+)` \|[^|]*\| ([^|]+) \|$", re.MULTILINE)
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)

# Directory of a library's headers, or one header -> the modules that may include them.
LIBRARIES = {
    "mpi.h": {"comm", "storage"},
    "hdf5.h": {"storage"},
    "zip.h": {"storage"},
    "torch/": {"backbone", "probe", "translator", "pretrain", "app"},
    "ATen/": {"backbone", "probe", "translator", "pretrain", "app"},
    "c10/": {"backbone", "probe", "translator", "pretrain", "app"},
}


def read_table(text):
    """The modules in the order of the table, each with the set of modules that it may include."""
    table = text[text.index("may use |") :].split("\n\n")[0]
    allowed = {}
    for module, uses in ROW.findall(table):
        allowed[module] = set(allowed) if uses in ("all above", "everything") else set(re.findall(r"\w+", uses))
    return allowed


def read_sources():
    """(module, path, included header) of every #include."""
    for path in sorted([*ROOT.glob("include/regulus/*/*.h"), *ROOT.glob("src/*/*.h"), *ROOT.glob("src/*/*.cpp")]):
        for header in INCLUDE.findall(path.read_text(encoding="utf-8")):
            yield path.parent.name, path.relative_to(ROOT), header


def module_of(header):
    match = re.match(r"regulus/(\w+)/", header)
    return match and match[1]


def forbidden_libraries(sources):
    for module, path, header in sources:
        for library, owners in LIBRARIES.items():
            if (header == library or (library.endswith("/") and header.startswith(library))) and module not in owners:
                yield f"{path} includes <{header}>"


def forbidden_modules(sources, allowed):
    for module, path, header in sources:
        used = module_of(header)
        if ".." in header or (used and used != module and used not in allowed[module]):
            yield f"{path} includes {header}"


class ModuleArrows(unittest.TestCase):
    def setUp(self):
        self.allowed = read_table((ROOT / "docs/architecture.md").read_text(encoding="utf-8"))
        self.sources = list(read_sources())

    def test_the_table_names_every_module_and_no_other(self):
        self.assertEqual(set(self.allowed), {path.name for path in (ROOT / "src").iterdir() if path.is_dir()})

    def test_the_table_has_no_cycle_and_nobody_uses_app(self):
        order = list(self.allowed)
        for module, uses in self.allowed.items():
            with self.subTest(module=module):
                self.assertLessEqual(uses, set(order[: order.index(module)]))

    def test_includes_follow_the_table(self):
        self.assertGreater(len(self.sources), 100, "no sources found")
        self.assertEqual(list(forbidden_modules(self.sources, self.allowed)), [])

    def test_heavy_headers_stay_in_their_modules(self):
        self.assertTrue(any(header == "mpi.h" for _, _, header in self.sources))
        self.assertEqual(list(forbidden_libraries(self.sources)), [])


if __name__ == "__main__":
    unittest.main()
