"""A test that somebody sends themselves is about no flow."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("flows", "0004_draft_revisions"), ("operations", "0006_notices_move")]

    operations = [
        migrations.AlterField(
            model_name="alert",
            name="flow",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="flows.flow",
            ),
        )
    ]
