from typing import Any

from django.db import migrations, models


def forget_tickets(apps: Any, schema_editor: Any) -> None:
    """They are valid for half a minute, and those of before don't know what they were made with."""
    apps.get_model("workers", "Ticket").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [("workers", "0006_name_of_deliveries")]

    operations = [
        migrations.RunPython(forget_tickets, migrations.RunPython.noop),
        migrations.AddField(
            model_name="ticket",
            name="made_with",
            field=models.JSONField(
                default=dict, help_text="What its owner was let in with; see `workers.credentials`."
            ),
            preserve_default=False,
        ),
    ]
