"""What somebody can do who owns the database: each is found and located, or listed in the docs.

Engine rule 37.
"""

import base64
import json
import os
import threading
from datetime import timedelta
from io import StringIO
from itertools import chain
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection

from apps.audit import format as audit_format
from apps.audit import merkle, stored, verify
from apps.audit.commands import erase_values
from apps.audit.keys import signing_keys
from apps.audit.models import AuditEvent, AuditLeaf, AuditSeal, AuditUnsealed, AuditValue
from apps.audit.sealing import seal_pending
from apps.audit.verify import verify_trail

pytestmark = pytest.mark.django_db


@pytest.fixture
def found(checkpoints):
    """What the check finds: ``{code: {row or seal}}``."""

    def verify():
        result: dict[str, set[str]] = {}
        for problem in verify_trail(checkpoints=checkpoints).problems:
            assert problem.message.endswith((".", "forged."))
            result.setdefault(problem.code, set()).add(problem.row or str(problem.seal))
        return result

    return verify


def test_a_trail_that_nobody_touched_is_intact(sealed, write, found, checkpoints):
    write(2)
    assert found() == {}
    report = verify_trail(checkpoints=checkpoints)
    assert (report.rows, report.seals, report.checkpoints, report.unsealed) == (14, 3, 3, 2)
    assert (report.values, report.erased, report.notes) == (70, 0, [])


CHANGES = [
    "at = at + interval '1 microsecond'",
    "workspace_id = null",
    "verb = 'flow.edit'",
    "actor_kind = 'system'",
    "actor_id = 'somebody else'",
    "on_behalf_of = 'somebody'",
    "target_type = 'run'",
    "target_id = 'another'",
    "flow_id = null",
    "correlation_id = 'another'",
    "commitments = commitments - 'reason'",
    "commitments = jsonb_set(commitments, '{reason}', '\"00\"')",
    "commitments = '[]'",
    'commitments = \'{"a": {"b": [1.5, null]}}\'',
    "row_hash = '\\x00'",
]


class TestChange:
    @pytest.mark.parametrize("change", CHANGES)
    def test_of_a_sealed_row_is_found(self, sealed, as_superuser, found, change):
        row = sealed[1][2]
        as_superuser(f"update audit_event set {change} where id = %s", row)
        assert str(row) in found()["row_changed"]

    @pytest.mark.parametrize("change", CHANGES)
    def test_of_a_row_not_sealed_yet_is_found_then_and_after_it_is_sealed(
        self, write, as_superuser, found, now, change
    ):
        _, row, _ = write(3)
        as_superuser(f"update audit_event set {change} where id = %s", row)
        assert str(row) in found()["row_changed"]
        seal_pending(now=now)
        assert str(row) in found()["row_changed"]

    @pytest.mark.parametrize("is_sealed", [True, False])
    @pytest.mark.parametrize(
        "change, code",
        [
            ("salted = jsonb_set(salted, '{reason,1}', '\"another\"')", "value_changed"),
            ("salted = jsonb_set(salted, '{reason,0}', '\"00\"')", "value_changed"),
            ("salted = jsonb_set(salted, '{reason}', '[]')", "value_changed"),
            ("salted = jsonb_set(salted, '{reason}', '[1, 2]')", "value_changed"),
            ("salted = jsonb_set(salted, '{reason}', '3')", "value_changed"),
            ("salted = '3'", "value_changed"),
            ("salted = jsonb_set(salted, '{more}', '[\"00\", \"1\"]')", "value_changed"),
            ("salted = salted - 'before.number'", "value_missing"),
            ("salted = '{}'", "value_missing"),
        ],
    )
    def test_of_a_value_is_found(self, write, as_superuser, found, now, change, code, is_sealed):
        _, row, _ = write(3)
        if is_sealed:
            seal_pending(now=now)
        as_superuser(f"update audit_value set {change} where event_id = %s", row)
        assert found()[code] == {str(row)}

    def test_with_every_hash_made_new_is_found_in_its_seal(self, sealed, as_superuser, found):
        """The row, its own hash and its leaf agree; only the signed root tells."""
        row = sealed[1][2]
        recompute(as_superuser, row, verb="flow.edit")
        assert found() == {"root_wrong": {"2"}}

    def test_with_every_hash_made_new_before_sealing_is_found(
        self, write, as_superuser, found, now
    ):
        """The mark on a row that waits needs the key; without it the row is never signed."""
        _, row, _ = write(3)
        recompute(as_superuser, row, verb="flow.edit")
        assert found() == {"unsealed_forged": {str(row)}}
        seal_pending(now=now)
        assert found() == {"unsealed_forged": {str(row)}}

    @pytest.mark.parametrize(
        "change",
        [
            "count = 3",
            "at = at + interval '1 second'",
            "kind = 'anchor'",
            "extra = '{\"a\": 1}'",
            "extra = '{\"from\": 1}', kind = 'anchor'",
            "root = '\\x00'",
            "previous = '\\x00'",
            "hash = '\\x00'",
        ],
    )
    def test_of_a_seal_is_found(self, sealed, as_superuser, found, change):
        as_superuser(f"update audit_seal set {change} where number = 2")
        assert "2" in {place for places in found().values() for place in places}

    def test_of_a_signature_is_found(self, sealed, as_superuser, found):
        as_superuser("update audit_seal set signature = '\\x00' where number = 2")
        assert found() == {"signature_wrong": {"2"}, "checkpoint_differs": {"2"}}

    @pytest.mark.parametrize("key", ["00" * 32, "no hex", ""])
    def test_of_a_seals_key_is_found(self, sealed, as_superuser, found, key):
        as_superuser("update audit_seal set key = %s where number = 2", key)
        assert found() == {"seal_changed": {"2"}, "key_unknown": {"2"}}


