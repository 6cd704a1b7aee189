"""The examples of README.md run, and docs/state.md names what is in the file."""
import pathlib
import re
import unittest

from harness import *

ROOT = pathlib.Path(__file__).resolve().parents[2]


def example(language):
    """The block of that language in the README's section on queries."""
    section = (ROOT / "README.md").read_text().split("## Query the state")[1].split("\n## ")[0]
    return re.search(rf"```{language}\n(.*?)```", section, re.S)[1]


class Examples(DaemonCase):
    """Each prints the subscription of customer user-42, as another user's program would: read-only."""

    def setUp(self):
        super().setUp()
        self.daemon.post(subscription(1))
        self.daemon.post(subscription(2, id=101, customer__id=8, customer__reference="user-43"))
        self.daemon.settle()

    def run_example(self, language, command, suffix, probe):
        if not shutil.which(command[0]) or subprocess.run(probe, capture_output=True).returncode != 0:
            self.skipTest(f"{command[0]} with SQLite is not installed")
        file = self.folder / f"example{suffix}"
        file.write_text(example(language).replace("/var/lib/chargifyd", str(self.daemon.state_directory)))
        for happens in (lambda: None, self.daemon.kill, self.daemon.start, self.daemon.stop, self.daemon.start):
            happens()
            done = subprocess.run([*self.as_member(), *command, str(file)], capture_output=True, text=True, timeout=PATIENCE)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("100", done.stdout)
            self.assertIn("2026-02-01T15:00:00Z", done.stdout)
            self.assertNotIn("101", done.stdout)

    GROUP = 54321  # of nobody else

    def as_member(self):
        """As another user of the group, who may read the state and nothing else."""
        if os.geteuid() != 0 or not shutil.which("setpriv"):
            return []
        self.folder.chmod(0o711)
        for path in [self.daemon.folder, *self.folder.glob("example*")]:
            path.chmod(0o755)
        os.chown(self.daemon.state_directory, -1, self.GROUP)
        for path in self.daemon.state_directory.glob("state.db*"):
            os.chown(path, -1, self.GROUP)
        return ["setpriv", f"--reuid={self.GROUP}", f"--regid={self.GROUP}", "--clear-groups"]

    def test_sqlite3(self):
        self.run_example("sh", ["sh"], ".sh", ["sqlite3", "--version"])

    def test_python(self):
        self.run_example("python", ["python3"], ".py", ["python3", "-c", "import sqlite3"])

    def test_ruby(self):
        self.run_example("ruby", ["ruby"], ".rb", ["ruby", "-e", "require 'sqlite3'"])

    def test_php(self):
        self.run_example("php", ["php"], ".php", ["php", "-r", "new SQLite3(':memory:');"])

    def test_node(self):
        self.run_example("js", ["node"], ".js", ["node", "-e", "require('sqlite3')"])


class Reference(DaemonCase):
    def test_every_table_and_column_is_documented(self):
        text = (ROOT / "docs" / "state.md").read_text()
        sections = {m[1]: m[2] for m in re.finditer(r"^### (\w+)\n(.*?)(?=^### |^## |\Z)", text, re.M | re.S)}
        others = sections["Others"]
        found = self.daemon.sql("SELECT m.name, c.name FROM sqlite_schema AS m, pragma_table_info(m.name) AS c "
                                "WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite_%'")
        self.assertGreater(len(found), 80)
        for table, column in found:
            section = sections.get(table) or next(l for l in others.splitlines() if l.startswith(f"| `{table}`"))
            self.assertIn(f"`{column}`", section, table)

    def test_every_status_of_the_readme_is_answered_somewhere(self):
        table = (ROOT / "README.md").read_text().split("What a request is answered:")[1]
        for status in ("200", "400", "401", "404", "405", "408", "411", "413", "415", "417", "431", "503"):
            self.assertIn(status, table)

    def test_every_command_is_documented(self):
        text = (ROOT / "docs" / "chargifyctl.md").read_text()
        help_text = self.daemon.ctl("--help").stdout
        commands = re.findall(r"^  ([a-z]+) {2,}", help_text.split("Commands:")[1], re.M)
        self.assertGreater(len(commands), 10)
        for command in commands:
            self.assertRegex(text, rf"(?m)^#+ .*\b{command}\b", command)


if __name__ == "__main__":
    unittest.main()
