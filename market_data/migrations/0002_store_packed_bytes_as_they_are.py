from django.db import migrations


def leave_chunks_as_they_are(apps, schema_editor):
    """Chunks are packed already: let PostgreSQL not try again, on every write and read."""
    if schema_editor.connection.vendor == "postgresql":
        table = apps.get_model("market_data", "CandleChunk")._meta.db_table
        schema_editor.execute(f"ALTER TABLE {table} ALTER COLUMN data SET STORAGE EXTERNAL")


class Migration(migrations.Migration):
    dependencies = [("market_data", "0001_initial")]

    operations = [migrations.RunPython(leave_chunks_as_they_are, migrations.RunPython.noop)]
