"""An interrupted pretraining ends with code 75, says that it is unfinished, and goes on to the same bytes."""

import fixture
import harness

INPUT, OPTIONS, INTERRUPTED = 3, 2, 75


def pretrain(out, *options):
    return ["pretrain", "--expression", fixture.Run().expression(1), "--out", out, "--layers", 1, "--heads", 2,
            "--width", 8, "--hidden", 8, "--panel", 10, "--steps", 6, "--batch", 4, "--leaf", 2, *options]  # fmt: skip


class Resume(harness.TestCase):
    def interrupted(self):
        """A run that stops at the first opportunity: its time limit is already over."""
        out = self.folder / "interrupted"
        self.fails(INTERRUPTED, ["--resume"], *pretrain(out, "--max-hours", 0))
        return out

    def test_same_bytes_as_without_a_break(self):
        whole = self.folder / "whole"
        self.succeeds(*pretrain(whole))
        out = self.interrupted()
        self.succeeds(*pretrain(out, "--resume"), ranks=2)
        for name in ("model.safetensors", "vocab.json", "loss.csv"):
            self.assertEqual((out / name).read_bytes(), (whole / name).read_bytes(), name)

    def test_inspect_says_that_it_is_unfinished(self):
        out = self.interrupted()
        self.fails(INPUT, [out, "not whole", "--resume"], "inspect", out)

    def test_another_job_is_refused(self):
        out = self.interrupted()
        self.fails(OPTIONS, ["lr"], *pretrain(out, "--resume", "--lr", 0.5))

    def test_a_new_run_does_not_overwrite_it(self):
        out = self.interrupted()
        self.fails(OPTIONS, [out, "--resume", "--overwrite"], *pretrain(out))


if __name__ == "__main__":
    harness.main()
