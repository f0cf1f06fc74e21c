"""A flow in plain words: the same for the same hash, in English and German, for any document."""

import json
import random
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from apps.flows.examples import EXAMPLES
from apps.steps import registry
from apps.steps.explain.picture import drawn
from apps.steps.explain.tell import explain
from apps.steps.explain.times import duration, schedule
from apps.steps.explain.words import PARTS, SENTENCES
from apps.steps.format import document_hash
from tests.steps.documents import CALL, STOP, approve, document, link, step

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "golden" / "editor" / "explained.json"
DOCUMENTS = {name: one.document for name, one in EXAMPLES.items()}


def lines(made, language="en"):
    told = explain(made, language)
    return [
        *told.summary,
        *(
            f"{one.number}. {one.title}: {one.does} {' '.join(one.then)}".strip()
            for one in told.steps
        ),
        *(f"{one.title}: {one.who}. {' '.join(one.how)}" for one in told.deciding),
        *(
            f"{one.title} → {one.to}: {', '.join([*one.fields, *one.secrets])}"
            for one in told.leaving
        ),
    ]


def shuffled(value, dice):
    if isinstance(value, dict):
        names = list(value)
        dice.shuffle(names)
        return {name: shuffled(value[name], dice) for name in names}
    return [shuffled(one, dice) for one in value] if isinstance(value, list) else value


def test_golden_documents_are_told_as_they_were():
    """The documents stand beside their texts; ``{}`` in the file begins it anew."""
    before = json.loads(GOLDEN.read_text())
    told = {
        name: {"document": made, **{language: lines(made, language) for language in ("en", "de")}}
        for name, made in ((name, one["document"]) for name, one in before.items())
    }
    assert len(told) >= 3
    assert told == before


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize("language", ["en", "de"])
def test_the_same_hash_is_the_same_text_and_picture(name, language):
    made, dice = DOCUMENTS[name], random.Random(7)
    told = explain(made, language)
    for _ in range(5):
        other = {**shuffled(made, dice), "layout": {"trigger": [dice.random(), 3]}}
        assert document_hash(other) == told.hash
        again = explain(other, language)
        assert again == told
        assert drawn(other, again, "Start") == drawn(made, told, "Start")


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"any": 1}, "The first answer decides."),
        ({"n": 2}, "2 must approve."),
        ({"percent": 60}, "60 per cent must approve."),
        ({"weight": 5}, "Approvals must weigh 5 together."),
        ({"majority": True}, "When all have answered, the majority decides."),
    ],
)
def test_every_rule_is_said(rule, said):
    made = document({"ask": approve(rule=rule)}, ["trigger -> ask"])
    assert explain(made, "en").deciding[0].how[0] == said


def test_every_stage_is_said():
    stages = [
        {"title": "Finance", "assignees": {"groups": ["finance"]}, "rule": {"n": 2}},
        {"assignees": {"users": ["ceo@acme.test"]}},
    ]
    made = document({"ask": approve(stages=stages)}, ["trigger -> ask"])
    said = [
        "Once that is approved, stage 2 (“Finance”) asks the group “finance”. 2 must approve.",
        "Once that is approved, stage 3 asks ceo@acme.test. The first answer decides.",
    ]
    assert explain(made, "en").deciding[0].how[1:3] == said
    assert all(one in explain(made, "en").steps[0].does for one in said)


def test_every_limit_and_every_rung_is_said():
    rungs = [
        {"when": {"after": "PT4H", "business": True}, "what": {"remind": True}},
        {"when": {"percent": 50}, "what": {"add": {"groups": ["board"], "managers": True}}},
        {"when": {"percent": 60}, "what": {"reassign": {"users": ["ceo@acme.test"]}}},
        {"when": {"percent": 100, "of": "respond"}, "what": {"urgent": True}},
        {"when": {"after": "P1D"}, "what": {"outcome": "rejected"}},
    ]
    asked = approve(due="P2D", business=True, respond="PT8H", warnings=[50, 80], escalation=rungs)
    made = document({"ask": asked}, ["trigger -> ask"])
    assert explain(made, "en").deciding[0].how[1:-1] == [
        "Somebody should take it up within 8 hours.",
        "Time to answer: 2 days of working time; afterwards nobody is asked any more.",
        "Who has not answered is reminded at 50 and 80 per cent of the time.",
        "Without an answer after 4 hours of working time: those who are asked are reminded.",
        (
            "Without an answer at 50 per cent of the time: also asked: the group “board” and the"
            " managers of those who have not answered."
        ),
        "Without an answer at 60 per cent of the time: asked instead: ceo@acme.test.",
        "Where nobody has taken it up at 100 per cent of the time for that: it becomes urgent.",
        "Without an answer after 1 day: it ends as “rejected”.",
    ]
    said = explain(made, "de").deciding[0].how
    assert "Ohne Antwort nach 4 Stunden Arbeitszeit: die Gefragten werden erinnert." in said


