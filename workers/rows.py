"""Single rows on the path of every job, with SQL text that is put together once.

The ORM builds and compiles a statement anew each time it is used, which costs more than executing it. Values pass
through the same conversions as the ORM's, on every database.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypeVar

from django.db import connection, models

M = TypeVar("M", bound=models.Model)
Converter = Callable[[Any], Any]


def insert(instance: models.Model, *, ignore_conflicts: bool = False) -> None:
    """Insert a row; a key that the database chooses is not read back."""
    text, fields = _insert_text(type(instance), instance.pk is None, ignore_conflicts)
    values = [field.get_db_prep_save(getattr(instance, field.attname), connection) for field in fields]
    execute(text, values)


def fetch(model: type[M], text: str, values: Sequence[Any], columns: tuple[str, ...]) -> M | None:
    """The row that a statement returns as an instance with these columns; None if it returns none.

    `{columns}` in the text stands for the columns' names.
    """
    names, converters = _columns(model, columns)
    with connection.cursor() as cursor:
        cursor.execute(text.format(columns=names), values)
        row = cursor.fetchone()
    if row is None:
        return None
    converted = [convert(value) for convert, value in zip(converters, row, strict=True)]
    return model.from_db(connection.alias, columns, converted)


def update(instance: models.Model, columns: tuple[str, ...]) -> None:
    """Write these columns of a row that the caller has locked."""
    text, fields = _update_text(type(instance), columns)
    values = [field.get_db_prep_save(getattr(instance, field.attname), connection) for field in fields]
    execute(text, values)


def execute(text: str, values: Sequence[Any]) -> int:
    """Execute a statement; how many rows it changed."""
    with connection.cursor() as cursor:
        cursor.execute(text, values)
        return cursor.rowcount


@lru_cache
def _insert_text(
    model: type[models.Model], without_key: bool, ignore_conflicts: bool
) -> tuple[str, list[Any]]:
    fields = [field for field in model._meta.concrete_fields if not (without_key and field.primary_key)]
    columns = ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
    places = ", ".join(["%s"] * len(fields))
    table = connection.ops.quote_name(model._meta.db_table)
    conflict = " ON CONFLICT DO NOTHING" if ignore_conflicts else ""
    return f"INSERT INTO {table} ({columns}) VALUES ({places}){conflict}", fields  # noqa: S608 -- only names


@lru_cache
def _update_text(model: type[models.Model], columns: tuple[str, ...]) -> tuple[str, list[Any]]:
    key = model._meta.pk
    assert key is not None, "every model has a key"
    fields = [_field(model, name) for name in columns]
    settings = ", ".join(f"{connection.ops.quote_name(str(field.column))} = %s" for field in fields)
    table = connection.ops.quote_name(model._meta.db_table)
    text = f"UPDATE {table} SET {settings} WHERE {connection.ops.quote_name(str(key.column))} = %s"  # noqa: S608
    return text, [*fields, key]


@lru_cache
def _columns(model: type[models.Model], columns: tuple[str, ...]) -> tuple[str, list[Converter]]:
    fields = [_field(model, name) for name in columns]
    table = connection.ops.quote_name(model._meta.db_table)
    names = ", ".join(f"{table}.{connection.ops.quote_name(str(field.column))}" for field in fields)
    return names, [_converter(field) for field in fields]


def _field(model: type[models.Model], name: str) -> Any:
    return model._meta.get_field(name)


def _converter(field: Any) -> Converter:
    """All that the ORM does to a column's value, as one function."""
    expression = field.get_col(field.model._meta.db_table)
    backend = connection.ops.get_db_converters(expression) + expression.get_db_converters(connection)

    def convert(value: Any) -> Any:
        for step in backend:
            value = step(value, expression, connection)
        return value

    return convert if backend else _unchanged


def _unchanged(value: Any) -> Any:
    return value
