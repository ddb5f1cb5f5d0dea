"""What a person is told while a command runs."""

import logging
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from reconciler.adapters.cluster_kubernetes import KubernetesApi
from reconciler.cli.told import Sentences, sentences
from reconciler.errors import Unavailable
from tests.adapters.cluster_kubernetes.worlds import IMPATIENT, settings
from tests.reports.extremes import HOSTILE

OURS = logging.getLogger("reconciler.test")
KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters: [{name: a, cluster: {server: "http://127.0.0.1:1"}}]
users: [{name: a, user: {token: x}}]
contexts: [{name: a, context: {cluster: a, user: a}}]
current-context: a
"""


def told(*records: tuple[logging.Logger, int, str]) -> str:
    """Return what appears on standard error while this is logged."""

    @click.command()
    def command() -> None:
        with sentences():
            for logger, level, text in records:
                logger.log(level, "%s", text)

    result: Result = CliRunner().invoke(command, catch_exceptions=False)
    assert result.stdout == ""
    return result.stderr


def test_a_person_reads_warnings_and_what_is_waited_for() -> None:
    """As they are worded, without levels and names; what else a log holds stays away, and so do remarks of libraries."""
    assert (
        told(
            (OURS, logging.INFO, "bringing the tables to version 2"),
            (OURS.getChild("waiting"), logging.INFO, "no answer, trying again (2 of 5)"),
            (OURS.getChild("waiting"), logging.DEBUG, "in 0.3 s"),
            (OURS, logging.WARNING, "the mirror is discarded"),
            (logging.getLogger("urllib3.connectionpool"), logging.WARNING, "Connection pool is full"),
            (logging.getLogger("apscheduler"), logging.ERROR, "a job has died"),
        )
        == "no answer, trying again (2 of 5)\nthe mirror is discarded\na job has died\n"
    )


def test_a_sentence_is_said_once() -> None:
    """Sixteen threads wait for one server."""
    assert told(*[(OURS, logging.WARNING, "no answer")] * 16) == "no answer\n"


def test_a_bug_keeps_its_traceback() -> None:
    """The report says to look at the log, and this is it."""

    @click.command()
    def command() -> None:
        with sentences():
            try:
                [].pop()
            except IndexError:
                OURS.exception("bug in a write")

    lines = CliRunner().invoke(command, catch_exceptions=False).stderr.splitlines()
    assert (lines[0], lines[1], lines[-1]) == (
        "bug in a write",
        "Traceback (most recent call last):",
        "IndexError: pop from empty list",
    )


@pytest.mark.case("W-17")
@pytest.mark.parametrize("text", HOSTILE)
def test_sentences_steer_no_terminal(text: str) -> None:
    """Servers and Git word some of them."""

    @click.command()
    def command() -> None:
        Sentences().handle(logging.makeLogRecord({"levelno": logging.WARNING, "msg": text}))

    assert all(line.isprintable() for line in CliRunner().invoke(command, catch_exceptions=False).stderr.split("\n"))


def test_afterwards_logging_is_as_it_was() -> None:
    """Whoever calls a command from Python keeps their own logging."""
    root = logging.getLogger()
    before = root.level, list(root.handlers), logging.getLogger("reconciler").level
    told((OURS, logging.WARNING, "x"))
    assert (root.level, root.handlers, logging.getLogger("reconciler").level) == before


def test_a_silent_api_server_is_told_of_in_few_words(tmp_path: Path) -> None:
    """One line for each round of tries, however many requests are in it: nothing for machines, no traceback."""
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(KUBECONFIG)
    api = KubernetesApi(settings(kubeconfig))

    def ask(number: int) -> None:
        with pytest.raises(Unavailable):
            api.read(f"/api/v1/namespaces/{number}")

    @click.command()
    def command() -> None:
        with sentences(), ThreadPoolExecutor(8) as pool:
            list(pool.map(ask, range(8)))

    result = CliRunner().invoke(command, catch_exceptions=False)
    api.close()
    tries = [f"no usable answer from the API server, trying again ({number} of {IMPATIENT.attempts})" for number in (2, 3, 4)]
    assert sorted(result.stderr.splitlines()) == tries
    assert result.stdout == ""


def test_no_library_says_it_again() -> None:
    """A record for machines is what stamina would print, and with structlog beside it as a line on standard output."""
    code = "import stamina.instrumentation as said, reconciler.adapters.sql.database; print(said.get_on_retry_hooks())"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "()\n"
