"""What a person reads in."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_working_calendar"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="language",
            field=models.CharField(
                blank=True,
                choices=[("", "As the browser says"), ("en", "English"), ("de", "Deutsch")],
                default="",
                max_length=8,
            ),
        ),
    ]
