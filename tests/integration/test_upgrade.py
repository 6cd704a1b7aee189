"""Upgrades: this version on a state directory that a released version left (tests/data), with nobody's help."""
import datetime
import fcntl
import itertools
import os
import pathlib
import threading
import unittest

from harness import *

DATA = pathlib.Path(__file__).resolve().parents[1] / "data"


def released_schemas():
    """One recorded state directory for each schema before this one."""
    return sorted(DATA.glob("state-v*"))


def columns(db):
    names = [r[0] for r in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")]
    return {t: [r[1] for r in db.execute(f"PRAGMA table_info({t})")] for t in names}


class Application(threading.Thread):
    """What an application written for the old schema does all the while: it reads, each time with a new connection
    and with one that it keeps."""

    QUERIES = ("SELECT site, id, customer_id, state, current_period_ends_at, attributes FROM subscriptions",
               "SELECT site, subscription_id, customer_reference, product_handle, state, has_access, access_until "
               "FROM subscription_access",
               "SELECT id, seq, site, subscription_id, kind, old_value, new_value, occurred_at FROM changes "
               "WHERE subscription_id IS NOT NULL ORDER BY id",
               "SELECT seq, event, outcome, error, deliveries FROM events")

    def __init__(self, file):
        super().__init__()
        self.file = file
        self.failures = []
        self.rounds = 0
        self.cursors = []
        self.ended = threading.Event()
        self.start()

    def connect(self):
        return sqlite3.connect(f"file:{self.file}?mode=ro", uri=True, timeout=PATIENCE)

    def read(self, db):
        self.cursors.append(int(db.execute("SELECT value FROM meta WHERE key = 'cursor'").fetchone()[0]))
        for query in self.QUERIES:
            if not db.execute(query).fetchall():
                self.failures.append(f"no rows: {query}")

    def run(self):
        kept = self.connect()
        try:
            while not self.ended.is_set():
                fresh = self.connect()
                self.read(fresh)
                fresh.close()
                self.read(kept)
                self.rounds += 1
        except sqlite3.Error as e:
            self.failures.append(repr(e))
        finally:
            kept.close()

    def stop(self):
        self.ended.set()
        self.join()


class Upgrade(DaemonCase):
    autostart = False
    options = {"tls": False}

    def lay_out(self, source, name="one"):
        """A daemon on a copy of a recorded state directory, not started yet."""
        daemon = self.daemon if name == "one" else self.make(name)
        directory = daemon.state_directory
        shutil.copytree(source, directory)
        os.chmod(directory, 0o750)
        os.chmod(directory / "state.db", 0o640)
        os.chmod(directory / "journal", 0o700)
        return daemon

    def delete_old_segments(self, daemon):
        """What retention leaves: the snapshot, and the journal from somewhere before the snapshot's end."""
        directory = daemon.state_directory
        (directory / "state.db").rename(directory / "snapshot.db")
        db = sqlite3.connect(directory / "snapshot.db")
        applied = int(db.execute("SELECT value FROM meta WHERE key = 'cursor'").fetchone()[0])
        db.close()
        segments = sorted((directory / "journal").iterdir())
        for segment, following in zip(segments, segments[1:]):
            if int(following.name.split(".")[0]) <= applied + 1:
                segment.unlink()
        self.assertLess(len(list((directory / "journal").iterdir())), len(segments))

    def wait_renewed(self, daemon):
        wait_for(lambda: daemon.admin_json("/readyz")[1]["rebuilding"] is None, "the state is made anew")

    def check_content(self, daemon):
        """The content is that of a fresh rebuild, row for row, and the file is sound."""
        self.assertTrue(daemon.ctl_json("check")["sound"])
        content = dump(daemon.state_file)
        daemon.ctl("rebuild")
        self.assertEqual(dump(daemon.state_file), content)
        self.assertEqual(daemon.sql("PRAGMA integrity_check"), [("ok",)])
        self.assertEqual([p.name for p in daemon.state_directory.glob("state.db.rebuild*")], [])

    def test_every_release_before_this_one_is_recorded(self):
        self.daemon.start()
        version = self.daemon.sql("PRAGMA user_version")[0][0]
        self.assertEqual([p.name for p in released_schemas()], [f"state-v{n}" for n in range(1, version)])

    def test_the_state_is_brought_up_to_date_by_itself(self):
        for n, source in enumerate(released_schemas()):
            with self.subTest(source.name):
                daemon = self.lay_out(source, "one" if n == 0 else source.name)
                before = dict(daemon.sql("SELECT seq, outcome FROM events"))
                self.assertIn("unknown", before.values())
                there = dump(daemon.state_file)
                application = Application(daemon.state_file)
                self.addCleanup(application.stop)
                daemon.start()
                status, ready = daemon.admin_json("/readyz")
                self.assertEqual((status, ready["ready"]), (200, True))
                self.assertEqual(daemon.post(subscription(97000001, id=4711)), 200)
                self.wait_renewed(daemon)
                daemon.settle()
                rounds = application.rounds
                wait_for(lambda: application.rounds > rounds or application.failures, "another read")
                application.stop()
                self.assertEqual(application.failures, [])
                self.assertEqual(application.cursors, sorted(application.cursors))

                after = dict(daemon.sql("SELECT seq, outcome FROM events"))
                self.assertLessEqual(before.keys(), after.keys())
                events = dict(daemon.sql("SELECT seq, event FROM events"))
                for seq, outcome in before.items():
                    if events[seq] == "brand_new_event":  # it carries a transaction, which schema 1 did not know
                        self.assertEqual((outcome, after[seq]), ("unknown", "applied"))
                    if events[seq] == "event_without_content":
                        self.assertEqual((outcome, after[seq]), ("unknown", "unknown"))
                    if events[seq] == "invoice_issued":
                        self.assertEqual(after[seq], "applied")
                    if outcome in ("dead", "test"):
                        self.assertEqual(after[seq], outcome)
                for table in ("transactions", "components", "statements", "invoices", "refunds", "payment_profiles"):
                    self.assertGreater(daemon.sql(f"SELECT count(*) FROM {table}")[0][0], 0, table)
                # No object and no delivery is lost on the way.
                for table in ("subscriptions", "customers", "products"):
                    key = {row[:2] for row in there[table]}
                    self.assertLessEqual(key, set(daemon.sql(f"SELECT site, id FROM {table}")))
                self.assertEqual(daemon.sql("SELECT count(*) FROM events WHERE deliveries > 1")[0][0] > 0, True)
                self.assertEqual(daemon.sql("SELECT state FROM subscriptions WHERE id = 4711"), [("active",)])

                for message in ("rules of another version made the state", "the state was made anew"):
                    self.assertIn("webhooks", daemon.wait_log(message))
                self.assertIsNone(daemon.ctl_json("status")["rebuilding"])
                self.check_content(daemon)
                self.assertEqual(daemon.stop(), 0)
                daemon.start()  # once is enough
                self.assertIsNone(daemon.find_log("rules of another version"))
                daemon.stop()

    def test_without_the_segments_that_retention_deleted(self):
        for n, source in enumerate(released_schemas()):
            with self.subTest(source.name):
                daemon = self.lay_out(source, "one" if n == 0 else source.name)
                self.delete_old_segments(daemon)
                snapshot = (daemon.state_directory / "snapshot.db").read_bytes()
                daemon.start()
                self.wait_renewed(daemon)
                daemon.settle()
                events = daemon.sql("SELECT seq, event, outcome FROM events")
                self.assertEqual(min(r[0] for r in events), 1)
                outcomes = [r[2] for r in events if r[1] == "brand_new_event"]
                # What was deleted stays as it was read once; what is still there is read anew.
                self.assertEqual(outcomes, ["unknown", "applied"])
                self.assertEqual((daemon.state_directory / "snapshot.db").read_bytes(), snapshot)
                self.check_content(daemon)

    def test_a_kill_at_any_moment_only_delays_it(self):
        source = released_schemas()[-1]
        for n, message in enumerate(("rules of another version", "ready")):
            daemon = self.lay_out(source, "one" if n == 0 else f"killed-{n}")
            daemon.start()
            daemon.wait_log(message)
            daemon.kill()
            (daemon.state_directory / "state.db.rebuild").touch()  # as if it had been in the middle
            daemon.start()
            self.wait_renewed(daemon)
            daemon.settle()
            self.check_content(daemon)

    def test_a_rebuild_by_hand_at_the_same_time(self):
        daemon = self.lay_out(released_schemas()[-1])
        with open(daemon.state_directory / "rebuild.lock", "w") as other:
            fcntl.flock(other, fcntl.LOCK_EX)
            daemon.start()
            wait_for(lambda: "failure" in daemon.admin_json("/readyz")[1]["rebuilding"], "it waits")
            self.assertEqual(daemon.admin_json("/readyz")[0], 200)
            self.assertIn("another rebuild", daemon.ctl_json("status")["rebuilding"])
            done = daemon.ctl("rebuild", check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn("another rebuild", done.stderr)
        daemon.ctl("rebuild")  # by hand before the daemon tries again
        self.assertIsNone(daemon.admin_json("/readyz")[1]["rebuilding"])
        daemon.settle()
        self.check_content(daemon)

    def test_chargifyctl_without_a_daemon_says_what_to_do(self):
        daemon = self.lay_out(released_schemas()[-1])
        for command in (("status",), ("subscriptions",), ("check",)):
            done = daemon.ctl(*command, check=False)
            self.assertNotEqual(done.returncode, 0, command)
            self.assertIn("start this version's daemon once", done.stderr)
        daemon.start()
        self.wait_renewed(daemon)
        daemon.stop()
        for command in (("status",), ("subscriptions",), ("check",)):
            daemon.ctl(*command)

    def test_rebuild_without_a_daemon_upgrades_too(self):
        daemon = self.lay_out(released_schemas()[-1])
        daemon.ctl("rebuild")
        self.assertGreater(daemon.sql("SELECT count(*) FROM transactions")[0][0], 0)
        daemon.start()
        self.assertIsNone(daemon.find_log("rules of another version"))
        self.check_content(daemon)


class Access(DaemonCase):
    """A number of days in [access] ends access so long after the subscription came into the state."""

    options = {"tls": False, "extra": "[access]\npast_due = 14\nunpaid = 3650\n"}

    def test_the_view_honours_it(self):
        now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)

        def ago(days):
            return (now - datetime.timedelta(days=days)).strftime("%Y-%m-%d %H:%M:%S +0000")

        def at(days):
            return (now - datetime.timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")

        ends = (now + datetime.timedelta(days=20)).strftime("%Y-%m-%d %H:%M:%S +0000")
        numbers = itertools.count(1)

        def tell(id, state, days, **fields):
            self.assertEqual(self.daemon.post(subscription(next(numbers), id=id, state=state, updated_at=ago(days),
                                                           current_period_ends_at=ends, **fields)), 200)

        for id, since in ((1, 13), (2, 15)):
            tell(id, "active", 40)
            tell(id, "past_due", since)
            tell(id, "past_due", since - 5)  # another webhook in the same state does not begin it anew
        tell(3, "unpaid", 100)
        tell(4, "active", 100)
        tell(5, "canceled", 1)
        self.daemon.settle()
        rows = self.daemon.sql("SELECT subscription_id, has_access, access_until FROM subscription_access ORDER BY 1")
        self.assertEqual([r[:2] for r in rows], [(1, 1), (2, 0), (3, 1), (4, 1), (5, 0)])
        self.assertEqual([r[2] for r in rows[:2]], [at(13 - 14), at(15 - 14)])
        self.assertEqual(self.daemon.sql("SELECT has_access, grace_days FROM access_states WHERE state IN "
                                         "('past_due', 'trialing') ORDER BY state"), [(1, 14), (1, None)])
        # A start with another configuration changes the table behind the view, and nothing else.
        self.daemon.stop()
        self.daemon.extra = "[access]\npast_due = 20\n"
        self.daemon.write_config()
        self.daemon.start()
        rows = self.daemon.sql("SELECT subscription_id, has_access FROM subscription_access ORDER BY 1")
        self.assertEqual(rows, [(1, 1), (2, 1), (3, 0), (4, 1), (5, 0)])


if __name__ == "__main__":
    unittest.main()
