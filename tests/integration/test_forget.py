"""A person is forgotten: in the state, the journal, the snapshot, and in every byte of their files."""
import json
import subprocess
import unittest

from harness import *


def canaries(number):
    """What is personal about a customer, each to be found nowhere afterwards."""
    return {"first_name": f"Canaryfirst{number}", "last_name": f"Canarylast{number}", "email": f"canary{number}@mail.example",
            "reference": f"canaryref{number}", "address": f"{number} Canary Street", "phone": f"+1 555 0{number}"}


def webhook(number, customer, subscription, **more):
    pairs = [("id", number), ("event", "subscription_state_change"), ("payload[site][subdomain]", "acme"),
             ("payload[event_id]", number), ("payload[subscription][id]", subscription),
             ("payload[subscription][state]", "active"), ("payload[subscription][created_at]", "2026-01-01 00:00:00 -0500"),
             ("payload[subscription][updated_at]", f"2026-02-01 00:{number // 60 % 60:02}:{number % 60:02} -0500"),
             ("payload[subscription][balance_in_cents]", number),
             ("payload[subscription][customer][id]", customer),
             ("payload[subscription][customer][created_at]", "2026-01-01 00:00:00 -0500"),
             ("payload[subscription][customer][updated_at]", "2026-01-01 00:00:00 -0500"),
             ("payload[subscription][product][id]", 1), ("payload[subscription][product][handle]", "gold"),
             ("payload[subscription][product][name]", "Golden plan"),
             ("payload[subscription][credit_card][id]", customer + 1000),
             ("payload[subscription][credit_card][masked_card_number]", "XXXX-XXXX-XXXX-98" + str(customer)),
             ("payload[subscription][credit_card][customer_id]", customer)]
    pairs += [(f"payload[subscription][customer][{key}]", value) for key, value in canaries(customer).items()]
    return form(pairs + list(more.items()))


class Forget(DaemonCase):
    options = {"extra": "[journal]\nsegment_bytes = 65536\n"}

    def rows(self, customer):
        """Everything in the state about a customer that is not personal."""
        return self.daemon.sql("SELECT s.id, s.state, s.balance_in_cents, s.product_handle, s.created_at FROM subscriptions s "
                               f"WHERE s.customer_id = {customer} ORDER BY 1") + self.daemon.sql(
            f"SELECT kind, subscription_id, occurred_at, new_value FROM changes WHERE customer_id = {customer} ORDER BY 1, 2, 3")

    def files_that_hold(self, text):
        """Names of files in the state directory in which the text is, compressed segments decompressed."""
        found = []
        for path in sorted(self.daemon.state_directory.rglob("*")):
            if not path.is_file():
                continue
            data = path.read_bytes()
            if path.suffix == ".zst":
                data = subprocess.run(["zstd", "-dcq", str(path)], capture_output=True, check=True).stdout
            if text.encode() in data:
                found.append(path.name)
        return found

    def forget(self, customer):
        return json.loads(self.daemon.ctl("forget", "--customer", str(customer), "--yes", "--json").stdout)

    def test_leaves_no_byte(self):
        for number in range(1, 121):
            self.assertEqual(self.daemon.post(webhook(number, 7 + number % 3, 70 + number % 3)), 200)
        self.daemon.settle()
        self.assertTrue(self.files_that_hold("Canaryfirst8"), "the test looks in the right place")
        before = {customer: self.rows(customer) for customer in (7, 8, 9)}
        others = self.daemon.sql("SELECT * FROM customers WHERE id <> 8 ORDER BY id")
        self.assertEqual(self.forget(8), {"site": "acme", "customer": 8, "webhooks": 40})
        for text in [*canaries(8).values(), "canary8%40mail.example", "XXXX-988", "8+Canary+Street"]:
            self.assertEqual(self.files_that_hold(text), [], text)
        self.assertEqual({customer: self.rows(customer) for customer in (7, 8, 9)}, before)
        self.assertEqual(self.daemon.sql("SELECT * FROM customers WHERE id <> 8 ORDER BY id"), others)
        self.assertEqual(self.daemon.sql("SELECT first_name, last_name, email, reference, attributes FROM customers WHERE id = 8"),
                         [(None, None, None, None, "{}")])
        self.assertEqual(self.daemon.sql("SELECT last_four FROM payment_profiles WHERE id = 1008"), [(None,)])
        self.assertEqual(self.daemon.ctl("check").returncode, 0)
        self.assertEqual(self.forget(8)["webhooks"], 0, "there is nothing left")
        # It goes on: restart, rebuild, new webhooks, replays.
        self.assertEqual(self.daemon.stop(), 0)
        self.daemon.start()
        self.daemon.ctl("rebuild")
        self.assertEqual({customer: self.rows(customer) for customer in (7, 8, 9)}, before)
        self.assertEqual(self.daemon.post(webhook(1, 8, 71)), 200)
        self.assertEqual(self.daemon.post(webhook(500, 7, 70)), 200)
        self.daemon.settle()
        self.assertEqual(self.daemon.sql("SELECT count(*) FROM events"), [(121,)])
        self.assertEqual(self.daemon.sql("SELECT email FROM customers WHERE id = 8"), [(None,)])

    def test_wants_to_be_sure(self):
        self.daemon.post(webhook(1, 8, 80))
        self.daemon.settle()
        refused = self.daemon.ctl("forget", "--customer", "8", check=False)
        self.assertEqual(refused.returncode, 2)
        self.assertIn("--yes", refused.stderr)
        self.assertEqual(self.daemon.ctl("forget", "--customer", "99", "--yes", check=False).returncode, 3)
        self.assertEqual(self.daemon.sql("SELECT first_name FROM customers"), [("Canaryfirst8",)])

    def test_needs_the_daemon(self):
        self.daemon.post(webhook(1, 8, 80))
        self.daemon.settle()
        self.daemon.stop()
        refused = self.daemon.ctl("forget", "--customer", "8", "--yes", check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("start it", refused.stderr)


if __name__ == "__main__":
    unittest.main()
