"""The judge of flow documents: each finding, and that nothing makes it stumble.

Engine rules 28 and 30.
"""

from copy import deepcopy
from cProfile import Profile
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.steps.check import check_document
from apps.steps.document import compile_flow
from apps.steps.findings import errors_in
from apps.steps.format import document_hash
from tests.steps.documents import CALL, STOP, codes, document, link, mapped, only, step
from tools.bench_check import large_document


def test_a_good_document_has_no_findings(good):
    assert check_document(good) == []


def test_unknown_fields_are_no_finding(good):
    good["x-team"] = {"a": 1}
    good["steps"]["size"]["comment"] = "ours"
    good["links"][0]["label"] = "always"
    good["settings"]["colour"] = "blue"

    assert check_document(good) == []


class TestTheDocument:
    @pytest.mark.parametrize("value", [None, True, 3, "text", [], [1]])
    def test_must_be_an_object(self, value):
        assert codes(value) == ["bad_document"]

    def test_must_name_its_format(self, good):
        del good["format"]
        assert codes(good) == ["no_format"]

    def test_of_an_unknown_format_is_not_read_further(self, good):
        good["format"] = "signalbox.flow/2"
        good["steps"] = 3
        assert codes(good) == ["unknown_format"]

    @pytest.mark.parametrize(
        "field, value, code",
        [
            ("steps", [], "bad_document"),
            ("links", {}, "bad_document"),
            ("trigger", None, "no_trigger"),
            ("trigger", {"type": "webhok"}, "unknown_trigger_type"),
            ("trigger", {"type": ["webhook"]}, "unknown_trigger_type"),
            ("name", 3, "bad_name"),
            ("name", "Two\nlines", "bad_name"),
            ("name", "\u202egnp.exe", "bad_name"),
            ("name", "n" * 151, "bad_name"),
            ("name", "", "no_name"),
            ("layout", [], "bad_layout"),
            ("layout", {"size": ["a", 2]}, "bad_layout"),
            ("settings", {"concurrency": {"max": 0}}, "bad_settings"),
            ("settings", {"risk": "huge"}, "bad_settings"),
            ("settings", 3, "bad_settings"),
            ("more", 1.5, "not_json"),
            ("more", "\0", "not_json"),
            ("more", "x" * 1_000_001, "too_large"),
        ],
    )
    def test_fields_of_a_wrong_shape(self, good, field, value, code):
        good[field] = value
        assert code in codes(good)

    def test_markup_in_names_is_text(self, good):
        good["name"] = "<script>alert(1)</script>"
        good["steps"]["size"]["title"] = "<b>Large?</b> [x](javascript:y)"
        assert check_document(good) == []

    def test_without_steps(self):
        assert "no_steps" in codes(document({}, []))

    def test_with_too_many_steps(self):
        steps = {f"s{index}": STOP for index in range(2_001)}
        assert "too_many_steps" in codes(document(steps, ["trigger -> s0"]))

    @pytest.mark.parametrize(
        "number", [Decimal("0.1234567890123456789"), 2**53 + 1, Decimal("1E+400")]
    )
    def test_a_number_that_is_not_a_double_is_refused(self, number):
        checked = mapped(n={"deep": [number]})
        assert only(checked, "bad_number").path == "/steps/it/config/fields/n/deep/0"
        assert only(checked, "bad_number").step == "it"

    @pytest.mark.parametrize("number", [Decimal("0.1"), Decimal("1.50"), 2**53, -3, 10**20])
    def test_a_number_that_names_a_double_is_kept(self, number):
        assert check_document(mapped(n=number)) == []

    def test_the_layout_may_hold_any_number(self, good):
        good["layout"]["size"] = [Decimal("0.1234567890123456789"), 1]
        assert check_document(good) == []


class TestSteps:
    @pytest.mark.parametrize("step_id", ["Size", "1st", "a-b", "", "ä", "a" * 64, "x y", "a\nb"])
    def test_an_id_of_odd_characters(self, good, step_id):
        good["steps"][step_id] = step("stop")
        good["links"].append({"from": "size", "port": "large", "to": step_id})
        assert codes(good) == ["bad_step_id", "leftover_token"]

    @pytest.mark.parametrize("step_id", ["steps", "run", "item", "index"])
    def test_a_reserved_id(self, good, step_id):
        good["steps"][step_id] = step("stop")
        good["links"].append({"from": "size", "port": "large", "to": step_id})
        assert codes(good) == ["reserved_step_id", "leftover_token"]

    @pytest.mark.parametrize(
        "changes, code",
        [
            ({"type": "decde"}, "unknown_type"),
            ({"type": None}, "unknown_type"),
            ({"type": 3}, "unknown_type"),
            ({"version": 99}, "unknown_version"),
            ({"version": "1"}, "unknown_version"),
            ({"version": True}, "unknown_version"),
            ({"title": ["x"]}, "bad_name"),
            ({"title": "a\r\nb"}, "bad_name"),
        ],
    )
    def test_unknown_types_and_bad_titles(self, good, changes, code):
        good["steps"]["size"].update(changes)
        assert code in codes(good)

    def test_an_unknown_type_suggests_the_nearest(self, good):
        good["steps"]["size"]["type"] = "decde"
        assert only(good, "unknown_type").fix == "Did you mean “decide”?"

    def test_a_step_that_is_no_object(self, good):
        good["steps"]["size"] = "decide"
        assert "bad_step" in codes(good)


