import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


def leave_parts_as_they_are(apps, schema_editor):
    """Files mostly come packed, and a part lives for a minute: PostgreSQL need not try to pack it."""
    if schema_editor.connection.vendor == "postgresql":
        table = apps.get_model("market_data", "UploadPart")._meta.db_table
        schema_editor.execute(f"ALTER TABLE {table} ALTER COLUMN data SET STORAGE EXTERNAL")


class Migration(migrations.Migration):
    dependencies = [
        ("market_data", "0004_downloads"),
        ("workers", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Upload",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("name", models.CharField(help_text="As it was sent, without any folder.", max_length=160)),
                ("size_bytes", models.BigIntegerField()),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "imported_at",
                    models.DateTimeField(blank=True, help_text="Nobody needs it any more.", null=True),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={"ordering": ("-created_at",)},
        ),
        migrations.CreateModel(
            name="UploadPart",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("data", models.BinaryField()),
                (
                    "upload",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="parts",
                        to="market_data.upload",
                    ),
                ),
            ],
            options={
                "ordering": ("upload", "number"),
                "constraints": [models.UniqueConstraint(fields=("upload", "number"), name="one_part_each")],
            },
        ),
        migrations.CreateModel(
            name="ImportResult",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("symbol_count", models.PositiveIntegerField()),
                ("candle_count", models.PositiveIntegerField()),
                (
                    "found",
                    models.JSONField(
                        help_text="One entry for each cryptocurrency in each table of the file."
                    ),
                ),
                (
                    "job",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="import_result",
                        to="workers.job",
                    ),
                ),
            ],
        ),
        migrations.RunPython(leave_parts_as_they_are, migrations.RunPython.noop),
    ]
