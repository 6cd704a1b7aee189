"""The alerts, the dashboard and the manual speak of metrics that are there, and a real Prometheus understands them."""
import json
import pathlib
import re
import unittest

from harness import *

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULES = ROOT / "config" / "prometheus" / "chargifyd.rules.yml"
DASHBOARD = ROOT / "config" / "grafana" / "chargifyd.json"


def dashboard_expressions():
    panels = json.loads(DASHBOARD.read_text())["panels"]
    return [target["expr"] for panel in panels for target in panel.get("targets", [])]


class Metrics(DaemonCase):
    options = {"sites": {"acme": [KEY, "second-" + KEY]}}

    def setUp(self):
        super().setUp()
        self.daemon.post(subscription(1))
        self.daemon.post(subscription(2), signature="0" * 64)
        self.daemon.settle()
        self.daemon.request("GET", "/nowhere")
        self.control("/v1/control/maintain")

    def control(self, path):
        """A command over the control socket."""
        c = http.client.HTTPConnection("localhost", timeout=PATIENCE)
        c.sock = socket.socket(socket.AF_UNIX)
        c.sock.connect(str(self.daemon.state_directory / "control.sock"))
        c.request("POST", path)
        self.assertEqual(c.getresponse().status, 200)
        c.close()

    def test_whatever_is_spoken_of_is_there(self):
        present = set(re.findall(r"^(chargifyd_\w+?)(?:_bucket|_sum|_count)?[{ ]", self.daemon.metrics(), re.M))
        for file in (RULES, DASHBOARD, ROOT / "docs" / "operations.md"):
            named = set(re.findall(r"\bchargifyd_[a-z_]+", file.read_text()))
            named = {re.sub(r"_(bucket|sum|count)$", "", name) for name in named}
            self.assertGreater(len(named), 5, file)
            self.assertEqual(named - present, set(), file)
        documented = (ROOT / "docs" / "operations.md").read_text()
        self.assertEqual({name for name in present if name not in documented}, set(), "are not in docs/operations.md")

    def test_the_key_in_use_is_seen(self):
        def used(key):
            return float(re.search(rf'shared_key_last_used_timestamp_seconds{{key="{key}",site="acme"}} (\S+)', self.daemon.metrics())[1])
        self.assertGreater(used(1), 1e9)
        self.assertEqual(used(2), 0)
        self.daemon.post(subscription(3), key="second-" + KEY)
        self.assertGreater(used(2), 1e9)

    def test_the_certificates_end_is_seen(self):
        at = float(re.search(r"(?m)^chargifyd_certificate_expiry_timestamp_seconds (\S+)", self.daemon.metrics())[1])
        self.assertGreater(at, time.time())
        self.assertLess(at, time.time() + 40 * 86400)

    def test_the_configuration_in_force_is_seen(self):
        def print_of(): return re.findall(r'config_info{fingerprint="(\w+)"} 1\b', self.daemon.metrics())
        first = print_of()
        self.assertEqual(len(first), 1)
        self.daemon.write_config(level="warning")
        self.daemon.process.send_signal(signal.SIGHUP)
        wait_for(lambda: print_of() != first, "the configuration is taken over")
        self.assertEqual(len(print_of()), 1)

    def test_prometheus_understands_it_all(self):
        if not shutil.which("promtool") or not shutil.which("prometheus"):
            self.skipTest("prometheus is not installed")
        checked = subprocess.run(["promtool", "check", "metrics"], input=self.daemon.metrics(), capture_output=True, text=True)
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
        tested = subprocess.run(["promtool", "test", "rules", "chargifyd.test.yml"], cwd=RULES.parent, capture_output=True, text=True)
        self.assertEqual(tested.returncode, 0, tested.stdout + tested.stderr)
        with socket.create_server(("127.0.0.1", 0)) as s:
            port = s.getsockname()[1]
        config = self.folder / "prometheus.yml"
        config.write_text(f"global: {{scrape_interval: 1s}}\nrule_files: [{RULES}]\nscrape_configs:\n"
                          f"  - job_name: chargifyd\n    static_configs: [{{targets: ['127.0.0.1:{self.daemon.admin}']}}]\n")
        server = subprocess.Popen(["prometheus", f"--config.file={config}", f"--storage.tsdb.path={self.folder / 'tsdb'}",
                                   f"--web.listen-address=127.0.0.1:{port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            def ask(path):
                c = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
                try:
                    c.request("GET", path)
                    return json.loads(c.getresponse().read())
                except (OSError, ValueError):
                    return {}
                finally:
                    c.close()

            def query(expression):
                return ask("/api/v1/query?" + urllib.parse.urlencode({"query": expression}))

            wait_for(lambda: query("chargifyd_connections").get("data", {}).get("result"), "the daemon is scraped")
            self.assertEqual(query("up")["data"]["result"][0]["value"][1], "1")
            for expression in dashboard_expressions():
                filled = expression.replace("$instance", ".*").replace("$__rate_interval", "1m")
                self.assertEqual(query(filled).get("status"), "success", filled)
            rules = ask("/api/v1/rules")["data"]["groups"][0]["rules"]
            self.assertEqual({rule["health"] for rule in rules} - {"unknown"} or {"ok"}, {"ok"}, rules)
        finally:
            server.terminate()
            server.wait(PATIENCE)


if __name__ == "__main__":
    unittest.main()
