"""Has anything been altered? Asked on a page, answered with the place; and proofs of one row."""

import json

import pytest

from apps.audit.keys import signing_keys
from apps.audit.models import AuditEvent
from apps.audit.one_row import check_row
from apps.audit.sealing import seal_pending
from apps.core.models import uuid7
from apps.operations import trail_jobs
from apps.operations.management.commands.trail_job import DOERS
from tests.support import people
from tools import verify_audit

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme(now):
    return people.make_workspace("acme")


@pytest.fixture
def workspace_id(acme):
    return acme.pk


@pytest.fixture
def auditor(acme):
    return people.browser(people.person(acme, "auditor"))


@pytest.fixture
def answer(auditor):
    """Ask for a check, have it done, read what it came to."""

    def ask():
        made = people.send(auditor, "POST", "/api/v1/audit/checks/")
        assert made.status_code == 201, made.content
        assert trail_jobs.work_on(made.json()["id"], DOERS)
        return auditor.get(f"/api/v1/audit/checks/{made.json()['id']}/").json()

    return ask


@pytest.fixture
def proof(auditor):
    return lambda row: auditor.get(f"/api/v1/audit/{row}/check/").json()


class TestCheck:
    def test_of_a_trail_that_nobody_touched_says_so(self, sealed, answer):
        said = answer()
        assert said["state"] == "done"
        result = said["result"]
        assert (result["intact"], result["problems"]) == (True, [])
        assert result["rows"] >= 12
        assert result["fingerprint"] == signing_keys()[0].fingerprint

    def test_names_the_row_as_people_know_it(self, sealed, as_superuser, answer, ada):
        row = sealed[1][2]
        as_superuser(
            "update audit_value set salted = jsonb_set(salted, '{reason,1}', '\"Forged\"')"
            " where event_id = %s",
            row,
        )
        result = answer()["result"]
        assert (result["intact"], result["count"]) == (False, 1)
        [found] = result["problems"]
        assert (found["code"], found["row"], found["seal"]) == ("value_changed", str(row), 2)
        assert found["entry"]["target"] == "Flow 6"
        assert found["entry"]["actor"] == ada.label
        assert found["entry"]["verb"] == "flow.publish"

    def test_finds_a_row_that_is_gone_and_a_tail_that_was_cut(self, sealed, as_superuser, answer):
        as_superuser("delete from audit_event where id = %s", sealed[0][1])
        result = answer()["result"]
        found = {one["code"]: one for one in result["problems"]}
        assert found["row_missing"]["entry"] is None
        assert found["row_missing"]["seal"] == 1
        assert "was deleted" in found["row_missing"]["message"]
        as_superuser("delete from audit_leaf where seal_number = 3")
        as_superuser("delete from audit_seal where number = 3")
        codes = {one["code"] for one in answer()["result"]["problems"]}
        assert "tail_cut" in codes

    def test_tells_nothing_of_another_workspaces_rows(self, write, now, as_superuser, answer):
        [row] = write(1, workspace_id=uuid7(), reason="theirs")
        seal_pending(now=now)
        as_superuser("update audit_event set verb = 'x.forged' where id = %s", row)
        result = answer()["result"]
        assert result["intact"] is False
        [found] = result["problems"]
        assert (found["row"], found["entry"]) == (None, None)
        assert str(row) not in json.dumps(result)

    def test_a_value_that_is_no_value_any_more_breaks_no_page(
        self, sealed, as_superuser, answer, auditor
    ):
        as_superuser(
            "update audit_value set salted = jsonb_set(salted, '{reason}', '\"rubbish\"')"
            " where event_id = %s",
            sealed[0][0],
        )
        assert answer()["result"]["count"] == 1
        listed = auditor.get("/api/v1/audit/?verb=flow.publish")
        assert listed.status_code == 200


