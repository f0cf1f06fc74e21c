"""Runs have a priority: what they do next, their effects and their waiting starts have it too.

Workers of the release before write none; the columns' own default is the normal one.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("runs", "0011_runs_of_runs")]

    operations = [
        *(
            migrations.AddField(
                model, "priority", models.SmallIntegerField(db_default=0, default=0)
            )
            for model in ("runstate", "waitingstart", "effect")
        ),
        migrations.AddIndex(
            "waitingstart",
            models.Index(fields=["limit_key", "priority", "id"], name="waiting_start_turn"),
        ),
        migrations.RemoveIndex("effect", "effect_ready"),
        migrations.AddIndex(
            "effect",
            models.Index(
                condition=models.Q(("limit_id__isnull", True), ("status", "queued")),
                fields=["priority", "lane", "available_at", "id"],
                name="effect_claim",
            ),
        ),
        migrations.RemoveIndex("effect", "effect_limited"),
        migrations.AddIndex(
            "effect",
            models.Index(
                condition=models.Q(("limit_id__isnull", False), ("status", "queued")),
                fields=["limit_id", "priority", "available_at", "id"],
                name="effect_limit_claim",
            ),
        ),
    ]
