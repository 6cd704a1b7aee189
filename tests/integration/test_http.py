"""Every answer of the traffic port, on the real daemon, over HTTP and HTTPS."""
import os
import pathlib
import re
import unittest
import warnings

from harness import *


class Statuses(DaemonCase):
    options = {"sites": {"acme": [KEY], "globex": ["other-key-9876543210", KEY]},
               "extra_ingress": "max_body_bytes = 65536\nheader_timeout_seconds = 1\nbody_timeout_seconds = 1\n"
                                "idle_timeout_seconds = 1\n"}

    def status_of(self, data, tls=False):
        answer = self.daemon.raw(data, tls)
        return int(answer[9:12]) if answer.startswith(b"HTTP/1.1 ") else 0

    def head(self, extra=b"", body=b"id=1&event=test", length=True, method=b"POST", path=b"/webhooks/acme"):
        lines = method + b" " + path + b" HTTP/1.1\r\nHost: localhost\r\n" + SIGNATURE.encode() + b": " + sign(body).encode()
        lines += b"\r\nConnection: close\r\n"
        if length:
            lines += b"Content-Length: %d\r\n" % len(body)
        return lines + extra + b"\r\n" + body

    def test_200_over_http_and_https(self):
        self.assertEqual(self.status_of(self.head()), 200)
        self.assertEqual(self.status_of(self.head(body=b"id=2&event=test"), tls=True), 200)
        self.assertEqual(self.daemon.journalled(), 2)

    def test_400_malformed_or_ambiguous(self):
        for extra in (b"Host: two\r\n", b"Content-Length: 15\r\n", b"Content-Length: 14\r\n", b"Transfer-Encoding: gzip\r\n",
                      b"Transfer-Encoding: chunked\r\n", b"X-A: a\r\n b\r\n", b"X-A : a\r\n", b"X-A: a\0b\r\n", b"junk\r\n"):
            self.assertEqual(self.status_of(self.head(extra)), 400, extra)
        self.assertEqual(self.status_of(b"GARBAGE\r\n\r\n"), 400)
        self.assertEqual(self.status_of(self.head().replace(b"Host: localhost\r\n", b"")), 400)
        self.assertEqual(self.daemon.journalled(), 0)

    def test_401_one_text_for_every_cause(self):
        body = b"id=1&event=test"
        answers = {self.daemon.request("POST", "/webhooks/acme", body, headers)[2]
                   for headers in ({}, {SIGNATURE: "x"}, {SIGNATURE: "0" * 64}, {SIGNATURE: sign(body, "wrong")})}
        self.assertEqual(len(answers), 1)

    def test_a_refusal_is_found_in_the_log_by_its_name(self):
        def line_of(name):
            return wait_for(lambda: next((l for l in self.daemon.log_lines() if l.get("request") == name
                                          and l["message"] == "request refused"), None), f"line of {name}")
        asked = (("POST", "/webhooks/acme", {SIGNATURE: "0" * 64}, 401, "bad_signature", "acme"),
                 ("POST", "/webhooks/globex", {}, 401, "missing_signature", "globex"),
                 ("POST", "/nowhere", {}, 404, "not_found", ""),
                 ("POST", "/webhooks/acme", {"Content-Encoding": "gzip"}, 415, "encoding", ""))
        names = set()
        for method, path, headers, status, reason, site in asked:
            got, answered, _ = self.daemon.request(method, path, b"id=1", headers)
            self.assertEqual(got, status)
            names.add(answered["X-Request-Id"])
            line = line_of(answered["X-Request-Id"])
            self.assertEqual((line["level"], line["status"], line["reason"], line["site"]), ("info", status, reason, site))
            self.assertNotIn("peer", line)
        self.assertEqual(len(names), len(asked))
        status, headers, _ = self.daemon.request("POST", "/webhooks/acme", b"id=1", {SIGNATURE: sign(b"id=1")})
        self.assertEqual((status, headers.get("X-Request-Id")), (200, None))

    def test_404_405(self):
        for path in ("/", "/webhooks", "/webhooks/", "/webhooks/nobody", "/webhooks/acme/", "/webhooks/acme/x", "/webhooks/%61cme",
                     "/webhooks/../healthz", "/favicon.ico"):
            self.assertEqual(self.daemon.request("POST", path, b"x", {SIGNATURE: sign(b"x")})[0], 404, path)
        status, headers, _ = self.daemon.request("GET", "/webhooks/acme")
        self.assertEqual((status, headers["Allow"]), (405, "POST"))
        status, headers, _ = self.daemon.request("POST", "/healthz", b"")
        self.assertEqual(status, 405)
        self.assertIn("GET", headers["Allow"])

    def test_408_too_slow(self):
        s = self.daemon.connect()
        s.sendall(b"POST /webhooks/acme HTTP/1.1\r\nHost: x\r\n")
        self.assertTrue(s.recv(4096).startswith(b"HTTP/1.1 408 "))
        s.close()
        s = self.daemon.connect()
        s.sendall(self.head(body=b"id=1&event=test")[:-3])
        self.assertTrue(s.recv(4096).startswith(b"HTTP/1.1 408 "))
        s.close()

    def test_411_413_415_417_431(self):
        self.assertEqual(self.status_of(self.head(length=False)), 411)
        self.assertEqual(self.status_of(self.head(body=b"x" * 65537)), 413)
        self.assertEqual(self.status_of(self.head(b"Content-Encoding: gzip\r\n")), 415)
        self.assertEqual(self.status_of(self.head(b"Expect: something\r\n")), 417)
        self.assertEqual(self.status_of(self.head(b"X-A: " + b"a" * 70000 + b"\r\n")), 431)
        self.assertEqual(self.status_of(self.head(b"".join(b"X-%d: a\r\n" % i for i in range(1000)))), 431)

    def test_a_body_at_the_limit_is_taken(self):
        self.assertEqual(self.status_of(self.head(body=b"x" * 65536)), 200)

    def test_content_type_is_not_judged(self):
        for i, kind in enumerate(("application/json", "text/plain; charset=x", "", "application/x-www-form-urlencoded; charset=UTF-8")):
            self.assertEqual(self.daemon.post(b"id=%d&event=test" % (i + 1), headers={"Content-Type": kind}), 200)

    def test_healthz(self):
        self.assertEqual(self.daemon.request("GET", "/healthz")[0::2], (200, b"ok\n"))
        self.assertEqual(self.daemon.request("HEAD", "/healthz", tls=True)[0::2], (200, b""))
        self.assertEqual(self.status_of(b"GET /healthz HTTP/1.0\r\n\r\n"), 200)

    def test_several_sites_and_keys(self):
        self.assertEqual(self.daemon.post(b"id=1&event=test", "globex", "other-key-9876543210"), 200)
        self.assertEqual(self.daemon.post(b"id=2&event=test", "globex", KEY), 200)
        self.assertEqual(self.daemon.post(b"id=3&event=test", "acme", "other-key-9876543210"), 401)
        self.daemon.settle()
        self.assertEqual(self.daemon.sql("SELECT site, count(*) FROM events GROUP BY 1"), [("globex", 2)])

    def test_keep_alive_and_pipelining(self):
        c = self.daemon.connection(tls=True)
        for n in range(1, 20):
            self.assertEqual(self.daemon.post(b"id=%d&event=test" % n, connection=c), 200)
        c.close()
        first = self.head(body=b"id=50&event=test").replace(b"Connection: close\r\n", b"")
        answer = self.daemon.raw(first + self.head(body=b"id=51&event=test"))
        self.assertEqual(answer.count(b"HTTP/1.1 200 "), 2)

    def test_every_byte_alone(self):
        s = self.daemon.connect()
        for byte in self.head(body=b"id=9&event=test"):
            s.sendall(bytes([byte]))
        self.assertTrue(s.recv(4096).startswith(b"HTTP/1.1 200 "))
        s.close()

    def test_an_idle_connection_is_closed(self):
        s = self.daemon.connect()
        self.assertEqual(s.recv(1), b"")
        s.close()


