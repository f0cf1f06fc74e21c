"""A published version stays what it was, whoever asks and however."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from apps.accounts.models import User, Workspace
from apps.flows.models import Flow, FlowVersion

pytestmark = pytest.mark.django_db


@pytest.fixture
def version():
    now = timezone.now()
    workspace = Workspace.objects.create(slug="acme", name="Acme")
    owner = User.objects.create(email="owner@acme.test", name="Owner")
    flow = Flow.objects.create(
        workspace=workspace, name="Orders", owner=owner, created_at=now, updated_at=now
    )
    made = FlowVersion.objects.create(
        flow=flow,
        workspace=workspace,
        number=1,
        hash="0" * 64,
        document={"name": "Orders"},
        trigger_type="manual",
        created_at=now,
    )
    connection.check_constraints()  # TRUNCATE would trip over what is still to be checked
    return made


class TestAVersionRefuses:
    @pytest.mark.parametrize(
        "sql",
        [
            "update flows_flowversion set note = 'changed'",
            "update flows_flowversion set document = '{}'",
            "delete from flows_flowversion",
            "truncate flows_flowversion cascade",
            "set local pgtrigger.ignore = '{immutable}'; delete from flows_flowversion",
        ],
    )
    def test_raw_sql(self, version, sql):
        with (
            pytest.raises(IntegrityError, match="never changed"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(sql)

        assert FlowVersion.objects.get().document == {"name": "Orders"}

    def test_the_orm(self, version):
        version.note = "changed"
        with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
            version.save()
        with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
            FlowVersion.objects.filter(pk=version.pk).delete()


class TestAFlow:
    def test_cannot_have_the_version_of_another_flow(self, version):
        now = timezone.now()
        other = Flow.objects.create(
            workspace=version.workspace, name="Other", created_at=now, updated_at=now
        )

        with pytest.raises(IntegrityError, match="flow_active_version_own"), transaction.atomic():
            Flow.objects.filter(pk=other.pk).update(active_version=version)
            connection.check_constraints()
