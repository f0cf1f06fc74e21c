"""The tools that measure: bars, medians, plots, the stub and the copies of runs."""

import json
import subprocess
import sys
import threading
import urllib.error
import urllib.request
import xml.etree.ElementTree as ET
from pathlib import Path
from time import monotonic

import pytest

from tools.bench_bars import Bar, judged, median_of
from tools.bench_growth import drawn
from tools.plot import Panel, svg
from tools.stub import Stub

ROOT = Path(__file__).resolve().parents[2]


class TestBars:
    @pytest.mark.parametrize(
        ("bar", "figure", "met", "broken"),
        [
            (Bar("x", most=4), 4, True, False),
            (Bar("x", most=4), 4.1, False, False),
            (Bar("x", most=4), 20.1, False, True),
            (Bar("x", least=1200), 1200, True, False),
            (Bar("x", least=1200), 1199, False, False),
            (Bar("x", least=1200), 239, False, True),
            (Bar("x", most=0), 0, True, False),
            (Bar("x", most=4), None, False, True),
        ],
    )
    def test_five_times_the_bar_is_the_guard(self, bar, figure, met, broken):
        (verdict,) = judged([bar], {"x": figure})
        assert (verdict["met"], verdict["broken"]) == (met, broken)

    def test_a_figure_that_is_not_there_is_broken(self):
        (verdict,) = judged([Bar("x", most=4)], {})
        assert verdict["broken"]

    def test_bars_are_said_in_words(self):
        assert str(Bar("p50_ms", most=4)) == "p50_ms ≤ 4"
        assert str(Bar("per_second", least=1200)) == "per_second ≥ 1,200"

    def test_medians_are_field_by_field_and_texts_are_kept(self):
        rounds = [{"a": 3, "b": "x", "c": {"d": 1}}, {"a": 1, "b": "x", "c": {}}, {"a": 2, "b": ""}]
        assert median_of(rounds) == {"a": 2, "b": "x", "c": {"d": 1}}


class TestPlot:
    PANEL = Panel("Intake <runs>", "rows", {"one": [(1e3, 900), (1e6, 700)], "two": [(1e3, 5)]}, 10)

    def test_it_is_svg_that_says_what_it_shows(self):
        root = ET.fromstring(svg([self.PANEL], title="T & U", description="D"))
        texts = [one.text for one in root.iter("{http://www.w3.org/2000/svg}text")]
        assert {"Intake <runs>", "rows", "one", "two", "bar 10", "1,000", "1 M"} <= set(texts)
        assert root.get("role") == "img"
        assert "prefers-color-scheme:dark" in svg([self.PANEL], title="T", description="D")

    def test_everything_lies_on_the_paper(self):
        root = ET.fromstring(svg([self.PANEL], title="T", description="D"))
        width, height = float(root.get("width", 0)), float(root.get("height", 0))
        for line in root.iter("{http://www.w3.org/2000/svg}polyline"):
            for point in line.get("points", "").split():
                x, y = map(float, point.split(","))
                assert 0 < x < width
                assert 0 < y < height

    def test_a_single_figure_can_be_drawn(self):
        assert "<circle" in svg([Panel("T", "x", {"a": [(1000, 5)]})], title="T", description="D")

    def test_growth_is_drawn_of_its_figures(self):
        figures = [
            {
                "rows": rows,
                "workers": workers,
                "intake_per_second": 1000.0,
                "chain_per_second": 800.0,
                "effects_per_second": 300.0,
                "intake_cpu_ms": 1.2,
            }
            for rows in (1000, 1_000_000)
            for workers in (1, 2)
        ]
        assert "1,000,000 runs, 2 processes: intake 1000/s" in drawn(figures)

    def test_the_plot_of_the_page_is_there_and_whole(self):
        page = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
        assert "growth.svg" in page
        ET.parse(ROOT / "docs" / "growth.svg")


class TestStub:
    def test_it_answers_after_its_time_and_counts(self):
        with Stub() as stub:
            began = monotonic()
            calls = [threading.Thread(target=post, args=(f"{stub.url}/200",)) for _ in range(20)]
            for one in calls:
                one.start()
            for one in calls:
                one.join()
            assert monotonic() - began >= 0.2
            assert stub.answered == 20
        with pytest.raises(urllib.error.URLError):
            post(f"{stub.url}/0")


def post(url: str) -> None:
    request = urllib.request.Request(url, data=b'{"n": 1}', method="POST")
    with urllib.request.urlopen(request, timeout=20) as answer:
        assert json.load(answer) == {"ok": True}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--scenarios", "chain,nonsense"], "there is no scenario nonsense"),
        (["--rounds", "0"], "at least 1"),
        (["--signals", "-5"], "at least 1"),
        (["--rounds", "many"], "invalid int value"),
    ],
)
def test_what_cannot_be_measured_is_refused_before_anything_starts(arguments, said):
    done = subprocess.run(
        [sys.executable, "-m", "tools.bench", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert said in done.stderr
