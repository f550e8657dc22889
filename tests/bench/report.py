# SPDX-License-Identifier: ISC
"""What the bench found, as tables for people, as a page and as a plot."""

import os
import platform
import re
import statistics
import time

COLORS = ["#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#bbbbbb"]


def median_of(results, key):
    values = [result[key] for result in results if result.get(key) is not None]
    return statistics.median(values) if values else 0


def ratio_text(rate, floor):
    """Nothing can be compared with a floor that is not there, or costs next to nothing."""
    return f"{rate / floor:.2f}" if floor > 0 else "–"


def rows_of(scenario, results):
    """A row a contender: name, figure, ratio to the floor as text, spread, µs of CPU, p50, p99, MB, errors."""
    floor = median_of(results["floor"], "rate") if results.get("floor") else 0
    rows = []
    for name, rounds in results.items():
        rates = [result["rate"] for result in rounds]
        rate = statistics.median(rates)
        rows.append({
            "name": name,
            "rate": rate,
            "ratio": ratio_text(rate, floor),
            "spread": (max(rates) - min(rates)) / rate if rate else 0,
            "usec": median_of(rounds, "usec"),
            "p50": median_of(rounds, "p50"),
            "p99": median_of(rounds, "p99"),
            "memory": median_of(rounds, "memory") / 1e6,
            "started": median_of(rounds, "started") * 1000,
            "bad": sum(result.get("bad", 0) for result in rounds),
        })
    return rows


COLUMNS = [("{name:24}", "who", "{:24}"), ("{rate:12,.0f}", "figure", "{:>12}"), ("{ratio:>9}", "of floor", "{:>9}"),
           ("{usec:9,.0f}", "µs CPU", "{:>9}"), ("{p50:9,.0f}", "p50 µs", "{:>9}"), ("{p99:9,.0f}", "p99 µs", "{:>9}"),
           ("{memory:9,.1f}", "PSS MB", "{:>9}"), ("{started:9,.0f}", "start ms", "{:>9}"), ("{bad:8,.0f}", "errors", "{:>8}")]


def print_table(scenario, results, failures):
    print(f"\n{scenario.title} ({scenario.name}), {scenario.unit}")
    print(" ".join(form.format(title) for _, title, form in COLUMNS))
    for row in rows_of(scenario, results):
        print(" ".join(form.format(**row) for form, _, _ in COLUMNS))
    for name, why in failures.items():
        print(f"{name:24} could not: {why}")
    print("", end="", flush=True)


def environment():
    model = "unknown processor"
    with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
        found = re.search(r"^model name\s*: (.*)", file.read(), re.M)
        model = found.group(1) if found else model
    return f"{os.cpu_count()} processors ({model}), Linux {platform.release()}, {time.strftime('%d %B %Y')}"


def markdown(outcomes, options):
    text = f"""# Performance

Made by `make bench`, which anybody can repeat: medians of {options.rounds} rounds of {options.seconds:g} s each, in turn, \
on {environment()}. The floor is a bare loop of `accept`, `clone` and `exec` (or `recv` and `send`) with the same
set-up of the child, without checks, limits or log. usherd and xinetd are given the same file: a hundred address
rules, `instances`, `per_source` and `cps` on, START and EXIT to a log. The others do without most of that.
The servers that are started have no C library (tests/bench/bare.h): on a virtual machine the library's first look at
the processor takes ten times as long as all that a super-server does for a connection, and is the same for all.
Figures from one machine say little about another: the ratios are what counts.

![connections a second against the number of services](performance.svg)
"""
    for scenario, results, failures in outcomes:
        text += f"\n## {scenario.title}\n\n| | {scenario.unit} | of floor | µs of CPU | p50 µs | p99 µs | PSS MB | start ms | errors |\n"
        text += "|---|---:|---:|---:|---:|---:|---:|---:|---:|\n"
        for row in rows_of(scenario, results):
            text += ("| {name} | {rate:,.0f} | {ratio} | {usec:,.0f} | {p50:,.0f} | {p99:,.0f} | {memory:,.1f} | "
                     "{started:,.0f} | {bad:,.0f} |\n").format(**row)
        for name in failures:
            text += f"| {name} | could not | | | | | | | |\n"
    return text


def plot(outcomes):
    """Connections a second against the number of services, both axes by powers of ten."""
    lines = {}
    for scenario, results, _ in outcomes:
        services = getattr(scenario, "services", None)
        if services is None or getattr(scenario, "clients", 0) != 16:
            continue
        for name, rounds in results.items():
            lines.setdefault(name, {})[services] = median_of(rounds, "rate")
    lines = {name: points for name, points in lines.items() if len(points) > 1}
    rates = [rate for points in lines.values() for rate in points.values() if rate > 0]
    if not rates:
        return None
    import math

    left, top, width, height = 70, 20, 480, 300
    low, high = math.floor(math.log10(min(rates))), math.ceil(math.log10(max(rates)))

    def x_of(services):
        return left + width * math.log10(services) / 4

    def y_of(rate):
        return top + height * (high - math.log10(max(rate, 10**low))) / max(high - low, 1)

    svg = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + width + 150} {top + height + 50}" '
           'font-family="sans-serif" font-size="12">', '<rect width="100%" height="100%" fill="white"/>']
    for power in range(low, high + 1):
        y = y_of(10**power)
        svg.append(f'<line x1="{left}" y1="{y:.1f}" x2="{left + width}" y2="{y:.1f}" stroke="#ddd"/>'
                   f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{10**power:,}</text>')
    for power in range(5):
        x = x_of(10**power)
        svg.append(f'<line x1="{x:.1f}" y1="{top}" x2="{x:.1f}" y2="{top + height}" stroke="#ddd"/>'
                   f'<text x="{x:.1f}" y="{top + height + 18}" text-anchor="middle">{10**power:,}</text>')
    svg.append(f'<text x="{left + width / 2}" y="{top + height + 40}" text-anchor="middle">services</text>'
               f'<text transform="translate(14 {top + height / 2}) rotate(-90)" text-anchor="middle">connections a '
               'second</text>')
    ends = []
    for i, (name, points) in enumerate(sorted(lines.items(), key=lambda one: -one[1][max(one[1])])):
        color = COLORS[i % len(COLORS)]
        path = " ".join(f"{x_of(n):.1f},{y_of(rate):.1f}" for n, rate in sorted(points.items()))
        svg.append(f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"/>')
        y = max(y_of(points[max(points)]) + 4, (ends[-1] + 14) if ends else 0)
        ends.append(y)
        svg.append(f'<text x="{left + width + 8}" y="{y:.1f}" fill="{color}">{name}</text>')
    return "\n".join(svg) + "\n</svg>\n"


def write_document(directory, outcomes, options):
    with open(os.path.join(directory, "performance.md"), "w", encoding="utf-8") as file:
        file.write(markdown(outcomes, options))
    svg = plot(outcomes)
    if svg:
        with open(os.path.join(directory, "performance.svg"), "w", encoding="utf-8") as file:
            file.write(svg)
