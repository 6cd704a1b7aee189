#!/usr/bin/env python3
"""Draws the plots of docs/performance.md as SVG.

usage: plot.py RESULTS.json FOLDER
"""
import json
import math
import pathlib
import statistics
import sys

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 400, 70, 170, 40, 50
COLOURS = ["#1b6ca8", "#c2571a", "#3a8a3f", "#7a4fa3", "#8c6d31"]


def ticks(low, high):
    """Powers of ten, with 2 and 5 between when there is room."""
    steps = (1,) if math.log10(high / low) > 3 else (1, 2, 5)
    found = [s * 10.0**e for e in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1) for s in steps]
    return [t for t in found if low * 0.999 <= t <= high * 1.001]


def short(value):
    for size, unit in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{unit}"
    return f"{value:g}"


def bounds(found):
    low, high = min(found), max(found)
    return (low / 2, high * 2) if low == high else (low, high)


def plot(title, x_title, y_title, lines):
    """`lines`: by name a list of (x, y), all above zero. Both axes are logarithmic."""
    xs = [x for points in lines.values() for x, _ in points]
    ys = [y for points in lines.values() for _, y in points]
    (x0, x1), (y0, y1) = bounds(xs), bounds(ys)
    y0, y1 = y0 / 1.5, y1 * 1.5

    def across(x):
        return LEFT + (WIDTH - LEFT - RIGHT) * math.log(x / x0) / math.log(x1 / x0)

    def down(y):
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * math.log(y / y0) / math.log(y1 / y0)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" font-size="12">',
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>', f'<text x="{LEFT}" y="22" font-size="15">{title}</text>',
           f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 10}" text-anchor="middle">{x_title}</text>',
           f'<text transform="translate(16 {HEIGHT / 2}) rotate(-90)" text-anchor="middle">{y_title}</text>']
    for y in ticks(y0, y1):
        out += [f'<path d="M{LEFT} {down(y):.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>',
                f'<text x="{LEFT - 6}" y="{down(y) + 4:.1f}" text-anchor="end">{short(y)}</text>']
    for x in sorted(set(xs)):
        out += [f'<path d="M{across(x):.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#eee"/>',
                f'<text x="{across(x):.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{short(x)}</text>']
    for (name, points), colour in zip(lines.items(), COLOURS):
        path = " ".join(f"{across(x):.1f},{down(y):.1f}" for x, y in points)
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out += [f'<circle cx="{across(x):.1f}" cy="{down(y):.1f}" r="3" fill="{colour}"/>' for x, y in points]
    # Names beside the ends of their lines, apart from one another.
    last = HEIGHT
    for (name, points), colour in sorted(zip(lines.items(), COLOURS), key=lambda one: one[0][1][-1][1]):
        last = min(down(points[-1][1]) + 4, last - 15)
        out.append(f'<text x="{WIDTH - RIGHT + 8}" y="{last:.1f}" fill="{colour}">{name}</text>')
    return "\n".join(out + ["</svg>\n"])


def median(rows, key):
    return statistics.median(row[key] for row in rows)


def plots(cases):
    if "connections" in cases:
        lines = {}
        for name, rows in cases["connections"].items():
            server, count = name.split(", ")
            lines.setdefault(server, []).append((int(count), median(rows, "per_second")))
        yield "connections.svg", plot("Acknowledged webhooks over kept TLS connections", "connections", "per second", lines)
    if "latency" in cases:
        lines = {name: [(int(rate), max(median(rows, key), 0.001)) for rate, rows in cases["latency"].items()]
                 for name, key in (("p50", "p50_ms"), ("p99", "p99_ms"), ("p99.9", "p999_ms"))}
        yield "latency.svg", plot("From the moment a webhook was due to the end of its answer", "webhooks offered per second", "ms", lines)
    if "growth" in cases:
        points = [(row["subscriptions"], row["apply_us"]) for row in cases["growth"]["sizes"]]
        yield "growth.svg", plot("Applying one webhook", "subscriptions", "µs of CPU", {"apply": points})


def main():
    folder = pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in plots(json.loads(pathlib.Path(sys.argv[1]).read_text())["cases"]):
        (folder / name).write_text(text)


if __name__ == "__main__":
    main()