class OneSite(DaemonCase):
    def test_the_short_path_while_there_is_one_site(self):
        body = b"id=1&event=test"
        self.assertEqual(self.daemon.request("POST", "/webhooks", body, {SIGNATURE: sign(body)})[0], 200)


class Tls(DaemonCase):
    def handshake(self, minimum, maximum, ciphers=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # the old versions are offered on purpose
            context.minimum_version, context.maximum_version = minimum, maximum
        if ciphers:
            context.set_ciphers(ciphers)
        with socket.create_connection(("127.0.0.1", self.daemon.https), PATIENCE) as s:
            with context.wrap_socket(s) as t:
                return t.version(), t.cipher()[0]

    def test_versions_and_ciphers(self):
        v = ssl.TLSVersion
        self.assertEqual(self.handshake(v.TLSv1_3, v.TLSv1_3)[0], "TLSv1.3")
        self.assertEqual(self.handshake(v.TLSv1_2, v.TLSv1_2)[0], "TLSv1.2")
        for bad in ("ECDHE-ECDSA-AES128-SHA256", "AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-SHA"):
            with self.assertRaises((ssl.SSLError, ConnectionError), msg=bad):
                self.handshake(v.TLSv1_2, v.TLSv1_2, bad)
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.handshake(v.TLSv1, v.TLSv1_1, "DEFAULT:@SECLEVEL=0")

    def test_plain_http_on_the_tls_port_harms_nobody(self):
        with socket.create_connection(("127.0.0.1", self.daemon.https), PATIENCE) as s:
            s.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            while s.recv(4096):
                pass
        self.assertEqual(self.daemon.request("GET", "/healthz", tls=True)[0], 200)


class Samples(DaemonCase):
    """Captured requests of the folder in CHARGIFYD_SAMPLES: each is accepted when signed and lands where it should."""

    options = {"sites": {"acme": [KEY], "general-goods": [KEY], "capital-preferences-ltd": [KEY], "domain": [KEY], "mashapp2": [KEY]}}

    def test_every_sample(self):
        folder = os.environ.get("CHARGIFYD_SAMPLES")
        if not folder:
            self.skipTest("CHARGIFYD_SAMPLES is not set")
        files = sorted(pathlib.Path(folder).glob("*.form"))
        self.assertGreater(len(files), 20)
        expected = {}
        for file in files:
            body = file.read_bytes()
            named = re.search(rb"payload\[site\]\[subdomain\]=([^&]*)", body)
            site = named[1].decode() if named else "acme"
            self.assertEqual(self.daemon.post(body, site), 200, file.name)
            expected[file.name] = self.daemon.journalled()
        self.daemon.settle()
        for file in files:
            row = self.daemon.sql("SELECT outcome, event, error FROM events WHERE seq = ?", (expected[file.name],))
            if file.name.startswith(("prowave-", "m0dd3r-", "test-", "p5-test")) and row:
                self.assertEqual(row[0][0], "test", (file.name, row))
            if row:
                self.assertIsNone(row[0][2], (file.name, row))
        # The two captures of the same webhook are one.
        self.assertEqual(self.daemon.sql("SELECT count(*), max(deliveries) FROM events WHERE webhook_id = 141765008"), [(1, 2)])
        self.assertEqual(self.daemon.sql("SELECT state, product_handle, current_period_ends_at, customer_id FROM subscriptions "
                                         "WHERE id = 15100141"), [("active", "basic", "2016-11-09T21:06:42Z", 14585695)])
        self.assertEqual(self.daemon.sql("SELECT first_name, last_name FROM customers WHERE id = 14585695"), [("Alan", "Test")])
        pages = json.loads(self.daemon.sql("SELECT attributes FROM products WHERE id = 3792003")[0][0])["public_signup_pages"]
        self.assertEqual([p["id"] for p in pages], ["281054", "281240", "282694"])
        self.assertEqual(self.daemon.sql("SELECT count(*) FROM subscriptions WHERE id = 0"), [(0,)])


if __name__ == "__main__":
    unittest.main()
