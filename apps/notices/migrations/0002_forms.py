"""People are told that a form waits for them."""

from django.db import migrations, models

KINDS = [
    ("decide", "Decide"),
    ("fill_in", "Fill In"),
    ("remind", "Remind"),
    ("late", "Late"),
    ("escalated", "Escalated"),
    ("changed", "Changed"),
    ("question", "Question"),
    ("answer", "Answer"),
    ("back", "Back"),
    ("request", "Request"),
    ("alert", "Alert"),
    ("digest", "Digest"),
    ("test", "Test"),
]


class Migration(migrations.Migration):
    dependencies = [("notices", "0001_notices")]

    operations = [
        migrations.AlterField("notice", "kind", models.CharField(choices=KINDS, max_length=10)),
        migrations.RemoveConstraint("notice", "notice_kind_known"),
        migrations.AddConstraint(
            "notice",
            models.CheckConstraint(
                condition=models.Q(("kind__in", [kind for kind, _ in KINDS])),
                name="notice_kind_known",
            ),
        ),
    ]
