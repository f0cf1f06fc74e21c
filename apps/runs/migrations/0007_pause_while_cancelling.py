"""A run that is being undone can be paused, by a fault of ours at least; its guard lets it."""

from importlib import import_module

from django.db import migrations

GUARD = import_module("apps.runs.migrations.0004_moves_between").GUARD


class Migration(migrations.Migration):
    dependencies = [("runs", "0006_items_and_limits")]
    operations = [migrations.RunSQL(GUARD, migrations.RunSQL.noop)]