class TestDeletion:
    def test_of_a_row_is_found(self, sealed, as_superuser, found):
        row = sealed[1][2]
        as_superuser("delete from audit_event where id = %s", row)
        assert found() == {"row_missing": {str(row)}, "value_stray": {str(row)}}

    def test_of_a_row_with_all_that_tells_of_it_is_found_in_its_seal(
        self, sealed, as_superuser, found
    ):
        row = sealed[1][2]
        cut(as_superuser, row)
        assert found() == {"leaf_missing": {"2"}, "root_wrong": {"2"}}

    def test_of_the_last_row_of_a_seal_is_found(self, sealed, as_superuser, found):
        cut(as_superuser, sealed[1][3])
        assert found() == {"root_wrong": {"2"}}

    def test_with_the_gap_closed_is_found(self, sealed, as_superuser, found):
        cut(as_superuser, sealed[1][2])
        as_superuser(
            "update audit_leaf set leaf_index = 2 where seal_number = 2 and leaf_index = 3"
        )
        assert found() == {"root_wrong": {"2"}}

    def test_of_a_row_not_sealed_yet_is_found(self, write, as_superuser, found, now):
        _, row, _ = write(3)
        as_superuser("delete from audit_event where id = %s", row)
        assert found() == {"row_missing": {str(row)}, "value_stray": {str(row)}}
        seal_pending(now=now)
        assert found() == {"row_missing": {str(row)}, "value_stray": {str(row)}}

    def test_of_the_mark_that_a_row_waits_is_found(self, write, as_superuser, found, now):
        """The row would never be sealed, and could be changed at leisure."""
        _, row, _ = write(3)
        as_superuser("delete from audit_unsealed where event_id = %s", row)
        assert found() == {"row_stray": {str(row)}}
        seal_pending(now=now)
        assert found() == {"row_stray": {str(row)}}

    def test_of_the_values_is_found(self, sealed, as_superuser, found):
        row = sealed[1][2]
        as_superuser("delete from audit_value where event_id = %s", row)
        assert found() == {"values_missing": {str(row)}}

    def test_of_rows_with_their_seal_is_found(self, sealed, as_superuser, found):
        cut(as_superuser, *sealed[1])
        as_superuser("delete from audit_seal where number = 2")
        assert found() == {"seal_missing": {"2"}, "checkpoint_bad": {"2"}}

    def test_of_the_first_rows_with_their_seal_is_found(self, sealed, as_superuser, found):
        cut(as_superuser, *sealed[0])
        as_superuser("delete from audit_seal where number = 1")
        assert found()["seal_missing"] == {"1"}

    def test_of_the_seal_alone_is_found(self, sealed, as_superuser, found):
        as_superuser("delete from audit_seal where number = 2")
        assert found()["seal_missing"] == {"2"}
        as_superuser("delete from audit_seal where number = 3")
        assert found()["tail_cut"] == {"2"}

    def test_of_the_tail_is_found_by_the_file(self, sealed, as_superuser, found):
        cut(as_superuser, *sealed[1], *sealed[2])
        as_superuser("delete from audit_seal where number > 1")
        assert found() == {"tail_cut": {"2"}}

    def test_of_everything_is_found_by_the_file(self, sealed, as_superuser, found):
        cut(as_superuser, *chain(*sealed))
        as_superuser("delete from audit_seal")
        assert found() == {"tail_cut": {"1"}}

    def test_of_the_tail_stays_found_when_sealing_goes_on(
        self, sealed, as_superuser, found, write, now
    ):
        cut(as_superuser, *sealed[2])
        as_superuser("delete from audit_seal where number = 3")
        write(2)
        with pytest.raises(Exception, match="cut, changed or restored"):
            seal_pending(now=now)
        assert found() == {"checkpoint_differs": {"3"}}


