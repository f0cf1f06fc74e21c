"""The format of a row, which is for ever: commitments instead of values (engine rule 38)."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.audit import format as audit_format
from apps.audit.records import Target, Who
from apps.engine import values
from apps.engine.canonical import canonical
from tools import verify_audit

ADA = Who("person", "7d8a", "Ada")
FLOW = Target("flow", "f1", "Vendors")


def salted(**changes):
    given: dict[str, Any] = {
        "who": ADA,
        "target": FLOW,
        "reason": "",
        "before": None,
        "after": None,
        "details": None,
    }
    return audit_format.salted_values(**(given | changes))


# These stand for every row ever sealed: if one fails, the format was broken, not the test.
GOLDEN_SALT = bytes(range(16))
GOLDEN_COMMITMENT = "3f465ba63f713f807fabb31fbcd4785285030123fd9977fbda95637fad9d9c3d"
GOLDEN_ROW = "66ee3a1f424fcbb3cd4f98e6973ba5158388abb2901e0977e19a8b0fc6992131"
GOLDEN_SEAL = "1f7073ac87d157d1f6ef0cb1c39ffdf5dd4f020d498873ba14594020e309ddae"


def golden_row():
    return audit_format.row_body(
        id_="01a1f90f-9136-7474-8000-7aa1f935dcd8",
        workspace="01a1f90f-9136-73ca-bfee-1186437ad90b",
        at="2026-11-20T13:05:09.430285Z",
        verb="flow.publish",
        actor_kind="person",
        actor_id='a"\\\n\x01é',
        on_behalf_of="",
        target_type="flow",
        target_id="f1",
        flow="",
        correlation_id="c1",
        commitments={"reason": audit_format.commitment(GOLDEN_SALT, "reason", '"why"')},
    )


def golden_seal():
    return audit_format.seal_statement(
        number=12,
        kind="rows",
        at="2026-11-20T13:05:14.000000Z",
        count=1,
        root=audit_format.row_hash(golden_row()),
        previous=bytes(32),
        key="ab" * 32,
        extra={},
    )


def test_the_format_is_for_ever():
    assert audit_format.commitment(GOLDEN_SALT, "reason", '"why"') == GOLDEN_COMMITMENT
    assert audit_format.row_hash(golden_row()).hex() == GOLDEN_ROW
    assert audit_format.seal_hash(golden_seal()).hex() == GOLDEN_SEAL


def test_the_stand_alone_verifier_reads_the_same_format():
    assert verify_audit.commitment("reason", GOLDEN_SALT.hex(), '"why"') == GOLDEN_COMMITMENT
    assert verify_audit.leaf_hash(golden_row()).hex() == GOLDEN_ROW
    assert verify_audit.seal_hash(golden_seal()).hex() == GOLDEN_SEAL


# The first drawing of a text is slow on a busy machine; that says nothing about the format.
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(
        st.from_regex(r"[a-z_.]{1,20}", fullmatch=True),
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
        | st.integers(-(2**53) + 1, 2**53 - 1),
        max_size=6,
    )
)
def test_the_canonical_form_is_that_of_rfc_8785(row):
    assert audit_format.canonical(row) == canonical(row)


def test_times_are_utc_with_six_digits():
    at = datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    assert audit_format.time_text(at) == "2026-03-01T10:00:00.000000Z"


class Colour(Enum):
    RED = "red"


@pytest.mark.parametrize(
    "value, text",
    [
        ("plain", '"plain"'),
        ("nul \0 and half \ud800", '"nul \ufffd and half ?"'),
        (Decimal("1.50"), "1.50"),
        (1.5, "1.5"),
        (float("inf"), '"inf"'),
        (Decimal("NaN"), '"NaN"'),
        (10**40, f'"{10**40}"'),
        (True, "true"),
        (None, "null"),
        (Colour.RED, '"red"'),
        (datetime(2026, 3, 1, tzinfo=UTC), '"2026-03-01T00:00:00.000000Z"'),
        (UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
        ({"b": (1, {2}), "a": b"\x01"}, '{"b":[1,[2]],"a":"01"}'),
        (FLOW, '{"type":"flow","id":"f1","label":"Vendors"}'),
    ],
)
def test_the_trail_takes_what_it_is_given(value, text):
    assert salted(details={"x": value})["details.x"][1] == text


def test_a_long_value_is_kept_as_its_digest():
    text = salted(details={"x": "long" * 10_000})["details.x"][1]
    assert values.loads(text) == {
        "sha256": sha256(f'"{"long" * 10_000}"'.encode()).hexdigest(),
        "too_long": True,
        "characters": 40_002,
    }


def test_equal_values_have_different_commitments():
    first, second = (
        audit_format.commitments_of(salted(reason="no", details={"a": 1, "b": 1})) for _ in range(2)
    )
    assert len({*first.values(), *second.values()}) == 2 * len(first)


@pytest.mark.parametrize("name", ["", "ada@example.org", "with space", "ü", "a.b", "x" * 64])
def test_a_field_named_by_data_is_refused(name):
    with pytest.raises(ValueError, match="named by the program"):
        salted(before={name: 1})


@pytest.mark.parametrize(
    "who, verb, target",
    [
        (ADA, "Published", FLOW),
        (ADA, "flow.publish now", FLOW),
        (Who("person", "ada@example.org", "Ada"), "flow.publish", FLOW),
        (Who("person", "1", "Ada", on_behalf_of="bob@example.org"), "flow.publish", FLOW),
        (ADA, "member.invite", Target("invitation", "bob@example.org")),
    ],
)
def test_what_would_stay_readable_for_ever_is_refused(who, verb, target):
    with pytest.raises(ValueError):
        audit_format.check_row(who=who, verb=verb, target=target)


def test_words_are_the_same_whatever_order_the_fields_come_in():
    given = salted(reason="because", details={f"n{n}": f"word{n} other{n}" for n in range(150)})
    backwards = dict(reversed(given.items()))
    assert audit_format.words(given) == audit_format.words(backwards)
    assert {"because", "ada", "actor/ada", "vendors", "target/vendors"} <= set(
        audit_format.words(given)
    )


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)


@given(TEXT, TEXT, st.dictionaries(st.from_regex(r"\A[a-z_.]{1,20}\Z"), TEXT, max_size=5))
def test_the_quicker_encoder_writes_the_same(one, other, commitments):
    """Whoever reads many rows asks it first; where it differed, every row would cost both."""
    body = audit_format.row_body(
        id_=one,
        workspace="",
        at=other,
        verb=one,
        actor_kind="person",
        actor_id=other,
        on_behalf_of="",
        target_type="\x1f\x7f\u2028/",
        target_id=one,
        flow="",
        correlation_id=other,
        commitments=commitments,
    )
    assert audit_format._quick_encode(body) == audit_format._encode(body).encode()
    assert audit_format.is_row_hash(body, audit_format.row_hash(body))
    assert not audit_format.is_row_hash({**body, "verb": one + "x"}, audit_format.row_hash(body))


@given(TEXT, TEXT, st.lists(TEXT, max_size=300))
def test_the_words_of_a_row_are_known_without_their_order(actor, reason, rest):
    kept = {
        field: ["00", values.dumps(value)]
        for field, value in {
            "actor.label": actor,
            "reason": reason,
            "details.rest": rest,
            "target.label": actor + reason,
        }.items()
    }
    words = audit_format.words(kept)
    assert audit_format.are_words(reversed(words), kept)
    assert not audit_format.are_words([*words, "never-a-word"], kept)
    if words:
        assert not audit_format.are_words(words[1:], kept)


def test_what_is_no_value_is_wrong_and_no_error():
    salt, text = "00" * 16, '"x"'
    good = audit_format.commitment(bytes.fromhex(salt), "reason", text)
    commitments = {"reason": good, "a": good, "b": good, "c": good}
    salted = {
        "reason": [salt, text],
        "a": None,
        "b": ["zz", text],
        "c": [salt, 7],
        "d": [salt, text],
    }
    assert audit_format.wrong_values(salted, commitments) == ["a", "b", "c", "d"]