class TestOneRow:
    def test_is_verified_with_its_seal_and_place(self, sealed, proof):
        found = proof(sealed[2][1])
        assert found["state"] == "verified"
        assert (found["seal"], found["place"], found["count"], found["steps"]) == (3, 1, 4, 2)
        assert found["fingerprint"] == signing_keys()[0].fingerprint

    def test_waits_for_its_seal(self, write, proof):
        [row] = write(1)
        assert (proof(row)["state"], proof(row)["seal"]) == ("unsealed", None)

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ("update audit_event set verb = 'x.y' where id = %s", "row_changed"),
            ("update audit_event set at = at + interval '1 s' where id = %s", "row_changed"),
            ("delete from audit_value where event_id = %s", "values_missing"),
            (
                "update audit_value set salted = salted - 'reason' where event_id = %s",
                "value_missing",
            ),
            ("update audit_leaf set hash = sha256('x') where event_id = %s", "root_wrong"),
            (
                (
                    "update audit_seal set root = sha256('x') where number ="
                    " (select seal_number from audit_leaf where event_id = %s)"
                ),
                "seal_changed",
            ),
            (
                (
                    "update audit_seal set signature = decode(repeat('ab', 64), 'hex') where number ="
                    " (select seal_number from audit_leaf where event_id = %s)"
                ),
                "signature_wrong",
            ),
            (
                (
                    "delete from audit_seal where number ="
                    " (select seal_number from audit_leaf where event_id = %s)"
                ),
                "seal_missing",
            ),
            ("delete from audit_leaf where event_id = %s", "row_stray"),
        ],
    )
    def test_is_altered(self, sealed, as_superuser, proof, change, code):
        row = sealed[1][1]
        as_superuser(change, row)
        found = proof(row)
        assert found["state"] == "altered"
        assert code in {one["code"] for one in found["problems"]}

    def test_another_one_that_was_cut_from_its_seal_shows(self, sealed, as_superuser, proof):
        as_superuser("delete from audit_leaf where event_id = %s", sealed[1][0])
        assert proof(sealed[1][1])["state"] == "altered"

    def test_that_is_gone_is_told_of(self, sealed, as_superuser):
        as_superuser("delete from audit_event where id = %s", sealed[0][0])
        assert [one.code for one in check_row(sealed[0][0]).problems] == ["row_missing"]

    def test_sealed_by_a_key_that_is_not_ours_is_told(self, sealed, settings, proof):
        settings.SIGNING_KEY = "A" * 43 + "="
        assert {one["code"] for one in proof(sealed[0][0])["problems"]} == {"key_unknown"}


class TestBetweenTwoCheckpoints:
    @pytest.fixture
    def verify(self, tmp_path, capsys):
        def run(content, *more):
            path = tmp_path / "seals.ndjson"
            path.write_bytes(content)
            key = signing_keys()[0].fingerprint
            status = verify_audit.main([str(path), "--fingerprint", key, *more])
            return status, capsys.readouterr().out

        return run

    def get(self, auditor, first, last):
        found = auditor.get(f"/api/v1/audit/consistency/?from={first}&to={last}")
        return found, b"".join(found.streaming_content) if found.streaming else b""

    def test_every_seal_is_there_and_no_row(self, sealed, auditor, verify, tmp_path, checkpoints):
        found, content = self.get(auditor, 1, 3)
        assert found.status_code == 200
        assert b'"row"' not in content
        kept = tmp_path / "kept.log"
        kept.write_text(checkpoints.read_text().splitlines(keepends=True)[0])
        status, said = verify(content, "--checkpoints", str(kept))
        assert status == 0, said
        assert "1 seals compared" in said

    def test_a_history_that_was_made_anew_does_not_continue_the_line_that_was_kept(
        self, sealed, auditor, verify, tmp_path, as_superuser, write, now, checkpoints
    ):
        kept = tmp_path / "kept.log"
        kept.write_text(checkpoints.read_text().splitlines(keepends=True)[0])
        for table in ("audit_leaf", "audit_seal"):
            as_superuser(f"delete from {table}")
        as_superuser("delete from audit_event where id = %s", sealed[0][0])
        checkpoints.unlink()
        write(2)
        seal_pending(now=now)
        _, content = self.get(auditor, 1, 1)
        status, said = verify(content, "--checkpoints", str(kept))
        assert status == 1
        assert "sealed again" in said

    @pytest.mark.parametrize("span", ["3 1", "0 1", "1 99"])
    def test_seals_that_are_not_there_are_refused(self, sealed, auditor, span):
        first, last = span.split()
        assert self.get(auditor, first, last)[0].status_code == 409

    @pytest.mark.parametrize("span", [" 1", "x 1", "1 -1", "1 1e3", "1 ²"])
    def test_what_is_no_number_is_refused(self, sealed, auditor, span):
        first, last = span.split(" ")
        assert self.get(auditor, first, last)[0].status_code == 422


def test_the_checking_program_is_given_as_it_is(auditor):
    answer = auditor.get("/api/v1/audit/verifier/")
    assert answer.content.startswith(b"#!/usr/bin/env python3")
    assert "verify_audit.py" in answer["Content-Disposition"]
    assert AuditEvent.objects.filter(verb="export.read").count() == 0


def test_signatures_are_checked_alike_with_and_without_a_library():
    """RFC 8032, section 7.1, tests 1 to 3; and every kind of wrong one."""
    known = [
        ("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
         "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"),
        ("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
         "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"),
        ("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
         "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"),
    ]  # fmt: skip
    for public, message, signature in known:
        key, text, mark = (bytes.fromhex(one) for one in (public, message, signature))
        assert verify_audit.is_ed25519(key, mark, text)
        assert not verify_audit.is_ed25519(key, mark, text + b"x")
        assert not verify_audit.is_ed25519(key, mark[:32] + bytes(32), text)
        assert not verify_audit.is_ed25519(key, mark[:-1], text)
        assert not verify_audit.is_ed25519(bytes(31), mark, text)
        assert not verify_audit.is_ed25519(b"\xff" * 32, mark, text)
        beyond = int.from_bytes(mark[32:], "little") + verify_audit.ORDER
        longer = mark[:32] + beyond.to_bytes(32, "little")
        assert not verify_audit.is_ed25519(key, longer, text), "one signature has one form"