class TestDisorder:
    def test_of_rows_within_a_seal_is_found(self, sealed, as_superuser, found):
        as_superuser(
            "update audit_leaf set leaf_index = 3 - leaf_index where seal_number = 2 and leaf_index in (1, 2)"
        )
        assert found() == {"root_wrong": {"2"}}

    def test_of_rows_between_seals_is_found(self, sealed, as_superuser, found):
        as_superuser("update audit_leaf set seal_number = 3 where event_id = %s", sealed[1][3])
        assert {"2", "3"} <= found()["root_wrong"]

    def test_of_times_is_found(self, sealed, as_superuser, found):
        first, second = sealed[1][:2]
        as_superuser(
            "update audit_event e set at = o.at from audit_event o"
            " where (e.id, o.id) in ((%s, %s), (%s, %s))",
            first, second, second, first,
        )  # fmt: skip
        assert found() == {"row_changed": {str(first), str(second)}}

    def test_of_contents_is_found(self, sealed, as_superuser, found):
        first, second = sealed[1][:2]
        for table in ("audit_event", "audit_value", "audit_leaf"):
            key = "id" if table == "audit_event" else "event_id"
            as_superuser(
                f"update {table} set {key} = '01a1f910-0000-7000-8000-000000000000' where {key} = %s",
                first,
            )
            as_superuser(f"update {table} set {key} = %s where {key} = %s", first, second)
            as_superuser(
                f"update {table} set {key} = %s where {key} = '01a1f910-0000-7000-8000-000000000000'",
                second,
            )
        assert found() == {"row_changed": {str(first), str(second)}}

    def test_of_seals_is_found(self, sealed, as_superuser, found):
        as_superuser("update audit_seal set number = 9 where number = 2")
        as_superuser("update audit_seal set number = 2 where number = 3")
        as_superuser("update audit_seal set number = 3 where number = 9")
        assert found()["chain_broken"] == {"2", "3"}


class TestAddition:
    def test_of_a_row_is_found(self, sealed, as_superuser, found):
        as_superuser(
            "insert into audit_event select '01a1f910-0000-7000-8000-000000000000', workspace_id, at, verb,"
            " actor_kind, actor_id, on_behalf_of, target_type, target_id, flow_id, correlation_id,"
            " commitments, row_hash from audit_event where id = %s",
            sealed[0][0],
        )
        assert found() == {"row_stray": {"01a1f910-0000-7000-8000-000000000000"}}

    @pytest.mark.parametrize("place", [4, 1])
    def test_of_a_row_to_a_seal_is_found(self, sealed, write, as_superuser, found, place):
        [row] = write(1)
        as_superuser("delete from audit_unsealed")
        as_superuser(
            "insert into audit_leaf select id, 2, %s, row_hash from audit_event where id = %s",
            place,
            row,
        )
        assert found()["root_wrong"] == {"2"}

    def test_of_a_row_to_a_seal_that_is_not_there_is_found(
        self, sealed, write, as_superuser, found
    ):
        [row] = write(1)
        as_superuser("delete from audit_unsealed")
        as_superuser(
            "insert into audit_leaf select id, 9, 0, row_hash from audit_event where id = %s", row
        )
        assert "9" in found()["seal_missing"]

    def test_of_values_is_found(self, sealed, as_superuser, found):
        as_superuser(
            "insert into audit_value values ('01a1f910-0000-7000-8000-000000000000', '{}', '')"
        )
        assert found() == {"value_stray": {"01a1f910-0000-7000-8000-000000000000"}}


