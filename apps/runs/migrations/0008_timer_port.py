"""A timer leaves by a way out of its own. Workers of the release before write none: it is done."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("runs", "0007_pause_while_cancelling"),
    ]

    operations = [
        migrations.AddField(
            model_name="timer",
            name="port",
            field=models.CharField(db_default="done", default="done", max_length=63),
        ),
    ]
