"""The promises, each on the real daemon: P1 durable, P2 once, P3 forward, P4 rebuildable, P5 nothing silent, P6 apart,
P7 closed."""
import itertools
import os
import pathlib
import random
import sqlite3
import threading
import time
import unittest

from harness import *


class Durable(DaemonCase):
    """P1: an acknowledged webhook is in the journal, whatever happens to the daemon."""

    options = {"extra": "[journal]\nsegment_bytes = 262144\n"}
    rounds = int(os.environ.get("CHARGIFYD_KILL_ROUNDS", "25"))

    def send_until_it_breaks(self, numbers, acknowledged, port):
        c = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        try:
            for n in numbers:
                body = subscription(n, id=1 + n % 50, padding="x" * (n % 3000))
                c.request("POST", "/webhooks/acme", body, {SIGNATURE: sign(body)})
                r = c.getresponse()
                r.read()
                if r.status == 200:
                    acknowledged.append(n)
                elif r.status != 503:
                    raise AssertionError(f"answered {r.status}")
        except (OSError, http.client.HTTPException):
            pass
        finally:
            c.close()

    def test_kill_9_under_load_loses_nothing_that_was_acknowledged(self):
        acknowledged = []
        numbers = itertools.count(1)
        lock = threading.Lock()

        def next_numbers():
            while True:
                with lock:
                    n = next(numbers)
                yield n

        chance = random.Random(42)
        for _ in range(self.rounds):
            before = len(acknowledged)
            senders = [threading.Thread(target=self.send_until_it_breaks,
                                        args=(next_numbers(), acknowledged, self.daemon.http)) for _ in range(8)]
            for s in senders:
                s.start()
            # A different moment each round: after so many more were acknowledged.
            target = before + chance.randint(1, 400)
            wait_for(lambda: len(acknowledged) >= target, "webhooks are acknowledged")
            self.daemon.kill()
            for s in senders:
                s.join()
            self.daemon.start()
        self.daemon.settle()
        rows = self.daemon.sql("SELECT webhook_id, count(*) FROM events GROUP BY webhook_id")
        journalled = {r[0] for r in rows}
        self.assertGreater(len(acknowledged), self.rounds)
        self.assertEqual(set(acknowledged) - journalled, set(), "acknowledged but lost")
        self.assertEqual([r for r in rows if r[1] != 1], [], "applied more than once")
        self.assertEqual(self.daemon.ctl_json("check")["sound"], True)
        self.assertEqual(self.daemon.sql("PRAGMA integrity_check"), [("ok",)])
        self.assertEqual(self.daemon.stop(), 0)

    def test_the_answer_leaves_after_the_sync(self):
        """Every 200 that strace sees leaving stands after an fdatasync that followed the last write."""
        if not shutil.which("strace"):
            self.skipTest("strace is not installed")
        self.daemon.stop()
        trace = self.folder / "trace"
        try:
            self.daemon.start(prefix=("strace", "-f", "-qq", "-o", str(trace), "-e",
                                      "trace=pwrite64,pwritev,fdatasync,sendto,sendmsg,write,writev", "-s", "32"))
        except AssertionError:
            self.skipTest("strace cannot trace here")
        for n in range(1, 6):
            self.assertEqual(self.daemon.post(subscription(n)), 200)
        os.kill(int((self.daemon.state_directory / "lock").read_text()), signal.SIGTERM)  # strace passes nothing on
        self.daemon.process.wait(PATIENCE)
        answers = synced = 0
        pending_write = False
        for line in trace.read_text(errors="replace").splitlines():
            if "fdatasync" in line and line.rstrip().endswith("= 0"):
                synced += 1
                pending_write = False
            elif "pwrite" in line and "CHJB" in line:
                pending_write = True
            elif "HTTP/1.1 200" in line and "ok" not in line.split("HTTP/1.1 200")[0]:
                answers += 1
                self.assertFalse(pending_write, line)
        self.assertGreaterEqual(answers, 5)
        self.assertGreaterEqual(synced, 5)