class TestSealingAgain:
    def test_with_another_key_is_found(self, sealed, as_superuser, found, settings, checkpoints):
        """Everything agrees with everything, but for the key."""
        ours = settings.SIGNING_KEY
        settings.SIGNING_KEY = base64.b64encode(os.urandom(32)).decode()
        reseal(as_superuser, signing_keys()[0])
        settings.SIGNING_KEY = ours
        assert found() == {"key_unknown": {"1"}, "checkpoint_differs": {"1", "2", "3"}}

    def test_with_the_right_key_is_found_by_the_file(self, sealed, as_superuser, found):
        """Who holds the database and the key still has no say about the file."""
        as_superuser("update audit_event set verb = 'flow.edit' where id = %s", sealed[1][2])
        for row in sealed[1]:
            recompute(as_superuser, row)
        reseal(as_superuser, signing_keys()[0])
        assert found() == {"checkpoint_differs": {"2", "3"}}

    def test_with_the_file_too_is_what_cannot_be_found(
        self, sealed, as_superuser, found, checkpoints, now
    ):
        """Stated in docs/audit-format.md: key and file together make a new truth."""
        recompute(as_superuser, sealed[1][2], verb="flow.edit")
        reseal(as_superuser, signing_keys()[0])
        checkpoints.unlink()
        seal_pending(now=now)
        assert found() == {}

    def test_of_rows_cut_before_they_were_sealed_is_what_cannot_be_found(
        self, write, as_superuser, found, now
    ):
        """Stated in docs/audit-format.md: rows younger than the last seal can vanish whole."""
        row = write(3)[1]
        cut(as_superuser, row)
        as_superuser("delete from audit_unsealed where event_id = %s", row)
        assert found() == {}


class TestTheFile:
    def test_changed_is_found(self, sealed, found, checkpoints):
        checkpoints.write_text(checkpoints.read_text().replace("1 2 ", "1 2 0", 1))
        assert found() == {"checkpoint_differs": {"2"}}

    def test_with_a_line_taken_out_is_found(self, sealed, found, checkpoints):
        lines = checkpoints.read_text().splitlines(keepends=True)
        checkpoints.write_text(lines[0] + lines[2])
        assert found() == {"checkpoint_missing": {"2"}}

    def test_in_disorder_is_found(self, sealed, found, checkpoints):
        lines = checkpoints.read_text().splitlines(keepends=True)
        checkpoints.write_text(lines[1] + lines[0] + lines[2])
        assert "checkpoint_bad" in found()

    @pytest.mark.parametrize("line", ["nonsense\n", "1 x 00 00\n", "\n", "2 1 00 00\n"])
    @pytest.mark.parametrize("place", [0, 1, 3])
    def test_with_a_line_that_cannot_be_read_is_found(
        self, sealed, found, checkpoints, line, place
    ):
        lines = checkpoints.read_text().splitlines(keepends=True)
        checkpoints.write_text("".join([*lines[:place], line, *lines[place:]]))
        assert "checkpoint_bad" in found()


class TestGuards:
    def test_switched_off_are_found(self, sealed, found, now, checkpoints):
        with connection.cursor() as cursor:
            cursor.execute(f"alter table audit_event_{now:%Y%m} disable trigger insert_only")
            cursor.execute("drop trigger no_truncate on audit_seal")
            cursor.execute("alter table audit_value_default disable trigger all")
        messages = [problem.message for problem in verify_trail(checkpoints=checkpoints).problems]
        assert len(messages) == 4
        for name in (f"audit_event_{now:%Y%m}", "audit_seal", "audit_value_default"):
            assert any(name in message for message in messages)

    def test_search_words_that_do_not_fit_are_told(self, sealed, as_superuser, checkpoints):
        as_superuser("update audit_value set words = '' where event_id = %s", sealed[1][1])
        report = verify_trail(checkpoints=checkpoints)
        assert report.problems == []
        assert str(sealed[1][1]) in report.notes[0]

    def test_a_default_partition_in_use_is_told(self, write, now, checkpoints):
        write(now=now + timedelta(days=4000))
        notes = verify_trail(checkpoints=checkpoints).notes
        assert any("audit_event_default" in note for note in notes)


