"""An interrupted training ends with code 75 and goes on to the same numbers; a finished one is left alone."""

import fixture
import harness

OPTIONS, INTERRUPTED = 2, 75


def train(out, *options, network=1):
    run = fixture.Run()
    return ["train", "--features", run.features(1, "cells"), "--network", run.network(network), "--out", out, "--epochs", 3,
            "--hidden", 4, "--members", 2, "--null", 1, *options]  # fmt: skip


class TrainResume(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.out = self.folder / "translator.h5"
        self.checkpoint = self.folder / "translator.h5.checkpoint"

    def interrupt(self, *options):
        """Stops at the first opportunity: the time limit is already over."""
        self.fails(INTERRUPTED, ["--resume"], *train(self.out, "--max-hours", 0, *options))
        self.assertTrue(self.checkpoint.exists())

    def test_same_numbers_as_without_a_break(self):
        whole = self.folder / "whole.h5"
        self.succeeds(*train(whole))
        self.interrupt()
        self.assertFalse(self.out.exists())
        self.interrupt("--resume")
        self.succeeds(*train(self.out, "--resume"), ranks=3)
        self.assertFalse(self.checkpoint.exists())
        self.assertEqual(harness.numbers(self.out), harness.numbers(whole))
        self.assertIn("probe/osg/null/0/weight_1", harness.numbers(whole))

    def test_a_finished_translator_is_left_alone(self):
        self.succeeds(*train(self.out))
        before = self.out.read_bytes()
        outcome = self.succeeds(*train(self.out, "--resume"), ranks=2)
        self.assertIn("already complete", outcome.err)
        self.assertEqual(self.out.read_bytes(), before)
        self.fails(OPTIONS, ["--batch", self.out], *train(self.out, "--resume", "--batch", 99))
        self.assertEqual(self.out.read_bytes(), before)

    def test_an_interrupted_run_beside_an_older_result_goes_on(self):
        self.succeeds(*train(self.out))
        before = self.out.read_bytes()
        self.interrupt("--seed", 5)
        self.assertEqual(self.out.read_bytes(), before)
        self.succeeds(*train(self.out, "--seed", 5, "--resume"))
        self.assertNotEqual(self.out.read_bytes(), before)
        self.assertFalse(self.checkpoint.exists())

    def test_other_options_or_files_are_refused(self):
        self.interrupt()
        self.fails(OPTIONS, ["--lr"], *train(self.out, "--resume", "--lr", 0.5))
        self.fails(OPTIONS, ["--seed"], *train(self.out, "--resume", "--seed", 9))
        self.fails(OPTIONS, ["--network", "files"], *train(self.out, "--resume", network=2))

    def test_a_new_run_does_not_overwrite_it_unasked(self):
        self.interrupt()
        self.fails(OPTIONS, [self.checkpoint, "--resume", "--overwrite"], *train(self.out))
        self.fails(OPTIONS, ["--resume", "--overwrite"], *train(self.out, "--resume", "--overwrite"))
        self.succeeds(*train(self.out, "--overwrite"))
        self.assertFalse(self.checkpoint.exists())


if __name__ == "__main__":
    harness.main()