class Once(DaemonCase):
    """P2: a webhook changes state once, however often it arrives."""

    def test_a_replay_by_the_hundred_is_one_webhook(self):
        body = subscription(5)
        statuses = []

        def send():
            c = self.daemon.connection()
            for i in range(25):
                statuses.append(self.daemon.post(body, connection=c, headers={"X-Chargify-Webhook-Id": str(random.random())}))
            c.close()

        threads = [threading.Thread(target=send) for _ in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(statuses, [200] * 200)
        self.daemon.settle()
        self.assertEqual(self.daemon.sql("SELECT count(*), min(webhook_id) FROM events"), [(1, 5)])
        self.assertEqual(self.daemon.journalled(), 1, "replays must not fill the disk")
        # The memory of recent ones ends with the process or is filled again; the unique row decides in any case.
        self.daemon.kill()
        self.daemon.start()
        self.assertEqual(self.daemon.post(body), 200)
        self.daemon.settle()
        self.assertEqual(self.daemon.sql("SELECT count(*) FROM events"), [(1,)])
        self.assertEqual(self.daemon.sql("SELECT count(*) FROM changes"), [(1,)])

    def test_the_unsigned_header_id_decides_nothing(self):
        self.assertEqual(self.daemon.post(subscription(5, id=1), headers={"X-Chargify-Webhook-Id": "6"}), 200)
        self.assertEqual(self.daemon.post(subscription(6, id=2), headers={"X-Chargify-Webhook-Id": "6"}), 200)
        self.daemon.settle()
        self.assertEqual(self.daemon.sql("SELECT webhook_id FROM events ORDER BY 1"), [(5,), (6,)])

    def test_the_same_id_with_another_body_changes_nothing(self):
        self.daemon.post(subscription(5))
        self.daemon.post(subscription(5, state="canceled", updated_at="2026-05-05 10:00:00 -0400"))
        self.daemon.settle()
        self.assertEqual(self.daemon.sql("SELECT state FROM subscriptions"), [("active",)])
        self.assertEqual(self.daemon.sql("SELECT deliveries FROM events"), [(2,)])


class Forward(DaemonCase):
    """P3: state never goes back."""

    def life(self, site):
        return [
            subscription(1, "signup_success", site, state="trialing", event_id=1),
            subscription(2, "renewal_success", site, updated_at="2026-02-01 10:00:00 -0500", event_id=2,
                         current_period_started_at="2026-02-01 10:00:00 -0500",
                         current_period_ends_at="2026-03-01 10:00:00 -0500"),
            subscription(3, "subscription_product_change", site, updated_at="2026-02-01 10:00:00 -0500", event_id=3,
                         product__id=4, product__handle="pro"),
            subscription(4, "payment_failure", site, state="past_due", updated_at="2026-03-01 10:00:00 -0500", event_id=4),
            form([("id", 5), ("event", "statement_closed"), ("payload[site][subdomain]", site),
                  ("payload[subscription][id]", 100), ("payload[subscription][state]", "unpaid"),
                  ("payload[subscription][balance_in_cents]", ""), ("payload[event_id]", 5)]),
        ]

    def test_every_permutation_with_duplicates_ends_the_same(self):
        orders = list(itertools.permutations(range(5)))
        daemon = self.make("permutations", sites={f"s{i}": [KEY] for i in range(len(orders))}).start()
        chance = random.Random(3)
        c = daemon.connection()
        for i, order in enumerate(orders):
            life = self.life(f"s{i}")
            deliveries = [n for n in order for _ in range(chance.randint(1, 2))]
            for n in deliveries:
                self.assertEqual(daemon.post(life[n], site=f"s{i}", connection=c), 200)
        c.close()
        daemon.settle()
        for table in ("subscriptions", "customers", "products"):
            columns = [r[0] for r in daemon.sql("SELECT name FROM pragma_table_info(?) WHERE name <> 'site'", (table,))]
            found = daemon.sql(f"SELECT DISTINCT {', '.join(chr(34) + c + chr(34) for c in columns)} FROM {table}")
            self.assertEqual(len(found), 2 if table == "products" else 1, found)
        self.assertEqual(daemon.sql("SELECT DISTINCT state, product_handle, balance_in_cents, current_period_ends_at "
                                    "FROM subscriptions"), [("unpaid", "basic", 0, "2026-02-01T15:00:00Z")])
        stories = {tuple(daemon.sql("SELECT kind, old_value, new_value, occurred_at FROM changes WHERE site = ? "
                                    "ORDER BY occurred_at, kind, new_value", (f"s{i}",))) for i in range(len(orders))}
        self.assertEqual(len(stories), 1)


class Rebuildable(DaemonCase):
    """P4: state.db deleted and rebuilt from the journal has the same content, row for row."""

    options = {"extra": "[journal]\nsegment_bytes = 65536\n"}

    def fill(self, first, count):
        c = self.daemon.connection()
        chance = random.Random(first)
        for n in range(first, first + count):
            body = subscription(chance.randint(1, first + count), id=chance.randint(1, 20),
                                state=chance.choice(["active", "past_due", "canceled", "trialing"]),
                                updated_at=f"2026-03-{chance.randint(10, 28)} 10:00:00 -0400")
            self.assertEqual(self.daemon.post(body if n % 20 else b"broken %", connection=c), 200)
        c.close()
        self.daemon.settle()

    def test_deleted_and_made_again(self):
        self.fill(1, 200)
        self.assertEqual(self.daemon.stop(), 0)
        before = dump(self.daemon.state_file)
        for suffix in ("", "-wal", "-shm"):
            pathlib.Path(str(self.daemon.state_file) + suffix).unlink(missing_ok=True)
        self.daemon.start()
        self.daemon.settle()
        self.daemon.stop()
        self.assertEqual(dump(self.daemon.state_file), before)
        self.assertGreater(len(before["events"]), 100)

    def test_rebuilt_beside_a_running_daemon_and_an_open_reader(self):
        self.fill(1, 100)
        before = dump(self.daemon.state_file)
        reader = sqlite3.connect(f"file:{self.daemon.state_file}?mode=ro", uri=True)
        reader.execute("BEGIN")
        count = reader.execute("SELECT count(*) FROM events").fetchone()
        self.assertEqual(self.daemon.ctl_json("rebuild")["webhooks"], self.daemon.journalled())
        self.assertEqual(reader.execute("SELECT count(*) FROM events").fetchone(), count)
        reader.execute("COMMIT")
        self.assertEqual(reader.execute("SELECT count(*) FROM events").fetchone(), count)
        reader.close()
        self.assertEqual(dump(self.daemon.state_file), before)
        self.fill(1000, 10)  # and it goes on
        self.assertEqual(self.daemon.ctl_json("check")["sound"], True)

    def test_rebuilt_without_a_daemon_also_when_the_old_state_is_damaged(self):
        self.fill(1, 100)
        self.daemon.stop()
        before = dump(self.daemon.state_file)
        self.daemon.ctl("rebuild")
        self.assertEqual(dump(self.daemon.state_file), before)
        self.daemon.state_file.write_bytes(b"no database any more" * 1000)
        self.daemon.ctl("rebuild")
        self.assertEqual(dump(self.daemon.state_file), before)
        # With a write-ahead log from the beginning: a reader must not stand in the way of the daemon's start.
        reader = sqlite3.connect(f"file:{self.daemon.state_file}?mode=ro", uri=True, isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM events").fetchone()
        self.daemon.start()
        self.fill(1001, 1)
        self.daemon.settle()
        self.assertEqual(self.daemon.sql("SELECT count(*) FROM events")[0][0], len(before["events"]) + 1)
        reader.close()


class NothingSilent(DaemonCase):
    """P5: what cannot be understood is kept, counted and visible."""

    def test_unknown_events_and_unreadable_bodies(self):
        self.assertEqual(self.daemon.post(b"id=1&event=event_of_the_future&payload[thing]=1"), 200)
        self.assertEqual(self.daemon.post(subscription(2, "another_new_event", new_field="kept")), 200)
        self.assertEqual(self.daemon.post(b"\xff\x00 no webhook %zz"), 200)
        self.assertEqual(self.daemon.post(b""), 200)
        self.assertEqual(self.daemon.post(b'{"json": true}'), 200)
        self.daemon.settle()
        outcomes = [r[0] for r in self.daemon.sql("SELECT outcome FROM events ORDER BY seq")]
        self.assertEqual(outcomes, ["unknown", "applied", "dead", "dead", "dead"])
        self.assertIn('"new_field":"kept"', self.daemon.sql("SELECT attributes FROM subscriptions")[0][0])
        self.assertIn('event="other",outcome="unknown",site="acme"} 1', self.daemon.metrics())
        self.assertIn("chargifyd_dead_letters 3", self.daemon.metrics())
        self.assertEqual(len(self.daemon.ctl_json("dead")), 3)
        raw = subprocess.run([CHARGIFYCTL, "--config", str(self.daemon.config), "events", "show", "3", "--raw"],
                             capture_output=True, check=True).stdout
        self.assertEqual(raw, b"\xff\x00 no webhook %zz")
        self.assertEqual(self.daemon.ctl_json("dead", "retry")["revived"], 0)

    def test_another_sites_body_is_kept_and_not_applied(self):
        self.assertEqual(self.daemon.post(subscription(1, site="globex")), 200)
        self.daemon.settle()
        self.assertEqual(self.daemon.sql("SELECT outcome, webhook_id FROM events"), [("dead", 1)])
        self.assertEqual(self.daemon.sql("SELECT count(*) FROM subscriptions"), [(0,)])
        self.assertIn("globex", self.daemon.ctl_json("dead")[0]["error"])


class Apart(DaemonCase):
    """P6: nothing behind the journal delays an answer."""

    def test_a_locked_state_and_a_reader_with_an_old_snapshot_delay_no_answer(self):
        self.assertEqual(self.daemon.post(subscription(1)), 200)
        self.daemon.settle()
        reader = sqlite3.connect(f"file:{self.daemon.state_file}?mode=ro", uri=True)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM events").fetchone()
        intruder = sqlite3.connect(self.daemon.state_file, isolation_level=None)
        intruder.execute("BEGIN IMMEDIATE")
        c = self.daemon.connection()
        for n in range(2, 202):
            self.assertEqual(self.daemon.post(subscription(n), connection=c), 200)
        self.assertEqual(self.daemon.request("GET", "/healthz")[0], 200)
        self.assertEqual(self.daemon.journalled(), 201)
        self.assertEqual(self.daemon.sql("SELECT count(*) FROM events"), [(1,)])
        intruder.execute("COMMIT")
        intruder.close()
        self.daemon.settle()
        self.assertEqual(reader.execute("SELECT count(*) FROM events").fetchone(), (1,))
        reader.execute("COMMIT")
        reader.close()
        self.assertEqual(self.daemon.sql("SELECT count(*) FROM events"), [(201,)])


class Closed(DaemonCase):
    """P7: nothing unverified changes state; nothing secret or personal leaves."""

    def test_what_is_not_signed_is_refused_and_not_stored(self):
        body = subscription(1)
        good = sign(body)
        for signature in ["", "0" * 64, good[:-1], good + "0", good[:32], " " + good[1:], sign(body, ""), sign(body, "x"),
                          sign(body + b"\n"), "x" * 64]:
            self.assertEqual(self.daemon.post(body, signature=signature or " "), 401, signature)
        self.assertEqual(self.daemon.request("POST", "/webhooks/acme", body)[0], 401)
        self.assertEqual(self.daemon.post(body + b"x", signature=good), 401)
        legacy = hashlib.md5(KEY.encode() + body).hexdigest()
        self.assertEqual(self.daemon.request("POST", "/webhooks/acme", body, {"X-Chargify-Webhook-Signature": legacy})[0], 401)
        self.assertEqual(self.daemon.request("POST", f"/webhooks/acme?signature={legacy}", body)[0], 401)
        self.assertEqual(self.daemon.journalled(), 0)
        self.assertEqual(self.daemon.post(body, signature=good.upper()), 200)
        self.assertEqual(self.daemon.request("POST", f"/webhooks/acme?signature_hmac_sha_256={good}", body)[0], 200)
        self.assertEqual(self.daemon.request("POST", f"/webhooks/acme?signature={good}", body)[0], 200)
        self.daemon.settle()
        self.assertEqual(self.daemon.sql("SELECT count(*) FROM events"), [(1,)])

    def test_no_canary_leaves(self):
        self.daemon.stop()
        self.daemon.write_config(level="debug")
        self.daemon.start()
        body = subscription(1)
        self.daemon.post(body)
        self.daemon.post(body, signature="0" * 64)
        self.daemon.request("POST", f"/webhooks/acme?signature={'0' * 64}&canary=1", body)
        self.daemon.post(b"canary %")
        self.daemon.post(subscription(3, site="other"))
        self.daemon.settle()
        pid = self.daemon.process.pid
        environment = pathlib.Path(f"/proc/{pid}/environ").read_bytes() + pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
        shown = self.daemon.log_text() + self.daemon.metrics() + self.daemon.ctl("config", "check").stdout
        shown += json.dumps(self.daemon.admin_json("/readyz")[1]) + environment.decode(errors="replace")
        self.daemon.stop()
        shown += self.daemon.log_text()
        for canary in ("anary", sign(body), "4242", KEY):
            self.assertNotIn(canary, shown)
        state = b"".join(p.read_bytes() for p in self.daemon.state_directory.glob("state.db*"))
        self.assertIn(b"XXXX-XXXX-XXXX-4242", state)
        self.assertNotIn(b"canary-vault-token", state)
        self.assertNotIn(KEY.encode(), state)

    def test_a_crash_leaves_no_core(self):
        self.daemon.post(subscription(1))
        limits = pathlib.Path(f"/proc/{self.daemon.process.pid}/limits").read_text()
        self.assertRegex(limits, r"Max core file size +0 +0 ")
        # A handler of cores that is a program is not bound by the limit; this keeps it away. Sanitizers have to attach.
        if os.geteuid() != 0 and "SANITIZED" not in os.environ:
            self.assertEqual(pathlib.Path(f"/proc/{self.daemon.process.pid}/environ").stat().st_uid, 0)
        self.daemon.process.send_signal(signal.SIGABRT)
        self.assertEqual(self.daemon.process.wait(PATIENCE), -signal.SIGABRT)
        self.assertEqual(list(pathlib.Path.cwd().glob("core*")), [])

    def test_files_are_closed_to_others(self):
        self.daemon.post(subscription(1))
        self.daemon.settle()
        mode = lambda p: p.stat().st_mode & 0o777
        self.assertEqual(mode(self.daemon.state_directory), 0o750)
        self.assertEqual(mode(self.daemon.state_directory / "journal"), 0o700)
        self.assertEqual(mode(self.daemon.state_file), 0o640)
        for file in (self.daemon.state_directory / "journal").iterdir():
            self.assertEqual(mode(file) & 0o077, 0, file)


if __name__ == "__main__":
    unittest.main()
