from typing import Any

from django.db import migrations


def store_uncompressed(apps: Any, schema_editor: Any) -> None:
    """These columns are compressed already; PostgreSQL would try again on every insert, in vain."""
    if schema_editor.connection.vendor == "postgresql":
        for column in ("trades", "equity"):
            schema_editor.execute(f"ALTER TABLE backtests_result ALTER COLUMN {column} SET STORAGE EXTERNAL")


class Migration(migrations.Migration):
    dependencies = [("backtests", "0001_initial")]
    operations = [migrations.RunPython(store_uncompressed, migrations.RunPython.noop)]
