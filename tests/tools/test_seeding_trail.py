"""Rows that are filled into the trail are such as the product writes: it seals and finds them."""

import pytest

from apps.audit.models import AuditEvent
from apps.audit.queries import audit_rows
from apps.audit.sealing import seal_pending
from apps.audit.verify import verify_trail
from apps.core import clock
from apps.core.models import uuid7
from tests.tools.test_seeding import connection_url
from tools import bench_trail, seeding_trail

pytestmark = pytest.mark.django_db(transaction=True)


def test_they_are_sealed_verified_and_found(monkeypatch, tmp_path, settings):
    monkeypatch.setattr(seeding_trail, "AT_ONCE", 25)
    settings.CHECKPOINTS = tmp_path / "checkpoints.log"
    workspace = uuid7()
    seeding_trail.fill(connection_url(), str(workspace), 90, signing_key=settings.SIGNING_KEY)
    assert seal_pending(now=clock.now()) == 90
    report = verify_trail(checkpoints=settings.CHECKPOINTS)
    assert (report.problems, report.notes) == ([], [])
    assert (report.rows, report.values) == (90, 540)
    assert audit_rows(workspace, actor=seeding_trail.uuid_of(1, 31)).exists()
    assert audit_rows(workspace, search="person vend", correlation="m3").count() == 4
    assert audit_rows(workspace, target="vendor:v13").get().verb in seeding_trail.VERBS
    rows = AuditEvent.objects.order_by("id")
    assert [row.at for row in rows] == sorted(row.at for row in rows)


def test_every_search_of_the_bench_is_one_that_the_product_takes(client_as):
    auditor = client_as("auditor")
    for name, query in bench_trail.SEARCHES.items():
        answer = auditor.get(f"/api/v1/audit/?{query.format(day='2026-11-01')}")
        assert answer.status_code == 200, name
