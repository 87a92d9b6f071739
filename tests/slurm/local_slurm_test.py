"""The Slurm of the tests itself: it leaves nothing behind, even if the tests are killed."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

import harness  # noqa: E402
import jobs  # noqa: E402


class NothingIsLeft(unittest.TestCase):
    """When the tests are killed, their Slurm and its jobs end as well."""

    PROGRAM = """\
import subprocess, sys, time
import local_slurm
slurm = local_slurm.LocalSlurm(sys.argv[1])
import os
subprocess.run(["sbatch", "--output=/dev/null", "--wrap", f"sleep {sys.argv[2]}"], env={**os.environ, **slurm.environment}, check=True)
time.sleep(600)
"""

    def test_after_a_kill(self):
        folder = Path(tempfile.mkdtemp(prefix="regulus_slurm_"))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        jobs.start(folder / "first").stop()
        duration = str(600 + os.getpid() / 1e7)
        tests = subprocess.Popen([sys.executable, "-B", "-c", self.PROGRAM, folder / "second", duration],
                                 cwd=Path(__file__).parent, stdout=subprocess.DEVNULL)  # fmt: skip
        self.addCleanup(tests.kill)
        self.wait_until(lambda: len(self.processes(folder, duration)) > 4 and self.processes(f"sleep {duration}"))
        tests.send_signal(signal.SIGKILL)
        tests.wait()
        self.wait_until(lambda: not self.processes(folder, duration))

    def processes(self, *words):
        """Command lines with one of the words."""
        found = []
        for entry in Path("/proc").iterdir():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode() if entry.name.isdigit() else ""
            except (FileNotFoundError, ProcessLookupError):
                continue
            found += [line] if any(str(word) in line for word in words) else []
        return found

    def wait_until(self, condition):
        end = time.monotonic() + 60
        while not condition():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.2)


if __name__ == "__main__":
    harness.main()