class TestErasure:
    def erase(self, ada, workspace_id, now, *ids, fields=("reason", "actor.label")):
        return erase_values(
            who=ada,
            workspace_id=workspace_id,
            event_ids=ids,
            fields=fields,
            reason="asked to be forgotten",
            now=now + timedelta(hours=2),
        )

    def test_leaves_every_seal_valid(self, sealed, found, ada, workspace_id, now, checkpoints):
        assert self.erase(ada, workspace_id, now, *sealed[0]) == 8
        assert self.erase(ada, workspace_id, now, *sealed[0]) == 0
        row = AuditValue.objects.get(event_id=sealed[0][0])
        assert row.salted.keys() == {"target.label", "before.number", "after.number"}
        assert "lovelace" not in row.words
        assert "reason" not in row.words
        assert found() == {}
        assert verify_trail(checkpoints=checkpoints).erased == 8

    def test_is_itself_a_row_with_its_reason(self, sealed, ada, workspace_id, now):
        self.erase(ada, workspace_id, now, *sealed[0])
        row = AuditEvent.objects.get(verb="audit.erase")
        salted = AuditValue.objects.get(event_id=row.id).salted
        assert json.loads(salted["reason"][1]) == "asked to be forgotten"
        assert json.loads(salted["details.values"][1]) == 8

    def test_does_not_reach_another_workspace(self, sealed, ada, now):
        assert self.erase(ada, ada.id, now, *sealed[0]) == 0

    def test_with_a_changed_list_is_found(
        self, sealed, as_superuser, found, ada, workspace_id, now
    ):
        self.erase(ada, workspace_id, now, sealed[0][0], fields=["reason"])
        as_superuser(
            "update audit_value set salted = salted - 'reason' where event_id = %s", sealed[1][1]
        )
        by = AuditEvent.objects.get(verb="audit.erase").id
        as_superuser(
            "insert into audit_erasure (event_id, field, by_event_id) values (%s, 'reason', %s)",
            sealed[1][1],
            by,
        )
        assert found()["erasure_wrong"] == {str(by)}

    def test_without_its_row_is_found(self, sealed, as_superuser, found, ada, workspace_id, now):
        as_superuser(
            "update audit_value set salted = salted - 'reason' where event_id = %s", sealed[1][1]
        )
        as_superuser(
            "insert into audit_erasure (event_id, field, by_event_id) values (%s, 'reason', %s)",
            sealed[1][1],
            sealed[1][2],
        )
        assert found()["erasure_wrong"] == {str(sealed[1][2])}


class TestCommand:
    def run(self, *arguments):
        out = StringIO()
        try:
            call_command("audit_verify", *arguments, stdout=out)
        except SystemExit as end:
            return end.code, out.getvalue()
        return 0, out.getvalue()

    def test_ends_with_0_where_all_is_well(self, sealed):
        status, text = self.run()
        assert status == 0
        assert "12 rows with 60 values (0 erased), 3 seals, 3 checkpoints" in text
        assert signing_keys()[0].fingerprint in text
        assert text.endswith("The trail is intact.\n")

    def test_ends_with_1_and_names_the_row(self, sealed, as_superuser):
        row = sealed[1][2]
        as_superuser("update audit_event set verb = 'flow.edit' where id = %s", row)
        status, text = self.run()
        assert status == 1
        assert f"row_changed: Row {row} of seal 2 was changed." in text
        assert "NOT intact" in text

    def test_speaks_json(self, sealed, as_superuser):
        status, text = self.run("--json")
        result = json.loads(text)
        assert (status, result["ok"], result["rows"], result["problems"]) == (0, True, 12, [])
        as_superuser("delete from audit_event where id = %s", sealed[0][0])
        status, text = self.run("--json")
        result = json.loads(text)
        assert (status, result["ok"], result["problems"][0]["seal"]) == (1, False, 1)

    def test_compares_with_the_copy_that_is_kept_elsewhere(
        self, sealed, as_superuser, checkpoints, tmp_path
    ):
        copy = tmp_path / "copy.log"
        copy.write_bytes(checkpoints.read_bytes())
        cut(as_superuser, *sealed[2])
        as_superuser("delete from audit_seal where number = 3")
        lines = checkpoints.read_text().splitlines(keepends=True)
        checkpoints.write_text("".join(lines[:2]))
        assert self.run()[0] == 0
        status, text = self.run("--checkpoints", str(copy))
        assert status == 1
        assert "tail_cut" in text


def cut(as_superuser, *rows):
    for table, key in (
        ("audit_event", "id"),
        ("audit_value", "event_id"),
        ("audit_leaf", "event_id"),
    ):
        with connection.cursor() as cursor:
            cursor.execute("set session_replication_role = replica")
            cursor.execute(f"delete from {table} where {key} = any(%s::uuid[])", [list(rows)])
            cursor.execute("set session_replication_role = origin")


