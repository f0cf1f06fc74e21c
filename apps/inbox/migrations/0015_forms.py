"""Forms at a task: what is asked, what was filled in with an answer, and drafts of it."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import apps.core.models

KEPT = """
create trigger form_kept before update on inbox_usertask for each row
  when (new.form_hash is distinct from old.form_hash
        or new.form::text is distinct from old.form::text)
  execute function inbox_refuse();
create trigger answers_kept before update on inbox_decision for each row
  when (new.answers::text is distinct from old.answers::text)
  execute function inbox_refuse();
"""
BEFORE = """
drop trigger form_kept on inbox_usertask;
drop trigger answers_kept on inbox_decision;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("inbox", "0014_watched"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField("usertask", "form", apps.core.models.ExactJSONField(null=True)),
        migrations.AddField(
            "usertask",
            "form_hash",
            models.CharField(blank=True, db_default="", default="", max_length=64),
        ),
        migrations.AddField("decision", "answers", apps.core.models.ExactJSONField(null=True)),
        migrations.RemoveConstraint("usertask", "task_kind_known"),
        migrations.AddConstraint(
            "usertask",
            models.CheckConstraint(
                condition=models.Q(("kind__in", ["approval", "exception", "fill_in"])),
                name="task_kind_known",
            ),
        ),
        migrations.CreateModel(
            name="TaskDraft",
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
                ("form_hash", models.CharField(max_length=64)),
                ("answers", models.BinaryField()),
                ("updated_at", models.DateTimeField()),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "task",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="drafts",
                        to="inbox.usertask",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("task", "person"), name="task_draft_once")
                ],
            },
        ),
        migrations.RunSQL(KEPT, BEFORE),
    ]
