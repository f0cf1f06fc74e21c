"""Duties, standing in for others, handing over and claiming; what a fact says an amount is."""

import django.db.models.deletion
import django.db.models.functions.comparison
from django.conf import settings
from django.db import migrations, models

import apps.core.models

KEPT = ["id", "task_id", "workspace_id", "user_id", "via"]


def guard(dropped):
    return f"""
create or replace function inbox_assignee_guard() returns trigger language plpgsql as $$
begin
  if ({", ".join(f"new.{name}" for name in KEPT)}) is distinct from ({", ".join(f"old.{name}" for name in KEPT)})
     or (new.is_open and not old.is_open)
     or ({dropped}) then
    raise exception 'Whom a task was put to is kept.' using errcode = 'restrict_violation';
  end if;
  return new;
end
$$;
"""


#: Who handed an open task on can be given it again.
NOW = (
    "old.dropped_at is not null and new.dropped_at is distinct from old.dropped_at"
    " and not (new.dropped_at is null and old.is_open)"
)
BEFORE = "old.dropped_at is not null and new.dropped_at is distinct from old.dropped_at"
AMOUNT = """
create function inbox_amount(facts json, label text) returns numeric language sql immutable as $$
  select case when json_typeof(one->'value') = 'number' then (one->>'value')::numeric end
  from json_array_elements(facts) with ordinality as listed(one, place)
  where one->>'label' = label order by place limit 1
$$;
create trigger no_delete before delete on inbox_delegation
  for each row execute function inbox_refuse();
create trigger no_delete before delete on inbox_dutyexception
  for each row execute function inbox_refuse();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("inbox", "0006_weights_and_vetoes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="LastTurn",
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
                ("flow_id", models.UUIDField()),
                ("step", models.CharField(max_length=63)),
                ("at", models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name="decision",
            name="on_behalf_of",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="taskassignee",
            name="handed_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="taskassignee",
            name="is_fallback",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="usertask",
            name="claimed_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="usertask",
            name="claimed_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="usertask",
            name="duties",
            field=models.JSONField(db_default=[], default=list),
        ),
        migrations.AddField(
            model_name="usertask",
            name="fallback",
            field=models.JSONField(db_default=[], default=list),
        ),
        migrations.AddField(
            model_name="usertask",
            name="risk",
            field=models.CharField(db_default="high", default="high", max_length=6),
        ),
        migrations.CreateModel(
            name="Delegation",
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
                ("begins_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("kinds", models.JSONField(default=list)),
                ("flows", models.JSONField(default=list)),
                ("amount_label", models.CharField(blank=True, default="", max_length=100)),
                ("amount_limit", models.DecimalField(decimal_places=6, max_digits=30, null=True)),
                ("without_high_risk", models.BooleanField(default=False)),
                ("reason", models.TextField(blank=True, default="")),
                ("created_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "to",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-begins_at", "-id"],
            },
        ),
        migrations.CreateModel(
            name="DutyException",
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
                ("reason", models.TextField()),
                ("asked_at", models.DateTimeField()),
                ("allowed_at", models.DateTimeField(null=True)),
                (
                    "allowed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "task",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="exceptions",
                        to="inbox.usertask",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["asked_at", "id"],
            },
        ),
        migrations.AddField(
            model_name="decision",
            name="exception",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="inbox.dutyexception",
            ),
        ),
        migrations.AddConstraint(
            model_name="decision",
            constraint=models.UniqueConstraint(
                models.F("task"),
                django.db.models.functions.comparison.Coalesce("on_behalf_of", "user"),
                name="decision_once_a_place",
            ),
        ),
        migrations.AddField(
            model_name="lastturn",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddIndex(
            model_name="delegation",
            index=models.Index(
                condition=models.Q(("ended_at__isnull", True)),
                fields=["workspace_id", "ends_at"],
                name="delegation_live",
            ),
        ),
        migrations.AddConstraint(
            model_name="delegation",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends_at__gt", models.F("begins_at"))), name="delegation_period"
            ),
        ),
        migrations.AddConstraint(
            model_name="delegation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("to__isnull", True),
                    models.Q(("to", models.F("person")), _negated=True),
                    _connector="OR",
                ),
                name="delegation_to_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="dutyexception",
            constraint=models.UniqueConstraint(fields=("task", "user"), name="exception_once"),
        ),
        migrations.AddConstraint(
            model_name="dutyexception",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("allowed_at__isnull", True), ("allowed_by__isnull", True)),
                    models.Q(("allowed_at__isnull", False), ("allowed_by__isnull", False)),
                    _connector="OR",
                ),
                name="exception_allowed_at",
            ),
        ),
        migrations.AddConstraint(
            model_name="dutyexception",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("allowed_by__isnull", True),
                    models.Q(("allowed_by", models.F("user")), _negated=True),
                    _connector="OR",
                ),
                name="exception_by_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="lastturn",
            constraint=models.UniqueConstraint(
                fields=("flow_id", "step", "user"), name="turn_once"
            ),
        ),
        migrations.RunSQL(guard(NOW), guard(BEFORE)),
        migrations.RunSQL(
            AMOUNT,
            "drop function inbox_amount(json, text);"
            " drop trigger no_delete on inbox_delegation;"
            " drop trigger no_delete on inbox_dutyexception",
        ),
    ]