@pytest.mark.parametrize(
    ("on_change", "english", "german"),
    [
        (
            "keep",
            "Answers given before then stand and are marked.",
            "Vorher gegebene Antworten bleiben dann gültig und werden gekennzeichnet.",
        ),
        (
            "ask_again",
            "Answers given before then lapse, and those people are asked again.",
            "Vorher gegebene Antworten verfallen dann, und diese Personen werden erneut gefragt.",
        ),
        (
            "restart",
            "Then it all begins anew with the first stage.",
            "Dann beginnt alles noch einmal mit der ersten Stufe.",
        ),
    ],
)
def test_what_changes_meanwhile_is_said(on_change, english, german):
    facts = [{"label": "Amount", "value": "event.data.amount"}]
    watch = {"type": "order.changed", "set": facts, "on_change": on_change}
    made = document({"ask": approve(watch=watch)}, ["trigger -> ask"])
    changes = "While people decide, the event “order.changed” changes “Amount”."
    assert explain(made, "en").deciding[0].how[-3:-1] == [changes, english]
    assert german in explain(made, "de").deciding[0].how


def test_for_how_long_answers_can_be_taken_back_is_said():
    made = document({"ask": approve(undo_for="PT1H")}, ["trigger -> ask"])
    said = "Once it is decided, answers can be taken back for 1 hour; only then does it go on."
    assert said in explain(made, "en").deciding[0].how
    assert any("noch 1 Stunde lang" in one for one in explain(made, "de").deciding[0].how)


def test_it_says_who_decides_and_what_leaves():
    steps = {
        "ask": approve(title='= "Pay " + trigger.body.name', due="PT4H", rule={"all": True}),
        "pay": step(
            "http.request", "Pay",
            method="POST", url='= "https://bank.example.org/pay/" + trigger.body.id',
            headers={"Authorization": {"secret": "bank"}}, body={"amount": "= trigger.body.amount"},
        ),
        "end": STOP,
    }  # fmt: skip
    made = document(
        steps, ["trigger -> ask", "ask:approved -> pay", "ask:rejected -> end", "pay:done -> end"]
    )
    told = explain(made, "en")
    assert [(one.who, one.how) for one in told.deciding] == [
        (
            "the group “finance”",
            [
                "All must approve.",
                "Time to answer: 4 hours; afterwards nobody is asked any more.",
                "Who asks may not decide.",
            ],
        )
    ]
    assert [(one.to, one.fields, one.secrets) for one in told.leaving] == [
        ("bank.example.org", ["trigger.body.amount", "trigger.body.id"], ["bank"])
    ]
    assert 'Asks the group “finance”: "Pay " + name.' in told.steps[0].does
    assert "When it fails, the run fails." in told.steps[1].then


@pytest.mark.parametrize(
    ("url", "to"),
    [
        ("https://a.example.org/x", "a.example.org"),
        ('= "https://a.example.org/" + trigger.body.x', "a.example.org"),
        ('= "https://a.example.org" + trigger.body.x', "an address made while it runs"),
        ("= trigger.body.url", "an address made while it runs"),
        ("http://[", "an address made while it runs"),
        (7, "an address made while it runs"),
    ],
)
def test_a_host_is_named_only_where_it_is_sure(url, to):
    made = document({"it": step("http.request", url=url)}, ["trigger -> it"])
    assert explain(made, "en").leaving[0].to == to


def test_every_step_type_has_a_sentence_of_its_own_in_both_languages():
    for one in registry.catalogue():
        made = document(
            {"it": {"type": one.kind, "version": one.version, "config": dict(one.default_config)}},
            ["trigger -> it"],
        )
        for language in ("en", "de"):
            does = explain(made, language).steps[0].does
            assert does, one.kind
            assert does != f"{one.title}.", f"{one.kind} has no sentence"


@pytest.mark.parametrize("table", [SENTENCES, PARTS], ids=["sentences", "parts"])
def test_both_languages_say_the_same_things(table):
    for key, (english, german) in table.items():
        assert sorted(re.findall(r"\{(\w+)\}", english)) == sorted(
            re.findall(r"\{(\w+)\}", german)
        ), key


