from django.db import migrations, models

import workers.models


class Migration(migrations.Migration):
    dependencies = [("workers", "0002_control")]

    operations = [
        migrations.AddField(
            model_name="worker",
            name="queues",
            field=models.JSONField(
                default=workers.models.usual_queues,
                help_text="Those that it serves, the first of them first.",
            ),
        ),
    ]
