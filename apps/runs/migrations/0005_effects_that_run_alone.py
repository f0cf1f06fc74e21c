"""Effects that must run alone are found without looking through all that wait."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("runs", "0004_moves_between")]

    operations = [
        migrations.AddIndex(
            model_name="effect",
            index=models.Index(
                condition=models.Q(("deaths__gte", 2), ("status", "queued")),
                fields=["available_at", "id"],
                name="effect_alone",
            ),
        ),
    ]