def recompute(as_superuser, row, **changes):
    """Change a row and make every hash that needs no key agree with it."""
    for name, value in changes.items():
        as_superuser(f"update audit_event set {name} = %s where id = %s", value, row)
    event = AuditEvent.objects.get(pk=row)
    body = audit_format.row_body(
        id_=str(event.id),
        workspace=str(event.workspace_id or ""),
        at=audit_format.time_text(event.at),
        verb=event.verb,
        actor_kind=event.actor_kind,
        actor_id=event.actor_id,
        on_behalf_of=event.on_behalf_of,
        target_type=event.target_type,
        target_id=event.target_id,
        flow=str(event.flow_id or ""),
        correlation_id=event.correlation_id,
        commitments=event.commitments,
    )
    hash_ = audit_format.row_hash(body)
    as_superuser("update audit_event set row_hash = %s where id = %s", hash_, row)
    if AuditUnsealed.objects.filter(event_id=row).exists():
        as_superuser("update audit_unsealed set row_hash = %s where event_id = %s", hash_, row)
    if AuditLeaf.objects.filter(event_id=row).exists():
        as_superuser("update audit_leaf set hash = %s where event_id = %s", hash_, row)


def reseal(as_superuser, key):
    """Sign the whole chain anew, with that key."""
    previous = audit_format.NO_SEAL
    for seal in AuditSeal.objects.order_by("number"):
        leaves = AuditLeaf.objects.filter(seal_number=seal.number).order_by("leaf_index")
        root = merkle.root([bytes(leaf.hash) for leaf in leaves])
        statement = audit_format.seal_statement(
            number=seal.number,
            kind=seal.kind,
            at=audit_format.time_text(seal.at),
            count=seal.count,
            root=root,
            previous=previous,
            key=key.public.hex(),
            extra=seal.extra,
        )
        hash_ = audit_format.seal_hash(statement)
        as_superuser(
            "update audit_seal set root = %s, previous = %s, hash = %s, key = %s, signature = %s where number = %s",
            root, previous, hash_, key.public.hex(), key.sign(hash_), seal.number,
        )  # fmt: skip
        previous = hash_


def test_every_way_that_is_not_found_is_in_the_docs():
    text = Path("docs/audit-format.md").read_text()
    assert "## What cannot be detected" in text


@pytest.mark.django_db(transaction=True)
class TestSeveralProcesses:
    @pytest.fixture(autouse=True)
    def _even_for_few(self, monkeypatch):
        monkeypatch.setattr(verify, "FEW_ROWS", 0)
        monkeypatch.setattr(verify, "BATCH_ROWS", 1)

    def test_find_what_one_finds(self, sealed, as_superuser, checkpoints):
        whole = verify_trail(checkpoints=checkpoints, processes=2)
        assert (whole.problems, whole.rows, whole.seals) == ([], 12, 3)
        for group in sealed[::2]:
            as_superuser("update audit_event set verb = 'x' where id = %s", group[1])
        as_superuser("delete from audit_value where event_id = %s", sealed[1][0])
        alone = verify_trail(checkpoints=checkpoints)
        together = verify_trail(checkpoints=checkpoints, processes=2)
        assert len(alone.problems) == 3
        assert together == alone

    def test_see_the_snapshot_of_the_one_that_asks(
        self, sealed, write_seal, checkpoints, monkeypatch
    ):
        """A seal that is made meanwhile is no stray to them."""
        real = verify._Verifier._check_seal

        def meanwhile(self, seal):
            if seal.number == 2:
                thread = threading.Thread(target=_in_a_connection_of_its_own, args=(write_seal,))
                thread.start()
                thread.join()
            real(self, seal)

        monkeypatch.setattr(verify._Verifier, "_check_seal", meanwhile)
        report = verify_trail(checkpoints=checkpoints, processes=2)
        assert (report.problems, report.seals, report.rows) == ([], 3, 12)


def _in_a_connection_of_its_own(do):
    try:
        do()
    finally:
        connection.close()


def test_rows_that_lie_far_apart_are_read_one_by_one(write):
    """A batch whose ids span many rows of others does not read those with it."""
    ids = [str(one) for one in write(1300)]
    assert list(stored._contents([ids[0], ids[-1]])) == [ids[0], ids[-1]]
    assert set(stored._contents(ids[:3])) == set(ids[:3])
