"""Single rows on the path of every job, with SQL text that is put together once.

The ORM builds and compiles a statement anew each time it is used, which costs more than executing it. Values pass
through the same conversions as the ORM's, on every database. Statements whose answer nobody waits for may travel
together with the next one: see `fewer_trips`.
"""

import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, connections, models

M = TypeVar("M", bound=models.Model)
Converter = Callable[[Any], Any]

PLAIN_TYPES = frozenset({int, float, str, bool, type(None)})
PLAIN_FIELDS = (
    models.CharField,
    models.TextField,
    models.IntegerField,
    models.FloatField,
    models.BooleanField,
    models.DateTimeField,
    models.ForeignKey,
)
"""Fields whose plain values need no conversion on any database."""
MAX_VALUES = 30_000
"""In one statement; SQLite takes 32,766 unless it was built to take more."""


class _Waiting(threading.local):
    """Statements of this thread that wait for the next one; None outside `fewer_trips`."""

    statements: list[tuple[str, Sequence[Any]]] | None = None


_waiting = _Waiting()


@contextmanager
def fewer_trips() -> Generator[None]:
    """Let each statement of `later`, `insert` and `update` travel with the next one of this block, in order.

    A trip to a database server costs more than most statements. Whatever is executed on the connection meanwhile,
    also by the ORM, takes along what waits before it, so that nobody sees the database without it. To be used
    inside a transaction, whose end the waiting statements must not miss.
    """
    if _waiting.statements is not None:
        yield
        return
    _waiting.statements = []
    try:
        with connection.execute_wrapper(_take_along):
            yield
            _send_waiting()
    finally:
        _waiting.statements = None


def later(text: str, values: Sequence[Any]) -> None:
    """Execute a statement whose answer nobody waits for; at once, outside `fewer_trips`."""
    if _waiting.statements is None:
        execute(text, values)
    else:
        _waiting.statements.append((text, values))


def insert(instance: models.Model, *, ignore_conflicts: bool = False) -> None:
    """Insert a row; a key that the database chooses is not read back."""
    insertion = _insertion(type(instance), instance.pk is None)
    later(
        insertion.text(1, " ON CONFLICT DO NOTHING" if ignore_conflicts else ""), insertion.values(instance)
    )
    instance._state.adding = False  # noqa: SLF001 -- as the ORM does: the next `save` is to update it


def insert_many(instances: Sequence[models.Model]) -> None:
    """Insert rows of one model, all with a key or all without; keys that the database chooses are not read back."""
    if not instances:
        return
    insertion = _insertion(type(instances[0]), instances[0].pk is None)
    rows_at_once = MAX_VALUES // len(insertion.fields)
    for start in range(0, len(instances), rows_at_once):
        some = instances[start : start + rows_at_once]
        later(insertion.text(len(some)), [value for instance in some for value in insertion.values(instance)])


def fetch(model: type[M], text: str, values: Sequence[Any], columns: tuple[str, ...]) -> M | None:
    """The row that a statement returns as an instance with these columns; None if it returns none.

    `{columns}` in the text stands for the columns' names.
    """
    found = fetch_with_more(model, text, values, columns)
    return None if found is None else found[0]


def fetch_with_more(
    model: type[M], text: str, values: Sequence[Any], columns: tuple[str, ...]
) -> tuple[M, Sequence[Any]] | None:
    """The same, and what the statement returns after these columns."""
    return next(iter(fetch_many(model, text, values, columns)), None)


def fetch_many(
    model: type[M], text: str, values: Sequence[Any], columns: tuple[str, ...]
) -> list[tuple[M, Sequence[Any]]]:
    """All rows that a statement returns, each as an instance and what follows these columns."""
    names, converters = _columns(model, columns)
    convert = [(at, converter) for at, converter in enumerate(converters) if converter is not _unchanged]
    found: list[tuple[M, Sequence[Any]]] = []
    for row in fetch_all(text.format(columns=names), values):
        converted = list(row[: len(columns)])
        for at, converter in convert:
            converted[at] = converter(converted[at])
        found.append((model.from_db(connection.alias, columns, converted), row[len(columns) :]))
    return found


def update(instance: models.Model, columns: tuple[str, ...]) -> None:
    """Write these columns of a row that the caller has locked."""
    text, fields = _update_text(type(instance), columns)
    later(text, _values(instance, fields))


def execute(text: str, values: Sequence[Any]) -> int:
    """Execute a statement; how many rows it changed."""
    with connection.cursor() as cursor:
        cursor.execute(text, values)
        return cursor.rowcount


def fetch_all(text: str, values: Sequence[Any]) -> list[Sequence[Any]]:
    """All rows that a statement returns, as the database gives them."""
    with connection.cursor() as cursor:
        cursor.execute(text, values)
        return cursor.fetchall()


def _send_waiting() -> None:
    """Execute what waits, the last of it as the statement that takes the others along."""
    if _waiting.statements:
        execute(*_waiting.statements.pop())


def _take_along(execute: Any, sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """Execute a statement after those that wait: as one text where the database takes several at once."""
    waiting, _waiting.statements = _waiting.statements or [], []
    if waiting and params is not None and not many and connection.vendor == "postgresql":
        sql = ";".join([*(text for text, _ in waiting), str(sql)])
        params = [*(value for _, values in waiting for value in values), *params]
    else:
        for text, values in waiting:
            execute(text, values, False, context)
    return execute(sql, params, many, context)


@dataclass(frozen=True)
class _Insertion:
    """How rows of a model are inserted."""

    head: str
    fields: list[Any]

    def text(self, row_count: int, tail: str = "") -> str:
        places = f"({', '.join(['%s'] * len(self.fields))})"
        return f"{self.head} VALUES {', '.join([places] * row_count)}{tail}"

    def values(self, instance: models.Model) -> list[Any]:
        return _values(instance, self.fields)


@lru_cache
def _insertion(model: type[models.Model], without_key: bool) -> _Insertion:
    quote = connection.ops.quote_name
    fields = [field for field in model._meta.concrete_fields if not (without_key and field.primary_key)]
    columns = ", ".join(quote(str(field.column)) for field in fields)
    head = f"INSERT INTO {quote(model._meta.db_table)} ({columns})"
    return _Insertion(head, fields)


def _values(instance: models.Model, fields: Sequence[Any]) -> list[Any]:
    """A row's values as the database takes them; plain ones are what they are already."""
    database = connections[DEFAULT_DB_ALIAS]  # looked up once, and not for every value
    values = (getattr(instance, field.attname) for field in fields)
    return [
        value
        if type(value) in PLAIN_TYPES and isinstance(field, PLAIN_FIELDS)
        else field.get_db_prep_save(value, database)
        for field, value in zip(fields, values, strict=True)
    ]


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
