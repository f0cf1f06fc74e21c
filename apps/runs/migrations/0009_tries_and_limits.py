"""An effect knows its tries by class, and the limit under which it stands."""

from django.db import migrations, models

import apps.core.models


class Migration(migrations.Migration):
    dependencies = [("runs", "0008_timer_port")]

    operations = [
        migrations.AddField("effect", "retry", apps.core.models.ExactJSONField(null=True)),
        migrations.AddField("effect", "limit_id", models.UUIDField(null=True)),
        migrations.AddField("effect", "limit_max", models.IntegerField(null=True)),
        migrations.AddField(
            "effect",
            "limit_name",
            models.CharField(db_default="", default="", max_length=200),
        ),
        migrations.RemoveIndex("effect", "effect_due"),
        migrations.AddIndex(
            "effect",
            models.Index(
                condition=models.Q(("limit_id__isnull", True), ("status", "queued")),
                fields=["lane", "available_at", "id"],
                name="effect_ready",
            ),
        ),
        migrations.AddIndex(
            "effect",
            models.Index(
                condition=models.Q(("limit_id__isnull", False), ("status", "queued")),
                fields=["limit_id", "available_at", "id"],
                name="effect_limited",
            ),
        ),
        migrations.AddIndex(
            "effect",
            models.Index(
                condition=models.Q(("limit_id__isnull", False), ("status", "running")),
                fields=["limit_id"],
                name="effect_limit_used",
            ),
        ),
    ]
