"""Raw bodies are sealed, so they cannot be made smaller: do not try."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("triggers", "0001_initial")]
    operations = [
        migrations.RunSQL(
            "alter table triggers_delivery alter column body set storage external",
            "alter table triggers_delivery alter column body set storage extended",
        )
    ]
