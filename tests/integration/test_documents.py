"""The examples of README.md run, and the manual names what is in the state, in the log and in /readyz."""
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

    def test_every_field_of_readyz_is_documented(self):
        text = (ROOT / "docs" / "operations.md").read_text().split("### readyz")[1].split("\n## ")[0]
        documented = set(re.findall(r"`([a-z_.]+)`", re.sub(r"(?m)\|[^|]*\|$", "|", text)))
        ready = self.daemon.admin_json("/readyz")[1]
        fields = {name for name in ready if name != "checks"} | {f"checks.{name}" for name in ready["checks"]}
        self.assertEqual(fields - documented, set())
        self.assertEqual({name for name in documented if name.startswith("checks.")} - fields, set())

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


def log_calls():
    """Level, message and names of the fields of each line that the sources can write."""
    for file in sorted((ROOT / "src").rglob("*.cpp")):
        text = re.sub(r"(?m)^\s*//.*$", "", file.read_text())
        for call in re.finditer(r"\blog::(debug|info|warning|error|write)\s*\(", text):
            depth, end, quoted = 1, call.end(), False
            while depth:
                if quoted and text[end] == "\\":
                    end += 1
                elif text[end] == '"':
                    quoted = not quoted
                elif not quoted:
                    depth += {"(": 1, ")": -1}.get(text[end], 0)
                end += 1
            arguments = text[call.end():end - 1]
            literals = re.match(r'(?:[^"{]*,)?\s*((?:"(?:[^"\\]|\\.)*"\s*)+)', arguments)
            message = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', literals[1])) if literals else arguments
            yield call[1], message, re.findall(r'\{\s*"(\w+)"\s*,', arguments)


class LogLines(unittest.TestCase):
    """docs/logs.md and the sources say the same."""

    def setUp(self):
        text = (ROOT / "docs" / "logs.md").read_text()
        lines, self.meanings = text.split("## Fields")
        self.rows = {m[1].strip("` "): (m[2].split(", "), set(re.findall(r"`(\w+)`", m[3])))
                     for m in re.finditer(r"(?m)^\| (`.*`+) \| ([a-z, ]+) \|(.*)\|$", lines) if m[1] != "`message`"}

    def test_every_line_is_documented(self):
        written = {}
        for level, message, fields in log_calls():
            self.assertIn(message, self.rows)
            levels, documented = self.rows[message]
            self.assertIn(level, levels + ["write"], message)
            written.setdefault(message, set()).update(fields)
        # Written by the log itself.
        written |= {"log lines were lost, for nobody took them": {"lines"}, "a log line was lost": set()}
        self.assertGreater(len(written), 50)
        self.assertEqual({message: fields for message, (_, fields) in self.rows.items()}, written)

    def test_every_field_is_explained_and_none_hides_what_all_lines_have(self):
        used = set().union(*(fields for _, fields in self.rows.values()))
        self.assertEqual(set(re.findall(r"`(\w+)`", "".join(re.findall(r"(?m)^\| ([^|]*) \|", self.meanings)))), used)
        self.assertEqual(used & {"time", "level", "message"}, set())

    def test_what_is_worth_an_alert_is_written(self):
        text = (ROOT / "docs" / "operations.md").read_text().split("## Logs")[1].split("\n## ")[0]
        alerts = re.findall(r"(?m)^\| `(.*?)` \| ([a-z, ]+) \|(.*)\|$", text)
        self.assertGreater(len(alerts), 8)
        for beginning, levels, fields in alerts:
            known = [row for message, row in self.rows.items() if message.startswith(beginning)]
            self.assertTrue(known, beginning)
            self.assertEqual(set(re.findall(r"`(\w+)`", fields)), set().union(*(row[1] for row in known)), beginning)
            self.assertTrue(all(level in levels for row in known for level in row[0]), beginning)


if __name__ == "__main__":
    unittest.main()
