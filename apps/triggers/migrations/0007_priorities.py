"""The runs that a trigger starts have the priority of its flow."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("triggers", "0006_contracts_at_every_door")]

    operations = [
        migrations.AddField(
            "trigger", "priority", models.SmallIntegerField(db_default=0, default=0)
        ),
    ]
