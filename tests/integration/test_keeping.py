"""What an operator keeps: backups that start on another machine, and what looks after a running daemon."""
import hashlib
import json
import pwd
import stat
import subprocess
import threading
import unittest

from harness import *


class Backup(DaemonCase):
    options = {"extra": "[journal]\nsegment_bytes = 65536\n"}

    def post_until(self, stop, acknowledged, first):
        """Posts webhook after webhook; notes each that was acknowledged."""
        connection = self.daemon.connection()
        number = first
        while not stop.is_set():
            if self.daemon.post(subscription(number, id=number % 50 + 1), connection=connection) == 200:
                acknowledged.append(number)
            number += 1
        connection.close()

    def under_load(self, action):
        """Runs the action while webhooks come; returns those acknowledged before it began, and its value."""
        stop = threading.Event()
        acknowledged = [[], []]
        threads = [threading.Thread(target=self.post_until, args=(stop, acknowledged[i], 1 + i * 1000000))
                   for i in range(2)]
        for thread in threads:
            thread.start()
        try:
            wait_for(lambda: all(len(a) > 60 for a in acknowledged), "segments were filled")
            before = [number for a in acknowledged for number in list(a)]
            value = action()
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        return before, value

    def back_up(self, name="backup"):
        target = self.folder / name
        return target, json.loads(self.daemon.ctl("backup", "--all", str(target)).stdout)

    def restore(self, backup, target, check=True, extra=()):
        return self.daemon.ctl("--state-directory", str(target), "restore", *extra, str(backup), check=check)

    def test_starts_elsewhere_with_all_that_was_acknowledged(self):
        for round in range(3):  # each meets other moments of writing, sealing and compressing
            before, (backup, report) = self.under_load(lambda: self.back_up(f"backup{round}"))
            self.assertGreaterEqual(report["last_sequence"], len(before))
            self.assertLessEqual(report["applied_sequence"], report["last_sequence"])
            other = self.make(f"other{round}")
            restored = json.loads(self.restore(backup, other.state_directory).stdout)
            self.assertEqual(restored["last_sequence"], report["last_sequence"])
            self.assertTrue(json.loads(other.ctl("check").stdout)["sound"])
            other.start()
            other.settle()
            self.assertGreaterEqual({row[0] for row in other.sql("SELECT webhook_id FROM events")}, set(before))
            self.assertTrue(json.loads(other.ctl("check").stdout)["sound"])
            self.assertEqual(other.post(subscription(5000000 + round)), 200)
            self.assertEqual(other.journalled(), report["last_sequence"] + 1)
            self.assertEqual(other.stop(), 0)

    def test_is_private_whole_and_readable_with_other_tools(self):
        self.daemon.post(subscription(1))
        self.daemon.settle()
        backup, _ = self.back_up()
        self.assertEqual(stat.S_IMODE(backup.stat().st_mode), 0o700)
        names = set()
        for path in backup.rglob("*"):
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o700 if path.is_dir() else 0o600, path)
            if path.is_file():
                names.add(str(path.relative_to(backup)))
        sums = dict(reversed(line.split("  ")) for line in (backup / "SHA256SUMS").read_text().splitlines())
        self.assertEqual(set(sums), names - {"SHA256SUMS"})
        for name, digest in sums.items():
            self.assertEqual(hashlib.sha256((backup / name).read_bytes()).hexdigest(), digest)
        self.assertEqual((backup / "chargifyd.toml").read_text(), self.daemon.config.read_text())
        for path in backup.rglob("*"):
            if path.is_file():
                self.assertNotIn(KEY.encode(), path.read_bytes(), path)

    def test_keeps_the_quarantine(self):
        self.daemon.stop()
        self.daemon.extra_site = 'on_bad_signature = "quarantine"\n'
        self.daemon.write_config()
        self.daemon.start()
        self.assertEqual(self.daemon.post(subscription(7), key="another key"), 200)
        backup, _ = self.back_up()
        other = self.make("other", extra_site='on_bad_signature = "quarantine"\n')
        self.restore(backup, other.state_directory)
        other.start()
        self.assertEqual(len(other.ctl_json("quarantine")), 1)

    def test_with_what_retention_left(self):
        for number in range(1, 121):
            self.daemon.post(subscription(number, id=number % 7 + 1))
        self.daemon.settle()
        self.daemon.stop()
        self.daemon.ctl("backup", str(self.daemon.state_directory / "snapshot.db"))
        segments = sorted((self.daemon.state_directory / "journal").iterdir())
        self.assertGreater(len(segments), 2)
        segments[0].unlink()
        self.daemon.start()
        self.daemon.post(subscription(121))
        self.daemon.settle()
        backup, report = self.back_up()
        self.assertGreater(report["first_sequence"], 1)
        other = self.make("other")
        self.restore(backup, other.state_directory)
        other.start()
        other.ctl("rebuild")
        self.assertEqual(other.sql("SELECT count(*) FROM events"), [(121,)])
        (self.daemon.state_directory / "snapshot.db").unlink()
        self.back_up("without")
        # A snapshot from before what is missing does not make up for it.
        shutil.copy(backup / "state.db", self.folder / "old.db")
        with sqlite3.connect(self.folder / "old.db") as db:
            db.execute("UPDATE meta SET value = '1' WHERE key = 'cursor'")
        db.close()
        shutil.copy(self.folder / "old.db", self.daemon.state_directory / "snapshot.db")
        refused = self.daemon.ctl("backup", "--all", str(self.folder / "gap"), check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("do not fit together", refused.stderr)

    def test_replaces_nothing(self):
        self.daemon.post(subscription(1))
        target = self.folder / "backup"
        target.mkdir()
        (target / "mine").write_text("mine")
        refused = self.daemon.ctl("backup", "--all", str(target), check=False)
        self.assertEqual(refused.returncode, 2)
        self.assertIn("exists already", refused.stderr)
        self.assertEqual([p.name for p in target.iterdir()], ["mine"])
        self.assertEqual(self.daemon.ctl("backup", check=False).returncode, 2)
        self.assertEqual(self.daemon.ctl("backup", "a", "--all", "b", check=False).returncode, 2)

    def test_takes_over_what_a_killed_backup_left(self):
        self.daemon.post(subscription(1))
        self.daemon.settle()
        left = self.folder / "backup.unfinished"
        left.mkdir()
        (left / "state.db").write_text("half")
        backup, _ = self.back_up()
        self.assertFalse(left.exists())
        self.restore(backup, self.folder / "elsewhere")

    def test_leaves_nothing_when_it_fails(self):
        self.daemon.post(subscription(1))
        self.daemon.settle()
        self.daemon.stop()
        segment = next(self.daemon.state_directory.glob("journal/*.log"))
        with open(segment, "r+b") as file:
            file.seek(200)
            file.write(b"\xff" * 8)
        failed = self.daemon.ctl("backup", "--all", str(self.folder / "backup"), check=False)
        self.assertEqual(failed.returncode, 1)
        self.assertEqual([p.name for p in self.folder.glob("backup*")], [])

    def changed(self, backup, name, change):
        """A copy of the backup in which a file was changed; its list of sums is right or wrong."""
        copy = self.folder / "changed"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(backup, copy)
        file = next(copy.glob(name))
        change(file)
        return copy

    def refuse(self, backup, text):
        target = self.folder / "target"
        refused = self.restore(backup, target, check=False)
        self.assertEqual(refused.returncode, 1, refused.stderr)
        self.assertIn(text, refused.stderr)
        self.assertFalse([p for p in target.glob("*") if p.name != "lock"] if target.exists() else [])

    def test_refuses_what_is_torn_or_changed(self):
        for number in range(1, 20):
            self.daemon.post(subscription(number))
        self.daemon.settle()
        backup, _ = self.back_up()

        def flip(file):
            data = bytearray(file.read_bytes())
            data[min(300, len(data) // 2)] ^= 1
            file.write_bytes(data)

        for name in ("journal/*", "state.db", "backup.json", "chargifyd.toml"):
            self.refuse(self.changed(backup, name, flip), "is not what was backed up")
        self.refuse(self.changed(backup, "journal/*", lambda f: os.truncate(f, 200)), "is not what was backed up")
        self.refuse(self.changed(backup, "state.db", lambda f: f.unlink()), "is missing")
        self.refuse(self.changed(backup, "SHA256SUMS", lambda f: f.write_text(f.read_text()[:-10])), "SHA256SUMS")
        outside = lambda f: f.write_text(f.read_text() + "0" * 64 + "  ../outside\n")
        self.refuse(self.changed(backup, "SHA256SUMS", outside), "SHA256SUMS")

        def with_right_sums(file):
            flip(file)
            sums = file.parents[1] / "SHA256SUMS"
            lines = [line for line in sums.read_text().splitlines() if not line.endswith(file.name)]
            lines.append(hashlib.sha256(file.read_bytes()).hexdigest() + "  journal/" + file.name)
            sums.write_text("\n".join(lines) + "\n")

        self.refuse(self.changed(backup, "journal/*", with_right_sums), "is not sound")
        self.assertEqual(self.restore(self.folder / "nothing", self.folder / "target", check=False).returncode, 3)

    def test_restores_only_where_nothing_can_be_lost(self):
        self.daemon.post(subscription(1))
        self.daemon.settle()
        backup, _ = self.back_up()
        running = self.restore(backup, self.daemon.state_directory, check=False)
        self.assertEqual(running.returncode, 1)
        self.assertIn("stop the daemon", running.stderr)
        self.daemon.stop()
        before = dump(self.daemon.state_file)
        used = self.restore(backup, self.daemon.state_directory, check=False)
        self.assertEqual(used.returncode, 1)
        self.assertIn("not empty", used.stderr)
        self.assertEqual(dump(self.daemon.state_file), before)
        shutil.rmtree(self.daemon.state_directory)
        self.daemon.state_directory.mkdir(mode=0o755)
        (self.daemon.state_directory / "restore.unfinished").mkdir()  # of one that was killed
        (self.daemon.state_directory / "restore.unfinished" / "state.db").write_text("half")
        self.restore(backup, self.daemon.state_directory)
        self.assertEqual(dump(self.daemon.state_file), before)
        self.assertEqual(stat.S_IMODE(self.daemon.state_directory.stat().st_mode), 0o750)
        self.assertEqual(stat.S_IMODE((self.daemon.state_directory / "journal").stat().st_mode), 0o700)
        self.assertEqual(stat.S_IMODE(self.daemon.state_file.stat().st_mode), 0o640)
        self.assertEqual([p.name for p in self.daemon.state_directory.glob("restore*")], [])

    @unittest.skipUnless(os.geteuid() == 0, "only root gives files away")
    def test_root_restores_for_the_owner(self):
        self.daemon.post(subscription(1))
        self.daemon.settle()
        backup, _ = self.back_up()
        self.folder.chmod(0o711)
        target = self.folder / "owned"
        self.restore(backup, target, extra=("--owner", "nobody"))
        uid = pwd.getpwnam("nobody").pw_uid
        for path in [target, *target.rglob("*")]:
            self.assertEqual(path.stat().st_uid, uid, path)
        self.assertEqual(self.restore(backup, self.folder / "x", check=False, extra=("--owner", "no-such")).returncode, 2)


class Doctor(DaemonCase):
    autostart = False

    def free_port(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            return s.getsockname()[1]

    def configure(self, **changes):
        """A daemon whose addresses are known beforehand."""
        daemon = self.make("known", **changes)
        text = daemon.config.read_text()
        self.ports = [self.free_port(), self.free_port()]
        text = text.replace('http = ["127.0.0.1:0"]', f'http = ["127.0.0.1:{self.ports[0]}"]', 1)
        text = text.replace('https = ["127.0.0.1:0"]', f'https = ["127.0.0.1:{self.ports[1]}"]', 1)
        daemon.config.write_text(text)
        return daemon

    def findings(self, daemon, status=None):
        done = daemon.ctl("doctor", "--json", check=False)
        rows = json.loads(done.stdout)
        worst = any(row["result"] == "problem" for row in rows)
        self.assertEqual(done.returncode, 1 if worst else 0, done.stderr)
        if status is not None:
            self.assertEqual(done.returncode, status, [row for row in rows if row["result"] == "problem"])
        for row in rows:
            self.assertEqual(row["advice"] is None, row["result"] == "ok", row)
        return rows

    def of(self, rows, check):
        found = [row for row in rows if row["check"] == check]
        self.assertTrue(found, check)
        return found

    def worst(self, rows, check):
        return max((row["result"] for row in self.of(rows, check)), key=["ok", "warning", "problem"].index)

    def test_a_running_daemon(self):
        daemon = self.configure().start()
        daemon.post(subscription(1))
        daemon.settle()
        rows = self.findings(daemon)
        for check in ("configuration", "daemon", "modes", "content", "listening", "files", "webhooks"):
            self.assertEqual(self.worst(rows, check), "ok", self.of(rows, check))
        for check in ("file-system", "disk", "sync", "clock", "sqlite"):
            self.of(rows, check)
        answers = {row["finding"] for row in self.of(rows, "listening")}
        self.assertEqual(answers, {f"127.0.0.1:{port} answers ok" for port in [*self.ports, daemon.admin]})
        self.assertIn("localhost", str(self.of(rows, "certificate")))
        self.assertEqual([p.name for p in daemon.state_directory.glob("doctor*")], [])

    def test_a_daemon_behind_a_proxy(self):
        daemon = self.configure(extra_ingress='trusted_proxies = ["127.0.0.1"]\nproxy_protocol = true\n').start()
        rows = self.findings(daemon)
        self.assertEqual(self.worst(rows, "listening"), "ok", self.of(rows, "listening"))

    def test_no_daemon(self):
        daemon = self.configure()
        rows = self.findings(daemon)
        self.assertEqual(self.worst(rows, "daemon"), "warning")
        self.assertEqual(self.worst(rows, "directory"), "warning")
        self.assertEqual(self.worst(rows, "listening"), "ok")
        with socket.create_server(("127.0.0.1", self.ports[0])):
            rows = self.findings(daemon, status=1)
            self.assertEqual(self.worst(rows, "listening"), "problem")
            self.assertIn("another program", str(self.of(rows, "listening")))

    def test_a_daemon_that_refuses(self):
        if shutil.disk_usage(self.folder).free >= 1 << 40:
            self.skipTest("the floor cannot be set above what is free")
        daemon = self.configure(extra=f"[journal]\ndisk_floor_bytes = {1 << 40}\n").start()
        rows = self.findings(daemon, status=1)
        self.assertIn("503 disk", str(self.of(rows, "listening")))
        self.assertEqual(self.worst(rows, "disk"), "problem")

    def test_mistakes(self):
        daemon = self.configure()
        text = daemon.config.read_text()
        daemon.config.write_text("colour = 1\n" + text)
        rows = self.findings(daemon, status=1)
        self.assertIn("colour", str(self.of(rows, "configuration")))
        daemon.config.write_text(text)
        (daemon.folder / "other").mkdir()
        Certificate.make(daemon.folder / "other", "other")
        shutil.copy(daemon.folder / "other" / "other.key", daemon.folder / "tls" / "one.key")
        rows = self.findings(daemon, status=1)
        self.assertIn("does not belong", str(self.of(rows, "certificate")))

    def test_what_others_may_read(self):
        daemon = self.configure().start()
        daemon.stop()
        (daemon.state_directory / "journal").chmod(0o755)
        rows = self.findings(daemon, status=1)
        self.assertIn("chmod 0700", str(self.of(rows, "modes")))

    def test_journal_and_state_that_do_not_agree(self):
        daemon = self.configure().start()
        daemon.post(subscription(1))
        daemon.settle()
        daemon.stop()
        shutil.rmtree(daemon.state_directory / "journal")
        other = self.make("other").start()
        other.stop()
        shutil.copytree(other.state_directory / "journal", daemon.state_directory / "journal")
        rows = self.findings(daemon, status=1)
        self.assertIn("another journal", str(self.of(rows, "content")))

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("setpriv"), "needs root, to be somebody else")
    def test_says_what_this_user_may_not_look_at(self):
        daemon = self.configure().start()
        self.folder.chmod(0o755)
        daemon.folder.chmod(0o755)
        daemon.config.chmod(0o644)
        binary = self.folder / "chargifyctl"
        shutil.copy(CHARGIFYCTL, binary)
        done = subprocess.run(["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups", str(binary), "--config",
                               str(daemon.config), "doctor", "--json"], capture_output=True, text=True, timeout=PATIENCE)
        rows = json.loads(done.stdout)
        self.assertEqual(self.worst(rows, "configuration"), "warning", rows)
        self.assertIn("as root", str(self.of(rows, "configuration")))


class Watch(DaemonCase):
    def watch(self, *options, **how):
        process = subprocess.Popen([CHARGIFYCTL, "--config", str(self.daemon.config), *options, "status", "--watch", "0.1"],
                                   **how)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def test_one_object_a_line_with_rates(self):
        process = self.watch(stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        first = json.loads(process.stdout.readline())
        self.assertEqual(first["daemon"], "running")
        self.assertIsNone(first["webhooks_per_second"])
        self.assertEqual(self.daemon.post(subscription(1)), 200)
        grown = wait_for(lambda: (lambda o: o if o["webhooks_per_second"] else None)(json.loads(process.stdout.readline())),
                         "a rate is shown")
        self.assertEqual(grown["journal_sequence"], 1)
        self.assertLess(grown["webhooks_per_second"], 11)

    def test_ends_when_the_reader_goes(self):
        process = self.watch(stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        process.stdout.readline()
        process.stdout.close()
        self.assertEqual(process.wait(PATIENCE), 0)
        self.assertEqual(process.stderr.read(), "")
        process.stderr.close()

    def test_ends_when_the_reader_goes_while_it_waits(self):
        process = subprocess.Popen([CHARGIFYCTL, "--config", str(self.daemon.config), "status", "--watch", "86400"],
                                   stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.kill)
        process.stdout.readline()
        process.stdout.close()
        self.assertEqual(process.wait(PATIENCE), 0)

    def test_redraws_on_a_terminal_until_it_is_interrupted(self):
        ours, theirs = os.openpty()
        process = self.watch(stdout=theirs, env={**os.environ, "TERM": "xterm", "NO_COLOR": "1"})
        os.close(theirs)
        shown = b""
        while shown.count(b"\x1b[H\x1b[J") < 3:
            shown += os.read(ours, 65536)
        self.assertIn(b"journal_sequence", shown)
        self.assertIn(b"webhooks_per_second", shown)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(PATIENCE), -signal.SIGINT)
        os.close(ours)

    def test_wants_a_time(self):
        self.assertEqual(self.daemon.ctl("status", "--watch", "0", check=False).returncode, 2)
        self.assertEqual(self.daemon.ctl("status", "--watch", "soon", check=False).returncode, 2)


if __name__ == "__main__":
    unittest.main()