@pytest.mark.parametrize(
    ("cron", "english", "german"),
    [
        ("0 9 * * 1-5", "every weekday 09:00, Berlin", "jeden Werktag 09:00, Berlin"),
        ("*/15 * * * *", "every 15 minutes, Berlin", "alle 15 Minuten, Berlin"),
        (
            "30 * * * *",
            "every hour, 30 minutes past, Berlin",
            "jede Stunde, 30 Minuten nach, Berlin",
        ),
        ("5 17 * * *", "every day 17:05, Berlin", "täglich 17:05, Berlin"),
        (
            "0 8 * * 0,3",
            "every Wednesday and Sunday 08:00, Berlin",
            "jeden Mittwoch und Sonntag 08:00, Berlin",
        ),
        ("0 8 1 * *", "on day 1 of every month 08:00, Berlin", "am 1. jedes Monats 08:00, Berlin"),
        (
            "0 8 1 1 *",
            "by the cron line 0 8 1 1 *, Berlin",
            "nach der Cron-Zeile 0 8 1 1 *, Berlin",
        ),
        ("rubbish", "by the cron line rubbish, Berlin", "nach der Cron-Zeile rubbish, Berlin"),
    ],
)
def test_schedules_in_words(cron, english, german):
    assert schedule(cron, "Europe/Berlin", "en") == english
    assert schedule(cron, "Europe/Berlin", "de") == german


def test_lengths_of_time_in_words():
    assert duration("P1DT2H30M", "en") == "1 day 2 hours 30 minutes"
    assert duration("P2W", "de") == "2 Wochen"
    assert duration("soon", "en") == "soon"


ODD = [
    {}, {"steps": 3, "links": 4}, {"steps": {"a": 1}, "links": [None, {"from": "a"}, {"from": 1, "to": "a"}]},
    {"name": 7, "trigger": {"type": "webhook", "config": 3}, "steps": {"a": {"type": "approval", "config": {"assignees": [], "rule": 3}}}},
    {"trigger": {"type": "nothing"}, "steps": {"a": {"type": "none", "in": "a"}, "b": {"in": "c"}, "c": {"in": "b"}}},
    {"steps": {"a": {"type": "decide", "config": {"branches": [1, {"port": 3}]}}, "t": {"type": "table", "config": {"inputs": 3}}}},
    {"settings": {"concurrency": {"max": 3, "key": "trigger.body.x"}, "owner": "a@example.org"}, "trigger": {"type": "event", "config": {"type": "a", "filter": "event.data.x > 3"}}},
]  # fmt: skip


@pytest.mark.parametrize("made", ODD, ids=range(len(ODD)))
def test_any_document_is_told(made):
    for language in ("en", "de"):
        told = explain(made, language)
        assert told.summary
        ET.fromstring(drawn(made, told, "Start"))


def test_markup_and_length_stay_text():
    name = "<script>alert(1)</script> & \u202e" + "x" * 10_000
    made = document(
        {
            "a": step("map", name, fields={name: 1}),
            "b": step("mail.send", name, to=name, subject=name),
        },
        ["trigger -> a", "a -> b"],
    )
    made["name"] = name
    told = explain(made, "de")
    assert max(map(len, lines(made, "de"))) < 1200
    picture = drawn(made, told, name)
    assert "<script" not in picture
    assert "\u202e" not in json.dumps(told.as_json(), ensure_ascii=False)
    ET.fromstring(picture)


def test_a_large_flow_with_loops_is_drawn_without_one_step_on_another():
    dice = random.Random(3)
    names = [f"s{index}" for index in range(120)]
    made = document(dict.fromkeys(names, CALL), ["trigger -> s0"])
    made["links"] += [
        {"from": one, "port": "done", "to": dice.choice(names)} for one in names for _ in range(2)
    ]
    made["links"].append(link("s3 -> s0"))
    told = explain(made, "en")
    assert [one.number for one in told.steps] == list(range(1, 121))
    root = ET.fromstring(drawn(made, told, "Start"))
    places = [(one.get("x"), one.get("y")) for one in root.iter("{http://www.w3.org/2000/svg}rect")]
    assert len(places) == len(set(places)) == 121


def test_what_is_inside_comes_before_what_follows():
    steps = {
        "each": step("for_each", "Each", items="trigger.body.lines"),
        "in1": {**CALL, "title": "Inside", "in": "each"},
        "after": {**STOP, "title": "After"},
    }
    made = document(steps, ["trigger -> each", "each:body -> in1", "each:done -> after"])
    told = explain(made, "en")
    assert [(one.title, one.depth) for one in told.steps] == [
        ("Each", 0),
        ("Inside", 1),
        ("After", 0),
    ]


def test_that_several_can_be_answered_at_once_is_said():
    bulk = {"max": 20, "amount_label": "Amount", "amount_limit": 5000}
    asked = approve(bulk=bulk, fields=[{"label": "Amount", "value": 1}])
    made = document({"ask": asked}, ["trigger -> ask"])
    assert (
        "Up to 20 of these can be answered at once, each with “Amount” below 5000."
        in explain(made, "en").deciding[0].how
    )
    assert (
        "Bis zu 20 sind auf einmal zu beantworten, jede mit „Amount“ unter 5000."
        in explain(made, "de").deciding[0].how
    )
