"""Which errors of the database pass by themselves."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import errors

from streams.storage.connect import is_transient


@pytest.mark.parametrize(
    "error",
    [
        errors.AdminShutdown(),
        errors.CannotConnectNow(),
        errors.DiskFull(),
        errors.ReadOnlySqlTransaction(),
        errors.IdleInTransactionSessionTimeout(),
        errors.SerializationFailure(),
        errors.DeadlockDetected(),
        psycopg.OperationalError("server closed the connection unexpectedly"),
    ],
)
def test_trouble_of_the_server_passes(error: psycopg.Error) -> None:
    assert is_transient(error)


@pytest.mark.parametrize(
    "error",
    [errors.StatementTooComplex(), errors.UniqueViolation(), errors.UndefinedTable()],
)
def test_a_wrong_statement_stays_wrong(error: psycopg.Error) -> None:
    assert not is_transient(error)