class TestLinks:
    @pytest.mark.parametrize(
        "one, code",
        [
            ({"from": "size", "port": "large", "to": "gone"}, "unknown_step"),
            ({"from": "gone", "to": "end"}, "unknown_step"),
            ({"from": None, "to": "end"}, "unknown_step"),
            ({"from": "size", "port": "large"}, "unknown_step"),
            ({"from": "size", "port": "huge", "to": "end"}, "unknown_port"),
            ({"from": "trigger", "port": "done", "to": "end"}, "unknown_port"),
            ({"from": "size", "to": "end"}, "port_missing"),
            ({"from": "size", "port": 3, "to": "end"}, "bad_link"),
            ({"from": "end", "to": "size"}, "no_ports"),
            ({"from": "size", "port": "large", "to": "approve"}, "duplicate_link"),
            ({"from": "size", "port": "large", "to": "trigger"}, "link_into_trigger"),
            ("size -> end", "bad_link"),
        ],
    )
    def test_a_link_that_cannot_be(self, good, one, code):
        good["links"].append(one)
        finding = only(good, code)
        assert finding.severity == "error"
        assert finding.path.startswith("/links/6")

    def test_a_missing_target_suggests_the_nearest(self, good):
        good["links"].append(link("size:large -> aprove"))
        assert only(good, "unknown_step").fix == "Did you mean “approve”?"

    def test_the_same_link_twice_by_its_only_port_and_without(self):
        checked = document(
            {"it": step("map", fields={}), "end": STOP},
            ["trigger -> it", "it -> end", "it:done -> end"],
        )
        assert codes(checked) == ["duplicate_link"]

    def test_nothing_is_linked_to_the_trigger(self, good):
        del good["links"][0]
        assert codes(good) == ["no_trigger_link"]

    def test_a_step_that_is_not_reached(self, good):
        good["steps"]["lost"] = CALL
        good["links"] += [link("lost:done -> end"), link("lost:error -> end")]
        assert only(good, "unreachable").step == "lost"

    def test_a_port_without_a_link_is_a_warning(self, good):
        good["links"].remove(link("size:small -> end"))
        assert only(good, "unlinked_port").severity == "warning"

    @pytest.mark.parametrize("port", ["rejected", "timeout"])
    def test_an_approval_must_say_what_happens_without_a_yes(self, good, port):
        good["links"].remove(link(f"approve:{port} -> end"))
        assert only(good, "unlinked_port").severity == "error"


class TestNothingMakesItStumble:
    anything = st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.decimals(allow_nan=False, allow_infinity=False)
        | st.text(max_size=12)
        | st.sampled_from(["trigger", "map", "decide", "=steps.a.output", "= 1 +", "webhook", "a"]),
        lambda inner: st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["steps", "links", "trigger", "type", "version", "config", "from", "to", "port", "a",
                 "branches", "when", "otherwise", "fields", "mode", "n", "assignees", "groups",
                 "headers", "secret", "layout", "settings", "name", "title", "url"]
            )
            | st.text(max_size=5),
            inner,
            max_size=5,
        ),
        max_leaves=25,
    )  # fmt: skip

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(anything)
    def test_whatever_it_is_given(self, value):
        for one in check_document(value):
            assert one.message
            assert one.fix

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def test_a_good_document_with_one_part_replaced_can_run_or_has_errors(self, data):
        changed = large_document(8)
        here: Any = changed
        for _ in range(data.draw(st.integers(0, 5))):
            keys = list(here) if isinstance(here, dict) else list(range(len(here)))
            if not keys:
                break
            key = data.draw(st.sampled_from(keys))
            if not isinstance(here[key], dict | list):
                break
            here = here[key]
        keys = list(here) if isinstance(here, dict) else list(range(len(here)))
        if keys:
            here[data.draw(st.sampled_from(keys))] = data.draw(self.anything)
        findings = check_document(changed)
        for one in findings:
            assert one.as_json()["code"]
        if not errors_in(findings):
            compile_flow(changed)
            document_hash(changed)

    def test_a_document_deeper_than_json_may_be(self, good):
        deep: list[Any] = []
        for _ in range(2_000):
            deep = [deep]
        good["more"] = deep
        assert codes(good) == ["not_json"]

    def test_the_document_is_not_changed(self, good):
        before = deepcopy(good)
        check_document(good)
        assert good == before


def calls_of(steps):
    """How many Python functions one check calls: the same on a slow machine and a fast one."""
    checked = large_document(steps)
    check_document(checked)
    profile = Profile()
    profile.runcall(check_document, checked)
    return sum(entry.callcount for entry in profile.getstats())


def test_the_work_grows_as_the_document_does():
    assert errors_in(check_document(large_document(200))) == []
    assert calls_of(400) < 2.2 * calls_of(200)


@pytest.mark.parametrize("kind", ["mail.send", "http.request"])
def test_a_link_that_names_no_way_out_leaves_by_done_where_there_is_one(kind):
    config = {
        "mail.send": {"to": "a@example.org", "subject": "Hello", "text": "Hello"},
        "http.request": {"url": "https://example.org/"},
    }[kind]
    doc = {
        "format": "signalbox.flow/1",
        "name": "Told",
        "trigger": {"type": "manual", "config": {}},
        "steps": {
            "tell": {"type": kind, "version": 1, "title": "Tell", "config": config},
            "end": {"type": "stop", "version": 1, "title": "End", "config": {}},
        },
        "links": [{"from": "trigger", "to": "tell"}, {"from": "tell", "to": "end"}],
    }
    assert [one.code for one in check_document(doc) if one.severity == "error"] == []
    assert compile_flow(doc).graph.from_port("tell", "done")[0].target == "end"
