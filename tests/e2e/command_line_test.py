"""Help, options and job files of every command."""

import harness
from harness import regulus


def command_names():
    lines = regulus("--help").out.split("Commands:")[1].splitlines()
    return [line.split()[0] for line in lines if line.startswith("  ")]


class Help(harness.TestCase):
    def test_program(self):
        outcome = self.succeeds("--help", ranks=2)
        self.assertEqual(outcome.out.count("Usage:"), 1, "printed by one rank only")
        for command in ("simulate", "prepare", "pretrain", "plan", "probe", "train", "evaluate", "infer", "export", "inspect"):
            self.assertIn(f"\n  {command} ", outcome.out)

    def test_version(self):
        self.assertRegex(self.succeeds("--version").out, r"^regulus \d+\.\d+\.\d+ \(\w+\)\n$")

    def test_every_command(self):
        for command in command_names():
            with self.subTest(command=command):
                text = self.succeeds(command, "--help").out
                self.assertTrue(text.startswith(f"regulus {command}: "))
                for option in ("--job", "--seed", "--threads", "--help"):
                    self.assertIn(f"  {option} ", text)


class WrongOptions(harness.TestCase):
    def test_no_command(self):
        self.fails(2, ["no command", "--help"])

    def test_unknown_command_suggests_the_nearest(self):
        self.fails(2, ["'evalute'", "evaluate"], "evalute")

    def test_unknown_option_of_every_command(self):
        for command in command_names():
            with self.subTest(command=command):
                self.fails(2, [command, "'--sede'", "--seed"], command, "--sede", 3)

    def test_unusable_values(self):
        cases = {
            "text for a number": ["--seed", "x"],
            "negative seed": ["--seed", "-1"],
            "negative threads": ["--threads", "-2"],
            "twice": ["--seed", "1", "--seed", "2"],
            "no value": ["--log-level"],
            "unknown level": ["--log-level", "loud"],
            "unknown device": ["--device", "tpu"],
            "device of probe alone": ["--device", "cuda"],
            "precision of probe alone": ["--precision", "bfloat16"],
            "unknown precision": ["--precision", "float16"],
            "when": ["--progress", "sometimes"],
        }
        for name, arguments in cases.items():
            with self.subTest(name):
                self.fails(2, [arguments[0].lstrip("-")], "inspect", "file", *arguments)

    def test_resume_where_it_means_nothing(self):
        self.fails(2, ["--resume"], "inspect", "file", "--resume")
        self.fails(2, ["--max-hours"], "inspect", "file", "--max-hours", 1)

    def test_stray_argument(self):
        self.fails(2, ["unexpected argument 'stray'"], "probe", "stray")

    def test_required_option(self):
        self.fails(2, ["--file", "required"], "inspect")

    def test_unwritable_log_file(self):
        blocker = self.write("blocker", "a file, not a folder")
        self.fails(5, [blocker], "inspect", "file", "--log-file", blocker / "log")


class JobFile(harness.TestCase):
    def test_command_line_wins(self):
        job = self.write("job.ini", "file = from_job\n")
        self.fails(3, ["from_line"], "inspect", "--job", job, "--file", "from_line")
        self.fails(3, ["from_job"], "inspect", "--job", job)

    def test_lists(self):
        for text in ('file = "with space" second', "file = with\\ space, second", "file = 'with space'\nfile = second"):
            with self.subTest(text):
                job = self.write("job.ini", text + "\n")
                self.fails(3, ["with space: no such file"], "inspect", "--job", job)

    def test_unknown_key_names_the_file(self):
        job = self.write("job.ini", "# comment\nthread = 3\n")
        self.fails(2, [job, "'thread'", "threads"], "inspect", "file", "--job", job)

    def test_line_without_a_value(self):
        job = self.write("job.ini", "threads\n")
        self.fails(2, [job], "inspect", "file", "--job", job)

    def test_unusable_value_names_the_file(self):
        job = self.write("job.ini", "threads = many\n")
        self.fails(2, [job, "many"], "inspect", "file", "--job", job)

    def test_absent(self):
        self.fails(2, ["nowhere.ini"], "inspect", "file", "--job", self.folder / "nowhere.ini")

    def test_cannot_name_another(self):
        job = self.write("job.ini", "job = other.ini\n")
        self.fails(2, [job, "another job file"], "inspect", "file", "--job", job)


if __name__ == "__main__":
    harness.main()
