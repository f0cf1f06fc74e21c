"""The global stop, runs that are stuck, how long steps usually take, and what a run does again."""

from django.db import migrations, models

import apps.core.models


class Migration(migrations.Migration):
    dependencies = [("runs", "0009_tries_and_limits")]

    operations = [
        migrations.CreateModel(
            "WorkspaceStop",
            [
                ("workspace_id", models.UUIDField(primary_key=True, serialize=False)),
                ("by", models.CharField(max_length=254)),
                ("reason", models.CharField(max_length=2000)),
                ("stopped_at", models.DateTimeField()),
            ],
            options={"db_table": "workspace_stop"},
        ),
        migrations.CreateModel(
            "StuckRun",
            [
                ("run_id", models.UUIDField(primary_key=True, serialize=False)),
                ("workspace_id", models.UUIDField()),
                ("flow_id", models.UUIDField()),
                ("step", models.CharField(default="", max_length=63)),
                ("usual_s", models.FloatField(null=True)),
                ("progress_at", models.DateTimeField()),
                ("noticed_at", models.DateTimeField()),
                ("cause", apps.core.models.ExactJSONField()),
            ],
            options={
                "db_table": "stuck_run",
                "indexes": [models.Index(fields=["workspace_id", "run_id"], name="stuck_run_list")],
            },
        ),
        migrations.CreateModel(
            "StepTime",
            [
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "flow_id",
                        "step",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("flow_id", models.UUIDField()),
                ("step", models.CharField(max_length=63)),
                ("usual_s", models.FloatField(null=True)),
                ("visits", models.IntegerField()),
                ("counted_at", models.DateTimeField()),
            ],
            options={"db_table": "step_time"},
        ),
        migrations.AlterField(
            "waitingstart",
            "reason",
            models.CharField(
                choices=[
                    ("limit", "As many runs as allowed are under way"),
                    ("paused", "The flow is paused"),
                    ("stopped", "Everything is stopped"),
                ],
                max_length=10,
            ),
        ),
        migrations.RunSQL(
            "alter table run add column replay_of uuid",
            "alter table run drop column replay_of",
        ),
    ]
