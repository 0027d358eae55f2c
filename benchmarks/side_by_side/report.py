"""What came out: a line of JSON for each measurement, a table with ratios, a picture."""

from __future__ import annotations

import json
import os
import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.table import Table

from benchmarks.side_by_side.engine import Engine
from benchmarks.side_by_side.run import Measured

COLOURS = {"citybrain": "#0b6e4f", "python": "#3b6ea5", "java": "#c46b1f"}
BAR_INCHES = 0.32
BEGIN, END = "<!-- measured -->", "<!-- measured until here -->"
COLUMNS = (
    "input",
    "engine",
    "readings/s",
    "range",
    "2nd half",
    "µs of processor a reading: engine + broker (+ database)",
    "MB",
    "citybrain ×",
    "durable",
)
RULE = ("---",) * len(COLUMNS)


@dataclass(slots=True)
class Report:
    """All measurements by engine, in the order of the engines; and who could not be measured."""

    file: TextIO | None = None
    engines: dict[str, Engine] = field(default_factory=dict)
    found: dict[str, list[Measured]] = field(default_factory=lambda: defaultdict(list))
    failed: dict[str, str] = field(default_factory=dict)

    def add(self, engine: Engine, round_number: int, measured: Measured) -> None:
        """One run that was done and right."""
        self.engines[engine.key] = engine
        self.found[engine.key].append(measured)
        more = {"rate": round(measured.rate), "late_rate": round(measured.late_rate)}
        load = round(os.getloadavg()[0], 2)
        self.say(_head(engine) | {"round": round_number, **asdict(measured), **more, "load": load})

    def fail(self, engine: Engine, why: str) -> None:
        """An engine that did not end or gave other results: reported, and not timed."""
        self.failed[engine.key] = why
        self.say(_head(engine) | {"failed": why})

    def say(self, line: Mapping[str, object]) -> None:
        text = json.dumps(line, ensure_ascii=False)
        print(text, flush=True)
        if self.file is not None:
            print(text, file=self.file, flush=True)

    def rate(self, key: str) -> float:
        """The median rate of its rounds."""
        return statistics.median(m.rate for m in self.found[key])

    def measured(self) -> list[Engine]:
        """Engines with a rate, in their order."""
        return [e for key, e in self.engines.items() if self.found[key] and key not in self.failed]


def _head(engine: Engine) -> dict[str, object]:
    return {"engine": engine.name, "input": engine.input, "durable": engine.durable}


def show(report: Report, console: Console) -> None:
    """The closing table: medians, ranges, and how many times citybrain's worker is as fast."""
    table = Table(*COLUMNS)
    for row in _rows(report):
        table.add_row(*row)
    console.print(table)
    for line in (*compared(report), *(f"{key}: {why}" for key, why in report.failed.items())):
        console.print(line, markup=False)


def _rows(report: Report) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for engine in report.measured():
        runs = report.found[engine.key]
        # Others may use the database server at the same time: only citybrain's share is meant.
        parts = ("engine", "broker", "database")[: 3 if engine.done == "database" else 2]
        row = (
            engine.input,
            engine.title,
            f"{report.rate(engine.key):,.0f}",
            _range([m.rate for m in runs]),
            f"{statistics.median(m.late_rate for m in runs):,.0f}",
            " + ".join(_micro(runs, part) for part in parts),
            f"{max(m.rss_mb for m in runs):.0f}",
            ratio(report, engine),
            engine.durable,
        )
        rows.append(row)
    return rows


def ratio(report: Report, engine: Engine) -> str:
    """citybrain's rate on the same input, divided by this engine's; below 1 it is behind."""
    own = f"citybrain/{engine.key.rpartition('/')[2]}"
    if not any(e.key == own for e in report.measured()):
        return "–"
    return f"{report.rate(own) / report.rate(engine.key):.2f}"


def compared(report: Report) -> list[str]:
    """citybrain beside the fastest Python engine and the fastest Kafka Streams, by input."""
    lines = []
    for engine in report.measured():
        if engine.name != "citybrain":
            continue
        for family, called in (("python", "Python engine"), ("java", "Kafka Streams")):
            same = [e for e in report.measured() if (e.input, e.family) == (engine.input, family)]
            if same:
                best = max(same, key=lambda e: report.rate(e.key))
                lines.append(
                    f"{engine.input}: citybrain is {ratio(report, best)} times as fast as the "
                    f"fastest {called}, {best.title}"
                )
    return lines


def fill_page(report: Report, page: Path) -> None:
    """Writes the table into a page, between `BEGIN` and `END`; `ValueError` when it has none."""
    head, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, foot = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{page} has no lines {BEGIN} and {END}")
    rows = "\n".join("| " + " | ".join(row) + " |" for row in (COLUMNS, RULE, *_rows(report)))
    words = "\n".join(f"- {line}" for line in compared(report))
    page.write_text(f"{head}{BEGIN}\n{rows}\n\n{words}\n{END}{foot}", encoding="utf-8")


def draw(report: Report, path: Path) -> None:
    """Bars on a log scale, medians, the range as a line."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    engines = report.measured()[::-1]
    rates = [report.rate(engine.key) for engine in engines]
    low = [min(m.rate for m in report.found[e.key]) for e in engines]
    high = [max(m.rate for m in report.found[e.key]) for e in engines]
    figure, axes = pyplot.subplots(figsize=(11, 1.6 + BAR_INCHES * len(engines)))
    bars = axes.barh(
        [f"{engine.title}  [{engine.input}]" for engine in engines],
        rates,
        color=[COLOURS[engine.family] for engine in engines],
        xerr=[
            [rate - least for rate, least in zip(rates, low, strict=True)],
            [most - rate for rate, most in zip(rates, high, strict=True)],
        ],
        ecolor="#555555",
    )
    axes.bar_label(bars, [f"{rate:,.0f}" for rate in rates], padding=6, fontsize=8)
    axes.set_xscale("log")
    axes.set_xlim(min(rates, default=1) / 3, max(rates, default=1) * 4)
    axes.set_xlabel("readings per second, all durable that the engine makes durable (log scale)")
    axes.set_title("Per-sensor 5-minute mean and an alert with hysteresis; equal results checked")
    axes.grid(axis="x", alpha=0.3)
    axes.set_axisbelow(True)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def _range(rates: Sequence[float]) -> str:
    return f"{min(rates):,.0f}–{max(rates):,.0f}"


def _micro(runs: Sequence[Measured], part: str) -> str:
    spent = [getattr(m, f"{part}_cpu_s") / m.readings for m in runs]
    return f"{1e6 * statistics.median(spent):.1f}"
