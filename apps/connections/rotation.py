"""Which columns hold sealed values, so that ``rotate_keys`` finds them all.

A package that seals something registers its column in ``AppConfig.ready``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import connection, transaction
from django.db.models import Model
from psycopg import sql

from apps.connections import vault

PAGE = 200


@dataclass(frozen=True)
class SealedColumn:
    """A binary column sealed by ``vault.seal``.

    ``context`` gives what the value was bound to from the row's primary key alone, since that
    is all a rotation reads beside the value. ``model`` is ``app.Model``.
    """

    model: str
    column: str
    context: Callable[[Any], str]


@dataclass(frozen=True)
class Rotated:
    """What a rotation did to one column: values sealed anew, and those no key opens."""

    column: str
    resealed: int
    lost: int


_columns: dict[tuple[str, str], SealedColumn] = {}


def register(column: SealedColumn) -> None:
    """Have ``rotate_keys`` look after a column."""
    _columns[column.model, column.column] = column


def registered() -> list[SealedColumn]:
    """Every sealed column of the product."""
    return [column for _key, column in sorted(_columns.items())]


def reseal(column: SealedColumn) -> Rotated:
    """Seal every value of a column that an older key sealed under the first key.

    In short transactions, one for each page of rows; a row that changes meanwhile is left to
    whoever changed it, who used the first key. Safe to call twice and to break off.
    """
    resealed = lost = 0
    for page in _pages(column):
        with transaction.atomic():
            for pk, sealed in page:
                try:
                    plain = vault.open(sealed, column.context(pk))
                except vault.CannotOpen:
                    lost += 1
                    continue
                resealed += _replace(column, pk, sealed, vault.seal(plain, column.context(pk)))
    return Rotated(f"{column.model}.{column.column}", resealed, lost)


def _pages(column: SealedColumn) -> Iterator[list[tuple[Any, bytes]]]:
    table, name, key = _names(column)
    last: UUID | int | None = None
    while True:
        after = sql.SQL("and {} > %(last)s").format(key) if last is not None else sql.SQL("")
        query = sql.SQL(
            "select {key}, {name} from {table} where {name} is not null"
            " and substring({name} from 1 for 5) <> %(mark)s {after} order by {key} limit %(page)s"
        ).format(key=key, name=name, table=table, after=after)
        with connection.cursor() as cursor:
            cursor.execute(query, {"mark": vault.current_mark(), "last": last, "page": PAGE})
            rows = [(pk, bytes(sealed)) for pk, sealed in cursor.fetchall()]
        if not rows:
            return
        yield rows
        last = rows[-1][0]


def _replace(column: SealedColumn, pk: Any, old: bytes, new: bytes) -> int:
    table, name, key = _names(column)
    query = sql.SQL("update {table} set {name} = %s where {key} = %s and {name} = %s").format(
        table=table, name=name, key=key
    )
    with connection.cursor() as cursor:
        cursor.execute(query, [new, pk, old])
        return int(cursor.rowcount)


def _names(column: SealedColumn) -> tuple[sql.Identifier, sql.Identifier, sql.Identifier]:
    model: type[Model] = apps.get_model(column.model)
    meta = model._meta  # noqa: SLF001 - Django's documented name
    field: Any = meta.get_field(column.column)
    return (
        sql.Identifier(meta.db_table),
        sql.Identifier(field.column),
        sql.Identifier(str(meta.pk.column)),
    )
