"""Statements that workers send over and over, planned once for each connection."""

from collections.abc import Mapping
from typing import Any

import psycopg
from django.db import connection


def fetched(statement: str, given: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """The rows of a statement, on Django's own connection and in its transaction.

    Parameters are bound by the server, so each needs a type that it can tell.
    """
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(statement.encode(), given, prepare=True)
        return cursor.fetchall()
