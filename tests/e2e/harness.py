"""Runs the real binary under mpirun and looks at what a user would see."""

import importlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

PROGRAM = os.environ["REGULUS_PROGRAM"]
MPIRUN = os.environ.get("REGULUS_MPIRUN", "mpirun")
TIMEOUT_S = 300

ERROR_PREFIX = "regulus: error: "
# Traces of a crash, or of a job stopped because its ranks did not agree on an error.
CRASH = re.compile(r"Segmentation|terminate called|MPI_ABORT|Signal:|AddressSanitizer|runtime error:", re.IGNORECASE)


# Wrapper of the program in which no file can grow beyond 4 KiB: what a full disk does to it. Open MPI would want a
# larger file for its shared memory, so it must do without.
FULL_DISK = ("sh", "-c", "ulimit -f 8; trap '' XFSZ; export OMPI_MCA_btl=self,tcp; exec \"$@\"", "sh")


class Outcome:
    """Exit code and output of one run."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err
        self.errors = [line[len(ERROR_PREFIX) :] for line in err.splitlines() if line.startswith(ERROR_PREFIX)]


def regulus(*arguments, ranks=1, cwd=None, timeout_s=TIMEOUT_S, wrapper=(), environment=None):
    """Runs the program, without mpirun on one rank; a job that does not end in time raises TimeoutExpired.
    `environment` are variables on top of the present ones."""
    launcher = [] if ranks == 1 else [MPIRUN, "-n", str(ranks)]
    command = [*launcher, *wrapper, PROGRAM, *map(str, arguments)]
    process = subprocess.Popen(
        command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        env={**os.environ, **(environment or {})}
    )  # fmt: skip
    try:
        out, err = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise
    return Outcome(process.returncode, out, err)


def numbers(path):
    """Data set -> (type, bytes) of every numeric one of an HDF5 file."""
    h5py = require("h5py")
    found = {}

    def visit(name, node):
        if hasattr(node, "dtype") and node.dtype.kind in "iuf":
            found[name] = (str(node.dtype), node[()].tobytes())

    with h5py.File(path) as file:
        file.visititems(visit)
    assert found, path
    return found


def require(module):
    """Imports a Python module, or skips the test case."""
    try:
        return importlib.import_module(module)
    except ImportError:
        raise unittest.SkipTest(f"the Python module {module} is not installed (package python3-{module})") from None


class TestCase(unittest.TestCase):
    """A fresh folder for each test, and the two things that every run must show: success, or one clear error."""

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="regulus_e2e_"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def write(self, name, content):
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            file.write_bytes(content)
        else:
            file.write_text(content)
        return file

    def succeeds(self, *arguments, ranks=1, cwd=None):
        outcome = regulus(*arguments, ranks=ranks, cwd=cwd)
        self.assertEqual(outcome.code, 0, outcome.err)
        self.assertEqual(outcome.errors, [])
        return outcome

    def fails(self, code, mentions, *arguments, ranks=2, **how):
        """Exactly one error line on the whole job, with this exit code; the line holds every text of `mentions`."""
        outcome = regulus(*arguments, ranks=ranks, **how)
        self.assertEqual(outcome.code, code, outcome.err)
        self.assertEqual(len(outcome.errors), 1, outcome.err)
        self.assertIsNone(CRASH.search(outcome.err), outcome.err)
        for text in mentions:
            self.assertIn(str(text), outcome.errors[0])
        return outcome


class _Result(unittest.TextTestResult):
    """Prints a skipped case as GoogleTest does, so that tests/run.sh can count both."""

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        name = test.id().replace("__main__.", "")
        print(f"{reason}\n[  SKIPPED ] {name} (0 ms)", flush=True)


def main(failfast=False):
    """Runs the cases of the calling program; `failfast` where each builds on the one before."""
    runner = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=_Result, failfast=failfast)
    unittest.main(testRunner=runner)
