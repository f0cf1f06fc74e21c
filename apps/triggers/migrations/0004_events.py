"""Events, the waits for them, and triggers that start by them."""

from django.db import migrations, models

import apps.core.models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("flows", "0002_version_immutable"),
        ("triggers", "0003_calls_go_whole"),
    ]

    operations = [
        migrations.CreateModel(
            name="Event",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.models.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("workspace_id", models.UUIDField()),
                ("event_id", models.CharField(max_length=200)),
                ("source", models.CharField(max_length=300)),
                ("type", models.CharField(max_length=200)),
                ("version", models.CharField(default="1", max_length=20)),
                ("subject", models.CharField(blank=True, default="", max_length=300)),
                ("occurred_at", models.DateTimeField()),
                ("data", apps.core.models.ExactJSONField(null=True)),
                ("attributes", apps.core.models.ExactJSONField(default=dict)),
                ("correlation", models.CharField(max_length=200)),
                ("causation", models.CharField(blank=True, default="", max_length=200)),
                ("depth", models.PositiveIntegerField(default=1)),
                ("flow_id", models.UUIDField(null=True)),
                ("run_id", models.UUIDField(null=True)),
                ("step", models.CharField(blank=True, default="", max_length=63)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("keyed_at", models.DateTimeField(null=True)),
                ("look_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "event",
            },
        ),
        migrations.CreateModel(
            name="EventKey",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "event_id",
                        "pattern_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("event_id", models.UUIDField()),
                ("pattern_id", models.BigIntegerField()),
                ("key_sha256", models.BinaryField(max_length=32, null=True)),
                ("fault", models.CharField(blank=True, default="", max_length=500)),
                ("expires_at", models.DateTimeField()),
            ],
            options={
                "db_table": "event_key",
            },
        ),
        migrations.CreateModel(
            name="EventPattern",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("workspace_id", models.UUIDField()),
                ("type", models.CharField(max_length=200)),
                ("key_of", models.CharField(blank=True, default="", max_length=500)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "event_pattern",
            },
        ),
        migrations.CreateModel(
            name="EventSubscription",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.models.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("workspace_id", models.UUIDField()),
                ("run_id", models.UUIDField()),
                ("lane", models.UUIDField()),
                ("step", models.CharField(max_length=63)),
                ("visit", models.IntegerField()),
                ("place", models.SmallIntegerField(default=0)),
                ("port", models.CharField(max_length=63)),
                ("type", models.CharField(max_length=200)),
                ("key_of", models.CharField(blank=True, default="", max_length=500)),
                ("key_sha256", models.BinaryField(max_length=32)),
                ("where", models.TextField(blank=True, default="")),
                ("known", apps.core.models.ExactJSONField(null=True)),
                ("pattern_id", models.BigIntegerField(null=True)),
                (
                    "status",
                    models.CharField(
                        choices=[("open", "Open"), ("matched", "Matched"), ("closed", "Closed")],
                        default="open",
                        max_length=10,
                    ),
                ),
                ("opened_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(null=True)),
                ("look_at", models.DateTimeField(null=True)),
                ("event_id", models.UUIDField(null=True)),
                ("note", models.CharField(blank=True, default="", max_length=500)),
            ],
            options={
                "db_table": "event_subscription",
            },
        ),
        migrations.RemoveConstraint(
            model_name="delivery",
            name="delivery_verdict_known",
        ),
        migrations.RemoveConstraint(
            model_name="delivery",
            name="delivery_refused_without_run",
        ),
        migrations.AddField(
            model_name="delivery",
            name="event_id",
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name="trigger",
            name="event_type",
            field=models.CharField(blank=True, db_default="", default="", max_length=200),
        ),
        migrations.AlterField(
            model_name="delivery",
            name="verdict",
            field=models.CharField(
                choices=[
                    ("accepted", "Accepted"),
                    ("held", "Accepted, held while the flow is paused"),
                    ("duplicate", "Came before"),
                    ("refused", "Refused"),
                    ("too_deep", "Refused: too many events led to it"),
                ],
                max_length=9,
            ),
        ),
        migrations.AddIndex(
            model_name="trigger",
            index=models.Index(
                condition=models.Q(("enabled", True), ("type", "event")),
                fields=["workspace", "event_type"],
                name="trigger_of_event",
            ),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("verdict__in", ["accepted", "held", "duplicate", "refused", "too_deep"])
                ),
                name="delivery_verdict_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("verdict__in", ["refused", "too_deep"]),
                    ("run_id__isnull", False),
                    _connector="XOR",
                ),
                name="delivery_refused_without_run",
            ),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.UniqueConstraint(
                condition=models.Q(("event_id__isnull", False)),
                fields=("event_id", "trigger_id"),
                name="delivery_of_event_once",
            ),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(fields=["workspace_id", "-id"], name="event_list"),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(fields=["workspace_id", "type", "-id"], name="event_by_type"),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(fields=["run_id"], name="event_by_run"),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(fields=["workspace_id", "correlation"], name="event_by_correlation"),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(
                condition=models.Q(("look_at__isnull", False)),
                fields=["look_at", "id"],
                name="event_to_look",
            ),
        ),
        migrations.AddConstraint(
            model_name="event",
            constraint=models.UniqueConstraint(
                fields=("workspace_id", "source", "event_id"), name="event_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="event",
            constraint=models.CheckConstraint(
                condition=models.Q(("depth__gte", 1)), name="event_depth"
            ),
        ),
        migrations.AddIndex(
            model_name="eventkey",
            index=models.Index(
                condition=models.Q(("key_sha256__isnull", False)),
                fields=["pattern_id", "key_sha256", "expires_at"],
                name="event_key_look",
            ),
        ),
        migrations.AddConstraint(
            model_name="eventpattern",
            constraint=models.UniqueConstraint(
                fields=("workspace_id", "type", "key_of"), name="event_pattern_once"
            ),
        ),
        migrations.AddIndex(
            model_name="eventsubscription",
            index=models.Index(
                condition=models.Q(("status", "open")),
                fields=["pattern_id", "key_sha256"],
                name="event_subscription_match",
            ),
        ),
        migrations.AddIndex(
            model_name="eventsubscription",
            index=models.Index(
                condition=models.Q(("look_at__isnull", False)),
                fields=["look_at", "id"],
                name="event_subscription_to_look",
            ),
        ),
        migrations.AddConstraint(
            model_name="eventsubscription",
            constraint=models.UniqueConstraint(
                fields=("run_id", "step", "visit", "place"), name="event_subscription_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="eventsubscription",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["open", "matched", "closed"])),
                name="event_subscription_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="eventsubscription",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status", "matched"), ("event_id__isnull", True), _connector="XOR"
                ),
                name="event_subscription_takes_one",
            ),
        ),
        migrations.AddConstraint(
            model_name="eventsubscription",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status", "open"), ("closed_at__isnull", False), _connector="XOR"
                ),
                name="event_subscription_over",
            ),
        ),
    ]
