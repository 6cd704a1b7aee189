"""Starting, refusing to start, reloading, stopping, and the commands of an operator."""
import os
import pathlib
import re
import socket
import unittest

from harness import *


class Refusals(DaemonCase):
    """The daemon refuses to start and says why; it never recreates what is there."""

    autostart = False

    def run_once(self, *arguments):
        return subprocess.run([CHARGIFYD, *(arguments or ("--config", str(self.daemon.config)))], capture_output=True,
                              text=True, timeout=PATIENCE)

    def test_every_mistake_at_once_with_line_and_fix(self):
        self.daemon.config.write_text(
            'state_directory = 5\n'
            '[ingress]\n'
            'https = ["nowhere"]\n'
            'certificate = "/does/not/exist.pem"\n'
            'max_body_byte = 10\n'
            '[[site]]\n'
            'name = "Acme!"\n'
            'shared_keys = [""]\n'
            '[log]\n'
            'level = "loud"\n')
        done = self.run_once()
        self.assertEqual(done.returncode, 2)
        for line, word in ((1, "state_directory"), (3, "nowhere"), (4, "exist.pem"), (5, "max_body_bytes"), (7, "Acme!"),
                           (8, "empty"), (10, "loud")):
            found = [l for l in done.stderr.splitlines() if f"{self.daemon.config}:{line}:" in l]
            self.assertTrue(any(word in l for l in found), (line, word, done.stderr))
        self.assertEqual(self.daemon.ctl("config", "check", check=False).returncode, 2)

    def test_syntax_missing_file_and_usage(self):
        self.daemon.config.write_text("this is not TOML\n")
        self.assertEqual(self.run_once().returncode, 2)
        self.assertEqual(self.run_once("--config", str(self.folder / "none.toml")).returncode, 2)
        self.assertEqual(self.run_once("--bogus").returncode, 2)

    def test_missing_certificate_and_empty_key(self):
        (self.daemon.folder / "tls" / "one.pem").unlink()
        done = self.run_once()
        self.assertEqual(done.returncode, 2)
        self.assertIn("one.pem", done.stderr)
        daemon = self.make("two")
        (daemon.folder / "acme-0.key").write_text("\n")
        done = self.run_once("--config", str(daemon.config))
        self.assertEqual(done.returncode, 2)
        self.assertIn("acme-0.key", done.stderr)

    def test_a_key_that_does_not_fit_the_certificate(self):
        Certificate.make(self.daemon.folder / "tls", "other")
        (self.daemon.folder / "tls" / "other.key").rename(self.daemon.folder / "tls" / "one.key")
        done = self.run_once()
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("one.key", done.stderr)

    def test_a_second_daemon_names_the_first(self):
        self.daemon.start()
        done = self.run_once()
        self.assertEqual(done.returncode, 1)
        self.assertIn(str(self.daemon.process.pid), done.stderr)
        self.assertEqual(self.daemon.post(subscription(1)), 200)

    def test_an_address_that_is_taken(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            self.daemon.extra_ingress = ""
            self.daemon.write_config()
            text = self.daemon.config.read_text().replace('http = ["127.0.0.1:0"]', f'http = ["127.0.0.1:{taken.getsockname()[1]}"]')
            self.daemon.config.write_text(text)
            done = self.run_once()
            self.assertEqual(done.returncode, 1)
            self.assertIn(str(taken.getsockname()[1]), done.stderr)

    def test_a_state_that_is_foreign_newer_or_damaged(self):
        self.daemon.start()
        self.daemon.post(subscription(1))
        self.daemon.settle()
        self.daemon.stop()
        good = self.daemon.state_file.read_bytes()

        def foreign(path):
            path.unlink()
            db = sqlite3.connect(path)
            db.execute("CREATE TABLE theirs (x)")
            db.close()

        def newer(path):
            db = sqlite3.connect(path)
            db.execute("PRAGMA user_version = 1000")
            db.close()

        for spoil, word in ((foreign, "another program"), (newer, "newer"), (lambda p: p.write_bytes(b"text" * 5000), "damaged"),
                            (lambda p: p.write_bytes(good[:4096]), "state.db")):
            for suffix in ("-wal", "-shm"):
                pathlib.Path(str(self.daemon.state_file) + suffix).unlink(missing_ok=True)
            self.daemon.state_file.write_bytes(good)
            spoil(self.daemon.state_file)
            before = self.daemon.state_file.read_bytes()
            done = self.run_once()
            self.assertEqual(done.returncode, 1, spoil)
            self.assertIn(word, done.stderr)
            self.assertEqual(self.daemon.state_file.read_bytes(), before)

    def test_a_damaged_journal_stops_the_start_and_a_torn_tail_does_not(self):
        self.daemon.start()
        for n in range(1, 30):
            self.assertEqual(self.daemon.post(subscription(n, id=n)), 200)
        self.daemon.settle()
        self.daemon.kill()
        segment = sorted((self.daemon.state_directory / "journal").glob("*.log"))[-1]
        good = segment.read_bytes()
        middle = good.index(b"CHJB", 9000) + 100
        segment.write_bytes(good[:middle] + bytes([good[middle] ^ 1]) + good[middle + 1:])
        done = self.run_once()
        self.assertEqual(done.returncode, 1)
        self.assertIn(segment.name, done.stderr)
        segment.write_bytes(good)
        end = len(good.rstrip(b"\0"))
        with open(segment, "r+b") as f:  # a batch that was being written when the power went
            f.seek(end + 8 - end % 8)
            f.write(good[good.index(b"CHJB"):][:1000])
        self.daemon.start()
        self.assertEqual(self.daemon.journalled(), 29)
        self.assertEqual(self.daemon.post(subscription(30)), 200)

    def test_a_journal_that_lost_webhooks_is_noticed(self):
        self.daemon.start()
        self.daemon.post(subscription(1))
        self.daemon.settle()
        self.daemon.stop()
        shutil.rmtree(self.daemon.state_directory / "journal")
        done = self.run_once()
        self.assertEqual(done.returncode, 1)
        self.assertIn("another journal", done.stderr)


class Signals(DaemonCase):
    def test_sigterm_drains_and_exits_0(self):
        c = self.daemon.connection()
        for n in range(1, 50):
            self.assertEqual(self.daemon.post(subscription(n, id=n), connection=c), 200)
        self.assertEqual(self.daemon.stop(), 0)
        # A clean stop has applied everything, and readers can open the file while nobody writes.
        self.assertEqual(self.daemon.sql("SELECT count(*) FROM events"), [(49,)])
        stopped = self.daemon.find_log("stopped")
        self.assertEqual((stopped["journalled"], stopped["applied"]), (49, 49))

    def test_a_request_under_way_is_answered_before_the_end(self):
        body = subscription(1)
        s = self.daemon.connect()
        s.sendall(f"POST /webhooks/acme HTTP/1.1\r\nHost: x\r\n{SIGNATURE}: {sign(body)}\r\nContent-Length: {len(body)}\r\n\r\n".encode())
        s.sendall(body[:10])
        self.daemon.request("GET", "/healthz")
        self.daemon.process.send_signal(signal.SIGTERM)
        self.daemon.wait_log("stopping")
        s.sendall(body[10:])
        answer = s.recv(4096)
        s.close()
        self.assertIn(answer[:12], (b"HTTP/1.1 200", b"HTTP/1.1 503"))
        self.assertIn(b"Connection: close", answer)
        self.assertEqual(self.daemon.process.wait(PATIENCE), 0)
        self.assertEqual(len(self.daemon.sql("SELECT * FROM events")), 1 if answer[9:12] == b"200" else 0)

    def test_sighup_reloads_certificate_keys_and_level(self):
        kept = self.daemon.connection(tls=True)
        self.assertEqual(self.daemon.post(subscription(1), connection=kept), 200)
        Certificate.make(self.daemon.folder / "tls", "new")
        for end in ("pem", "key"):
            (self.daemon.folder / "tls" / f"new.{end}").rename(self.daemon.folder / "tls" / f"one.{end}")
        self.daemon.sites = {"acme": ["a-new-key-for-the-site", KEY]}
        self.daemon.write_config(level="debug")
        self.daemon.process.send_signal(signal.SIGHUP)
        self.daemon.wait_log("configuration reloaded")
        self.assertEqual(self.daemon.post(subscription(2), connection=kept), 200)  # the connection of before goes on
        kept.close()
        self.assertEqual(self.daemon.post(subscription(3), key="a-new-key-for-the-site", tls=True), 200)
        self.daemon.sites = {"acme": ["a-new-key-for-the-site"]}
        self.daemon.write_config()
        self.daemon.process.send_signal(signal.SIGHUP)
        wait_for(lambda: len([l for l in self.daemon.log_lines() if l["message"] == "configuration reloaded"]) == 2, "reload")
        self.assertEqual(self.daemon.post(subscription(4)), 401)

    def test_a_bad_file_changes_nothing(self):
        good = self.daemon.config.read_text()
        (self.daemon.folder / "tls" / "bad.pem").write_text("no certificate")
        for bad in ("nonsense", good.replace("one.pem", "missing.pem"), good.replace("one.pem", "bad.pem")):
            before = len(self.daemon.log_lines())
            self.daemon.config.write_text(bad)
            self.daemon.process.send_signal(signal.SIGHUP)
            wait_for(lambda: any("not reloaded" in l["message"] for l in self.daemon.log_lines()[before:]), "refusal")
            self.assertEqual(self.daemon.post(b"id=1&event=test", tls=True), 200)
        self.daemon.config.write_text(good)

    def test_a_log_that_nobody_takes_holds_up_nothing(self):
        self.daemon.stop()
        self.daemon.write_config(level="debug")
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        process = subprocess.Popen([CHARGIFYD, "--config", str(self.daemon.config)], stderr=writer, stdout=subprocess.DEVNULL,
                                   stdin=subprocess.DEVNULL)
        os.close(writer)
        self.addCleanup(lambda: (process.kill(), process.wait()))
        said = b""
        while b'"ready"' not in said:
            said += os.read(reader, 4096)
        self.daemon.http = int(re.search(rb'"http":"127.0.0.1:(\d+)"', said)[1])
        for number in range(1, 1501):  # each is a line
            self.assertEqual(self.daemon.post(subscription(number)), 200)
        process.terminate()
        while block := os.read(reader, 65536):
            said += block
        self.assertIn(b"log lines were lost", said)
        self.assertEqual(process.wait(PATIENCE), 0)

    def test_the_service_manager_is_told(self):
        self.daemon.stop()
        path = str(self.folder / "notify")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(path)
            manager.settimeout(PATIENCE)
            self.daemon.start(env={"NOTIFY_SOCKET": path})
            self.assertEqual(manager.recv(1024).splitlines()[0], b"READY=1")
            self.daemon.process.send_signal(signal.SIGHUP)
            self.assertIn(b"RELOADING=1", manager.recv(1024))
            self.assertEqual(manager.recv(1024), b"READY=1")
            self.daemon.process.send_signal(signal.SIGTERM)
            self.assertEqual(manager.recv(1024), b"STOPPING=1")
        self.assertEqual(self.daemon.process.wait(PATIENCE), 0)


class Quarantine(DaemonCase):
    options = {"extra_site": 'on_bad_signature = "quarantine"\n', "tls": False,
               "extra": "[quarantine]\nmax_webhooks = 4\n"}

    def test_a_mended_key_brings_back_what_was_kept_in_order(self):
        right = "the-key-of-tomorrow"
        for i, state in enumerate(("active", "past_due", "canceled"), 1):
            body = subscription(i, state=state, updated_at=f"2026-01-0{i} 10:00:00 -0500")
            self.assertEqual(self.daemon.post(body, key=right), 200)
        self.assertEqual(self.daemon.post(b"id=9&event=test", key="an attacker's"), 200)
        self.assertEqual(self.daemon.post(b"id=10&event=test", key="an attacker's"), 401)  # full
        first = self.daemon.wait_log("a webhook's signature does not match: Chargify pauses")
        self.assertIn("Another key or another body", first["finding"])
        self.assertEqual(self.daemon.sql("SELECT count(*) FROM events"), [(0,)])
        self.assertIn("chargifyd_quarantined_webhooks 4", self.daemon.metrics())
        self.daemon.kill()  # what was answered 200 survives
        self.daemon.start()
        kept = self.daemon.ctl_json("quarantine")
        self.assertEqual([row["site"] for row in kept], ["acme"] * 4)
        self.assertEqual(kept[0]["peer"], "127.0.0.1")
        shown = {row["key"]: row["value"] for row in self.daemon.ctl_json("quarantine", "show", str(kept[0]["number"]))}
        self.assertEqual(shown["payload[subscription][state]"], "active")
        self.assertNotIn("canary-vault-token", json.dumps(shown))
        self.assertEqual(self.daemon.ctl_json("quarantine", "verify"), {"moved": 0, "left": 4})

        self.daemon.sites = {"acme": [right]}
        self.daemon.write_config()
        self.daemon.process.send_signal(signal.SIGHUP)
        self.daemon.wait_log("configuration reloaded")
        self.assertEqual(self.daemon.ctl_json("quarantine", "verify"), {"moved": 3, "left": 1})
        self.daemon.settle()
        self.assertEqual(self.daemon.sql("SELECT webhook_id, outcome FROM events ORDER BY seq"),
                         [(1, "applied"), (2, "applied"), (3, "applied")])
        self.assertEqual(self.daemon.sql("SELECT state FROM subscriptions"), [("canceled",)])
        self.assertEqual(self.daemon.ctl("quarantine", "clear", "99", check=False).returncode, 3)
        self.assertEqual(self.daemon.ctl_json("quarantine", "clear"), {"removed": 1})
        self.assertEqual(self.daemon.ctl_json("quarantine"), [])
        self.assertEqual(self.daemon.post(b"id=11&event=test", key="an attacker's"), 200)  # room again
        self.daemon.stop()
        self.assertEqual(self.daemon.ctl("quarantine", "verify", check=False).returncode, 1)
        self.assertEqual(self.daemon.ctl_json("quarantine", "clear"), {"removed": 1})


class Commands(DaemonCase):
    """chargifyctl against a daemon that has seen one simulated life."""

    def setUp(self):
        super().setUp()
        self.url = f"https://localhost:{self.daemon.https}/webhooks/acme"
        self.key = str(self.daemon.folder / "acme-0.key")
        self.ca = str(self.daemon.folder / "tls" / "one.pem")

    def simulate(self, *arguments):
        return self.daemon.ctl("simulate", self.url, "--site", "acme", "--key-file", self.key, "--ca", self.ca, *arguments)

    def test_a_life_and_what_is_told_of_it(self):
        self.simulate()
        self.daemon.settle()
        status = self.daemon.ctl_json("status")
        self.assertEqual((status["daemon"], status["pid"], status["ready"]), ("running", self.daemon.process.pid, True))
        self.assertEqual(status["sites"][0]["site"], "acme")
        rows = self.daemon.ctl_json("subscriptions")
        self.assertEqual(len(rows), 1)
        self.assertEqual((rows[0]["state"], rows[0]["has_access"]), ("active", True))
        one = self.daemon.ctl_json("subscriptions", str(rows[0]["id"]))
        self.assertEqual(one["state"], "active")
        self.assertNotIn("vault_token", json.dumps(one))
        kinds = {r["kind"] for r in self.daemon.ctl_json("subscriptions", "history", str(rows[0]["id"]))}
        self.assertLessEqual({"created", "state", "product", "renewal", "cancellation", "reactivation"}, kinds)
        reference = rows[0]["customer_reference"]
        self.assertEqual(self.daemon.ctl_json("customers", reference)["reference"], reference)
        self.assertEqual(len(self.daemon.ctl_json("subscriptions", "--customer", reference)), 1)
        self.assertEqual(len(self.daemon.ctl_json("subscriptions", "--state", "canceled")), 0)
        events = self.daemon.ctl_json("events", "--limit", "1000")
        self.assertEqual({e["outcome"] for e in events} - {"applied", "unchanged", "stale"}, set())
        shown = self.daemon.ctl("events", "show", "1").stdout
        self.assertIn("payload[customer][id]", shown)
        self.assertEqual(self.daemon.ctl_json("dead"), [])
        self.assertEqual(self.daemon.ctl_json("check")["sound"], True)
        copy = self.folder / "copy.db"
        self.daemon.ctl("backup", str(copy))
        self.assertEqual(dump(copy), dump(self.daemon.state_file))
        self.daemon.stop()
        self.assertEqual(self.daemon.ctl_json("status")["daemon"], "stopped")

    def test_duplicates_and_reordering_end_the_same(self):
        self.simulate("--seed", "5")
        self.daemon.settle()
        tables = ("subscriptions", "customers", "products")
        expected = [self.daemon.sql(f"SELECT * FROM {t} ORDER BY 1, 2") for t in tables]
        other = self.make("other").start()
        other.ctl("simulate", f"https://localhost:{other.https}/webhooks/acme", "--site", "acme", "--key-file", self.key,
                  "--ca", self.ca, "--seed", "5", "--duplicates", "50", "--reorder")
        other.settle()
        self.assertEqual([other.sql(f"SELECT * FROM {t} ORDER BY 1, 2") for t in tables], expected)
        story = "SELECT kind, old_value, new_value, occurred_at FROM changes ORDER BY 4, 1, 3"
        self.assertEqual(other.sql(story), self.daemon.sql(story))

    def test_load(self):
        report = json.loads(self.daemon.ctl("simulate", "load", self.url, "--site", "acme", "--key-file", self.key, "--ca", self.ca,
                                            "--webhooks", "500", "--duration", "60", "--connections", "8").stdout)
        self.assertEqual((report["sent"], report["acknowledged"]), (500, 500))
        self.daemon.settle()
        self.assertEqual(self.daemon.sql("SELECT count(*) FROM events"), [(500,)])

    def test_the_test_button(self):
        self.daemon.ctl("simulate", "test", self.url, "--key-file", self.key, "--ca", self.ca)
        self.daemon.settle()
        self.assertEqual(self.daemon.sql("SELECT outcome FROM events"), [("test",)])

    def test_sign_and_verify(self):
        body = self.folder / "body"
        body.write_bytes(b"id=1&event=test\n")
        signature = self.daemon.ctl("sign", "--site", "acme", str(body)).stdout.strip().strip('"')
        self.assertEqual(signature, sign(b"id=1&event=test\n"))
        self.assertEqual(self.daemon.ctl("verify", "--site", "acme", "--signature", signature, str(body)).returncode, 0)
        done = self.daemon.ctl("verify", "--site", "acme", "--signature", sign(b"id=1&event=test"), str(body), check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("line", done.stdout + done.stderr)

    def test_exit_codes_and_forms(self):
        self.assertEqual(self.daemon.ctl("subscriptions", "999", check=False).returncode, 3)
        self.assertEqual(self.daemon.ctl("subscriptions", "history", "999", check=False).returncode, 3)
        self.assertEqual(self.daemon.ctl("customers", "nobody", check=False).returncode, 3)
        self.assertEqual(self.daemon.ctl("events", "show", "999", check=False).returncode, 3)
        self.assertEqual(self.daemon.ctl("nonsense", check=False).returncode, 2)
        empty = self.folder / "empty"
        empty.mkdir()
        self.assertEqual(self.daemon.ctl("status", "--state-directory", str(empty), check=False).returncode, 3)
        self.daemon.post(subscription(1))
        self.daemon.settle()
        csv = self.daemon.ctl("subscriptions", "--csv").stdout.splitlines()
        self.assertTrue(csv[0].startswith("site,id,state,"))
        self.assertTrue(csv[1].startswith("acme,100,active,"))

    def test_follow_shows_what_comes(self):
        follower = subprocess.Popen([CHARGIFYCTL, "--config", str(self.daemon.config), "events", "--follow"],
                                    stdout=subprocess.PIPE, text=True)
        try:
            self.daemon.post(subscription(1))
            self.assertEqual(json.loads(follower.stdout.readline())["webhook_id"], 1)
            self.daemon.post(subscription(2, id=101))
            self.assertEqual(json.loads(follower.stdout.readline())["webhook_id"], 2)
        finally:
            follower.kill()
            follower.wait()
            follower.stdout.close()


class Admin(DaemonCase):
    def test_read_api(self):
        self.daemon.post(subscription(1))
        self.daemon.settle()
        status, one = self.daemon.admin_json("/v1/subscriptions/100")
        self.assertEqual((status, one["state"], one["attributes"]["credit_card"]["masked_card_number"]),
                         (200, "active", "XXXX-XXXX-XXXX-4242"))
        self.assertEqual(self.daemon.admin_json("/v1/subscriptions?customer_reference=user-42")[1][0]["id"], 100)
        self.assertEqual(self.daemon.admin_json("/v1/customers/7")[1]["reference"], "user-42")
        self.assertEqual(self.daemon.admin_json("/v1/events?after=0")[1][0]["outcome"], "applied")
        self.assertEqual(self.daemon.admin_json("/v1/events?after=1")[1], [])
        for path, status in (("/v1/subscriptions/1", 404), ("/v1/subscriptions/x", 400), ("/nothing", 404)):
            self.assertEqual(self.daemon.admin_json(path)[0], status, path)

    def test_the_questions_people_ask(self):
        """The same answers from the command line and over HTTP."""
        transaction = [("payload[transaction][id]", 55), ("payload[transaction][subscription_id]", 100),
                       ("payload[transaction][type]", "Payment"), ("payload[transaction][success]", "true"),
                       ("payload[transaction][amount_in_cents]", 6400), ("payload[transaction][customer_id]", 7),
                       ("payload[transaction][created_at]", "2026-01-01 10:00:05 -0500")]
        self.daemon.post(subscription(1, "payment_success", currency="USD") + b"&" + form(transaction))
        self.daemon.post(subscription(2, state="past_due", updated_at="2026-02-01 10:00:00 -0500", currency="USD"))
        self.daemon.post(subscription(3, id=101, customer__id=8, customer__reference="user-43", state="canceled"))
        self.daemon.settle()
        told = [row["text"] for row in self.daemon.ctl_json("timeline", "user-42")]
        self.assertEqual([row["text"] for row in self.daemon.admin_json("/v1/timeline?customer_reference=user-42")[1]], told)
        self.assertIn("paid 64.00 USD for subscription 100", told)
        self.assertIn("subscription 100 went from active to past_due", told)
        self.assertIn("2026-02-01 15:00  subscription 100 went from active to past_due",
                      self.daemon.ctl("timeline", "user-42", "--table").stdout)
        for rows in (self.daemon.ctl_json("past-due"), self.daemon.admin_json("/v1/past_due")[1]):
            self.assertEqual([(row["id"], row["past_due_since"]) for row in rows], [(100, "2026-02-01T15:00:00Z")])
        for rows in (self.daemon.ctl_json("access", "--no"), self.daemon.admin_json("/v1/access?has_access=false")[1]):
            self.assertEqual([row["subscription_id"] for row in rows], [101])
        for day in (self.daemon.ctl_json("revenue", "--day", "2026-01-01"),
                    self.daemon.admin_json("/v1/revenue?day=2026-01-01")[1]):
            self.assertEqual([(row["kind"], row["amount_in_cents"]) for row in day["events"]], [("payment", 6400)])
            self.assertEqual([(row["currency"], row["net_in_cents"]) for row in day["totals"]], [("USD", 6400)])
        self.assertEqual(self.daemon.ctl_json("revenue", "--day", "2026-01-01", "--totals")[0]["net_in_cents"], 6400)
        for rows in (self.daemon.ctl_json("changes", "--kind", "payment"),
                     self.daemon.admin_json("/v1/changes?kind=payment")[1]):
            self.assertEqual([row["object_id"] for row in rows], ["55"])
        self.assertEqual(self.daemon.admin_json("/v1/changes?after=999999")[1], [])
        whole = self.daemon.admin_json("/v1/subscriptions/100")[1]
        self.assertEqual(whole["transactions"][0]["id"], 55)
        self.assertEqual(whole["customer"]["reference"], "user-42")
        self.assertEqual(self.daemon.ctl_json("subscriptions", "100")["transactions"], whole["transactions"])
        self.assertNotIn("canary-vault-token", json.dumps(whole))

    def test_lists_come_in_pages(self):
        for i in range(5):
            self.daemon.post(subscription(i + 1, id=100 + i))
        self.daemon.settle()
        seen, path = [], "/v1/subscriptions?limit=2"
        while path:
            c = http.client.HTTPConnection("127.0.0.1", self.daemon.admin, timeout=PATIENCE)
            c.request("GET", path)
            answer = c.getresponse()
            seen += [row["id"] for row in json.loads(answer.read())]
            link = answer.getheader("Link")
            path = link[1:link.index(">")] if link else None
            c.close()
        self.assertEqual(seen, [100, 101, 102, 103, 104])
        first = self.daemon.ctl("subscriptions", "--limit", "3")
        self.assertEqual(len(json.loads(first.stdout)), 3)
        place = first.stderr.split("--after ")[1].strip().strip("'")
        self.assertEqual([row["id"] for row in self.daemon.ctl_json("subscriptions", "--after", place)], [103, 104])

    def test_mistakes_of_the_asker(self):
        self.daemon.post(subscription(1))
        self.daemon.settle()
        for path, status in (("/v1/access?foo=1", 400), ("/v1/events?limit=0", 400), ("/v1/events?limit=1001", 400),
                             ("/v1/events?after=1&after=2", 400), ("/v1/timeline", 400), ("/v1/revenue?day=yesterday", 400),
                             ("/v1/changes?kind=nonsense", 400), ("/v1/subscriptions?after=nowhere", 400),
                             ("/v1/customers?reference=nobody", 404)):
            self.assertEqual(self.daemon.admin_request("GET", path)[0], status, path)
        for host, status in (("evil.example", 421), ("evil.example:9180", 421), ("localhost:9180", 200),
                             ("127.0.0.1", 200), ("[::1]:9180", 200)):
            self.assertEqual(self.daemon.admin_request("GET", "/v1/past_due", {"Host": host})[0], status, host)
        self.assertEqual(self.daemon.ctl("changes", "--kind", "nonsense", check=False).returncode, 2)
        self.assertEqual(self.daemon.ctl("events", "--since", "yesterday", check=False).returncode, 2)
        self.assertEqual(self.daemon.ctl("timeline", "nobody", check=False).returncode, 3)

    def test_commands_are_not_taken_over_tcp(self):
        self.assertEqual(self.daemon.admin_request("POST", "/v1/control/adopt-rebuilt")[0], 403)
        mode = (self.daemon.state_directory / "control.sock").stat().st_mode
        self.assertEqual(mode & 0o077, 0)

    def test_health_readiness_and_metrics(self):
        self.assertEqual(self.daemon.admin_json("/readyz")[0], 200)
        self.daemon.post(subscription(1))
        self.daemon.settle()
        text = self.daemon.metrics()
        for name in ('webhooks_total{result="stored",site="acme"} 1', "ack_seconds_bucket", "journal_sync_seconds_bucket",
                     "journal_batch_webhooks_bucket", "journal_queue_webhooks", "journal_bytes", "apply_lag_webhooks 0",
                     "apply_lag_seconds", "events_total{", "last_webhook_timestamp_seconds{", "dead_letters 0", "state_wal_bytes", "state_checkpoints_total",
                     "disk_free_bytes"):
            self.assertIn("chargifyd_" + name, text)

    def test_readiness_says_what_is_at_fault(self):
        ready = self.daemon.admin_json("/readyz")[1]
        self.assertEqual(ready["checks"], {"traffic": "ok", "journal": "ok", "disk": "ok", "applying": "ok"})
        self.assertEqual((ready["journal_commit_seconds"], ready["state_commit_seconds"]), (None, None))
        self.assertGreater(ready["disk_free_bytes"], ready["disk_floor_bytes"])
        self.daemon.post(subscription(1))
        self.daemon.settle()
        ready = self.daemon.admin_json("/readyz")[1]
        for name in ("journal_commit_seconds", "state_commit_seconds"):
            self.assertGreaterEqual(ready[name], 0, name)
            self.assertLess(ready[name], PATIENCE, name)
        with sqlite3.connect(self.daemon.state_file, isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            self.assertEqual(self.daemon.post(subscription(2)), 200)
            status, ready = wait_for(lambda: (lambda a: a[0] == 503 and a)(self.daemon.admin_json("/readyz")), "applying fails")
            self.assertEqual(ready["checks"], {"traffic": "ok", "journal": "ok", "disk": "ok", "applying": "failing"})
            self.assertIn("webhooks are not applied: ", ready["reasons"][0])
            self.assertEqual(ready["apply_lag_webhooks"], 1)
            other.execute("ROLLBACK")
        wait_for(lambda: self.daemon.admin_json("/readyz")[0] == 200, "it is ready again")

    def test_a_full_disk_is_a_reason(self):
        self.daemon.stop()
        self.daemon.extra = f"[journal]\ndisk_floor_bytes = {2**40}\n"
        self.daemon.write_config()
        self.daemon.start()
        status, ready = self.daemon.admin_json("/readyz")
        self.assertEqual((status, ready["ready"], ready["reasons"]), (503, False, ["webhooks are not taken: disk"]))
        self.assertEqual(ready["checks"], {"traffic": "ok", "journal": "ok", "disk": "full", "applying": "ok"})
        self.assertLess(ready["disk_free_bytes"], ready["disk_floor_bytes"])
        self.assertEqual(self.daemon.post(subscription(1)), 503)
        refused = self.daemon.wait_log("request refused")
        self.assertEqual((refused["reason"], refused["status"], refused["site"]), ("disk_full", 503, "acme"))

    def test_a_token_is_demanded_when_it_is_set(self):
        token = self.folder / "token"
        token.touch(mode=0o600)
        token.write_text("canary-admin-token\n")
        self.daemon.stop()
        text = self.daemon.config.read_text().replace('listen = "127.0.0.1:0"', f'listen = "127.0.0.1:0"\ntoken_file = "{token}"')
        self.daemon.config.write_text(text)
        self.daemon.start()

        def get(headers):
            return self.daemon.admin_request("GET", "/readyz", headers)[0]

        self.assertEqual(get({}), 401)
        self.assertEqual(get({"Authorization": "Bearer wrong"}), 401)
        self.assertEqual(get({"Authorization": "Bearer canary-admin-token"}), 200)
        self.assertNotIn("canary", self.daemon.log_text())


if __name__ == "__main__":
    unittest.main()
