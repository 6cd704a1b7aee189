#!/usr/bin/env python3
"""Tables from the results of a run.

usage: report.py RESULTS.json [DOCS-FOLDER]

Prints them; with a folder, writes those that performance.md and capacity.md there have between
`<!-- NAME: written by scripts/bench --docs -->` and `<!-- end -->`.
"""
import json
import pathlib
import re
import statistics
import sys

import capacity


def values(rows, key):
    return [row[key] for row in rows if key in row]


def median(rows, key):
    found = values(rows, key)
    return statistics.median(found) if found else None


def number(value):
    if value is None:
        return "–"
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}" if abs(value) >= 0.1 else f"{value:.3f}"


def spread(rows, key):
    """`median (lowest to highest)`."""
    found = values(rows, key)
    if not found:
        return "–"
    if len(found) == 1:
        return number(found[0])
    return f"{number(statistics.median(found))} ({number(min(found))} to {number(max(found))})"


def table(head, rows):
    return "\n".join(["| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head)] + rows]) + "\n"


def by_name(rows, columns):
    """A table with a row for each name; `columns`: (title, key)."""
    return table([""] + [title for title, _ in columns], [[name] + [spread(found, key) for _, key in columns] for name, found in rows.items()])


def tables(results):
    """By name of the case."""
    out = {"machine": machine_line(results)}
    cases = results["cases"]
    speed = [("acks per CPU-second", "per_cpu_second"), ("acks per second", "per_second"), ("p50 (ms)", "p50_ms"), ("p99 (ms)", "p99_ms"),
             ("sender's CPU (cores)", "generator_cpu")]
    if "kept" in cases:
        out["kept"] = by_name(cases["kept"], speed + [("peak memory (MiB)", "peak_mib"), ("applied per second meanwhile", "applied_per_second"),
                                                      ("applied per second afterwards", "caught_up_per_second")])
    if "connect" in cases:
        out["connect"] = by_name(cases["connect"], speed)
    if "latency" in cases:
        out["latency"] = by_name({f"{int(r):,}/s": rows for r, rows in cases["latency"].items()},
                                 [("p50 (ms)", "p50_ms"), ("p99 (ms)", "p99_ms"), ("p99.9 (ms)", "p999_ms"), ("missed", "missed"),
                                  ("sender late, p99 (ms)", "late_p99_ms"), ("sender's CPU (cores)", "generator_cpu"),
                                  ("applied per second meanwhile", "applied_per_second")])
    if "connections" in cases:
        out["connections"] = by_name(cases["connections"], speed)
    if "apply" in cases:
        out["apply"] = by_name({"lag at 5,000/s offered": cases["apply"]["lag"]},
                               [("median (ms)", "lag_p50_ms"), ("p99 (ms)", "lag_p99_ms"), ("most (ms)", "lag_max_ms")])
        out["apply"] += "\n" + by_name({"rebuild": cases["apply"]["rebuild"]}, [("webhooks per second", "per_second"), ("webhooks", "webhooks")])
    if "growth" in cases:
        out["growth"] = table(["subscriptions", "CPU of applying one webhook (µs)", "state.db (MiB)"],
                              [[f"{r['subscriptions']:,}", number(r["apply_us"]), number(r["state_bytes"] / 2**20)] for r in cases["growth"]["sizes"]])
    if "memory" in cases:
        out["memory"] = by_name(cases["memory"], [("idle TLS connections", "connections"), ("KiB for each", "kib_per_connection"),
                                                  ("all (MiB)", "total_mib")])
    if "disk" in cases:
        out["disk"] = by_name(cases["disk"], [("mean body (bytes)", "body_bytes"), ("compressed / received", "compressed_share"),
                                              ("compressed (MiB/s)", "mib_per_second")])
    if "start" in cases:
        rest = {name: rows for name, rows in cases["start"].items() if "journal" in name}
        out["start"] = by_name({name: rows for name, rows in cases["start"].items() if name not in rest}, [("until ready (s)", "start_seconds")])
        out["start"] += "\n" + by_name(rest, speed)
    if "kept" in cases:
        out["goals"] = goals(cases)
    return out


def machine_line(results):
    m = results["machine"]
    return (f"{m['processor']}, {m['cores']} cores shared with the sender, {m['memory_gib']} GiB, Linux {m['kernel']}, {m['file_system']}, "
            f"an fdatasync of 4 KiB takes {m['sync_ms']:.2f} ms. {results['options']['rounds']} rounds of {results['options']['seconds']} s; "
            f"medians, lowest and highest in brackets. {results['date']}, version {results['version']}.\n")


def ratio(rows, name, other, key="per_cpu_second"):
    if not rows.get(name) or not rows.get(other):
        return None
    pairs = [a[key] / b[key] for a, b in zip(rows[name], rows[other]) if b[key] > 0]
    return [{"ratio": p} for p in pairs]


def goals(cases):
    """Ratios within each round, so that an hour that was bad for one was bad for the other."""
    kept, connect = cases.get("kept", {}), cases.get("connect", {})
    rows = []

    def add(what, found, key, goal):
        if found:
            rows.append([what, spread(found, key), goal])
    add("ack while nothing is applied / nginx, per server CPU-second", ratio(kept, "chargifyd, not applying", "nginx"), "ratio", "0.40, good 0.65, best 0.80")
    add("ack while applying / nginx, per server CPU-second", ratio(kept, "chargifyd, applying", "nginx"), "ratio", "0.28, best 0.40")
    add("ack while applying / Node with group commit, per server CPU-second", ratio(kept, "chargifyd, applying", "node"), "ratio", "3")
    add("ack while applying / Sinatra, per server CPU-second", ratio(kept, "chargifyd, applying", "sinatra"), "ratio", "")
    for kind in ("full", "resumed"):
        add(f"TLS connection per webhook, {kind} / nginx, per server CPU-second",
            ratio(connect, f"chargifyd, {kind}", f"nginx, {kind}"), "ratio", "1")
    at = cases.get("latency", {}).get("10000")
    for what, key, goal in (("p50", "p50_ms", "0.5"), ("p99", "p99_ms", "2"), ("p99.9", "p999_ms", "10")):
        add(f"{what} at 10,000/s offered (ms)", at, key, f"below {goal}")
    add("applied per second, nothing else to do", kept.get("chargifyd, not applying"), "caught_up_per_second", "20,000")
    add("applied per second during the load", kept.get("chargifyd, applying"), "applied_per_second", "20,000")
    add("lag at 5,000/s offered, most (ms)", cases.get("apply", {}).get("lag"), "lag_max_ms", "below 200")
    add("rebuild, webhooks per second", cases.get("apply", {}).get("rebuild"), "per_second", "50,000")
    sizes = cases.get("growth", {}).get("sizes", [])
    if len(sizes) > 1:
        add(f"cost of an apply at {sizes[-1]['subscriptions']:,} subscriptions / at {sizes[0]['subscriptions']:,}",
            [{"ratio": sizes[-1]["apply_us"] / sizes[0]["apply_us"]}], "ratio", "1.5")
    start = cases.get("start", {})
    add("cost of an ack, journal of a terabyte / empty one", ratio(start, "empty journal", "journal of a terabyte"), "ratio", "1")
    add("peak memory under load (MiB)", kept.get("chargifyd, applying"), "peak_mib", "below 64")
    add("memory of an idle TLS connection (KiB)", cases.get("memory", {}).get("chargifyd"), "kib_per_connection", "24")
    add("compressed segment / received bytes", cases.get("disk", {}).get("lives"), "compressed_share", "0.10")
    for name, found in start.items():
        if name.startswith("start with"):
            add(f"{name} webhooks journalled (s)", found, "start_seconds", "below 1 at 100 million")
    return table(["", "measured", "goal"], rows)


def as_text(results):
    """For a terminal."""
    return "\n".join(f"{name}\n\n{text}" for name, text in sorted(tables(results).items(), key=lambda t: t[0] == "goals"))


def fill(page, texts):
    """Replaces what stands between the marks."""
    def replace(found):
        return f"{found[1]}\n{texts[found[2]]}{found[3]}" if found[2] in texts else found[0]
    page.write_text(re.sub(r"(<!-- (\w+): written by scripts/bench --docs -->)\n.*?(<!-- end -->)", replace, page.read_text(), flags=re.S))


def main():
    results = json.loads(pathlib.Path(sys.argv[1]).read_text())
    texts = tables(results)
    if len(sys.argv) == 2:
        print(as_text(results))
        return
    texts.update(capacity.tables(results))
    for name in ("performance.md", "capacity.md"):
        fill(pathlib.Path(sys.argv[2], name), texts)


if __name__ == "__main__":
    main()
