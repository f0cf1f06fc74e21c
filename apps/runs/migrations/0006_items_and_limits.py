"""Items of lists that runs work through; timers that end a visit which takes too long.

Workers of the release before write timers without a kind, which is then a delay.
"""

from django.db import migrations, models

import apps.core.models


class Migration(migrations.Migration):
    dependencies = [("runs", "0005_effects_that_run_alone")]

    operations = [
        migrations.CreateModel(
            name="Item",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "run_id", "step", "visit", "idx",
                        blank=True, editable=False, primary_key=True, serialize=False,
                    ),
                ),
                ("run_id", models.UUIDField()),
                ("step", models.CharField(max_length=63)),
                ("visit", models.IntegerField()),
                ("idx", models.IntegerField()),
                ("value", apps.core.models.ExactJSONField()),
            ],
            options={"db_table": "run_item"},
        ),
        migrations.AddField(
            model_name="timer",
            name="kind",
            field=models.CharField(db_default="delay", default="delay", max_length=10),
        ),
        migrations.RemoveConstraint(model_name="timer", name="timer_once"),
        migrations.AddConstraint(
            model_name="timer",
            constraint=models.UniqueConstraint(
                fields=("run_id", "step", "visit", "kind"), name="timer_once"
            ),
        ),
    ]  # fmt: skip
