"""What people who decide have asked others; said once, it stays."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import apps.core.models

KEPT = ["id", "task_id", "workspace_id", "asked_by_id", "asked_of_id", "text", "asked_at"]
GUARD = f"""
create function inbox_question_guard() returns trigger language plpgsql as $$
begin
  if ({", ".join(f"new.{one}" for one in KEPT)}) is distinct from
     ({", ".join(f"old.{one}" for one in KEPT)})
     or (old.answered_at is not null or old.closed_at is not null)
        and (new.answer, new.answered_at, new.closed_at) is distinct from
            (old.answer, old.answered_at, old.closed_at) then
    raise exception 'What people asked and answered is kept.' using errcode = 'restrict_violation';
  end if;
  return new;
end
$$;
create trigger question_guard before update on inbox_question
  for each row execute function inbox_question_guard();
create trigger no_delete before delete on inbox_question
  for each row execute function inbox_refuse();
create trigger no_truncate before truncate on inbox_question execute function inbox_refuse();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("inbox", "0010_views_and_bulk"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Question",
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
                ("text", models.TextField()),
                ("asked_at", models.DateTimeField()),
                ("answer", models.TextField(blank=True, default="")),
                ("answered_at", models.DateTimeField(null=True)),
                ("closed_at", models.DateTimeField(null=True)),
                (
                    "asked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "asked_of",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "task",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="questions",
                        to="inbox.usertask",
                    ),
                ),
            ],
            options={
                "ordering": ["asked_at", "id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(
                            ("answered_at__isnull", True), ("closed_at__isnull", True)
                        ),
                        fields=["asked_of", "workspace_id", "-id"],
                        name="question_waiting",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("asked_by", models.F("asked_of")), _negated=True),
                        name="question_of_another",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("answer", ""), ("answered_at__isnull", True)),
                            models.Q(
                                ("answered_at__isnull", False),
                                ("closed_at__isnull", True),
                                models.Q(("answer", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="question_answered_at",
                    ),
                ],
            },
        ),
        migrations.RunSQL(GUARD, "drop function inbox_question_guard() cascade"),
    ]
