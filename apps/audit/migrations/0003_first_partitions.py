"""This month's partitions and the next two, so that no row ever meets DEFAULT first."""

from datetime import UTC, datetime
from typing import Any

from django.db import migrations

from apps.audit.partitions import ensure_partitions


def create(_apps: Any, _schema_editor: Any) -> None:
    ensure_partitions(datetime.now(UTC))


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_insert_only")]
    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
