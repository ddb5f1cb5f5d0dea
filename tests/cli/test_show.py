"""How a command shows what it found, and how it ends."""

import click
import pytest
from click.testing import CliRunner, Result

from reconciler.cli.options import target_options
from reconciler.cli.show import failing, said, show, table
from reconciler.errors import Fenced, InvalidInput, Place, Problem, Rejected, Unavailable
from tests.reports import extremes, samples
from tests.reports.extremes import HOSTILE


def ended(outcome: int | Exception) -> Result:
    """Run a command that ends so."""

    @click.command()
    @failing
    def command() -> int:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return CliRunner().invoke(command)


@pytest.mark.parametrize(
    ("outcome", "code", "message"),
    [
        (0, 0, ""),
        (2, 2, ""),
        (InvalidInput([Problem("MR0002", "m", place=Place("a.yaml", 1, 2))]), 1, "a.yaml:1:2: error: m [MR0002]\n"),
        (Unavailable("no answer"), 1, "cannot be reached: no answer\n"),
        (Rejected("no"), 1, "error: no\n"),
        (Fenced("another writer"), 3, "refused: another writer\n"),
    ],
)
def test_every_end_has_its_code_and_its_message(outcome: int | Exception, code: int, message: str) -> None:
    """Messages go to standard error, so that reports stay clean."""
    result = ended(outcome)
    assert (result.exit_code, result.stderr, result.stdout) == (code, message, "")


@pytest.mark.case("W-17")
@pytest.mark.parametrize("text", HOSTILE)
def test_messages_steer_no_terminal(text: str) -> None:
    """Whoever wrote the text in them."""
    for error in (InvalidInput(text), Unavailable(text), Rejected(text), Fenced(text)):
        assert all(line.isprintable() for line in ended(error).stderr.split("\n"))


def test_the_options_of_the_target_are_repeated() -> None:
    """As they were given, without passwords, and apart from them what was decided; not what variables and defaults say."""
    found: list[tuple[tuple[str, ...], tuple[str, ...]]] = []

    @click.command()
    @target_options
    @click.option("--allow", multiple=True)
    @click.option("--yes", is_flag=True)
    def command(**_: object) -> None:
        found.append(said())

    arguments = ["--state", "postgresql://ann:p@ss@db/mesh", "--repo", "https://h/m.git", "--mode", "observe", "--yes"]
    arguments += ["--allow", "x", "--allow", "y"]
    CliRunner().invoke(command, arguments, env={"RECONCILER_CONFIG": "f.toml"}, catch_exceptions=False)
    target = ("--repo", "https://h/m.git", "--state", "postgresql://ann:***@db/mesh")
    assert found == [(target, ("--allow", "x", "--allow", "y"))]


def printed(*shown: object) -> str:
    """Return what a command prints that shows this."""

    @click.command()
    def command() -> None:
        show(*shown)  # type: ignore[arg-type]

    return CliRunner().invoke(command, catch_exceptions=False).output


def test_a_report_is_printed_in_the_form_asked_for() -> None:
    """A file gets wide lines, and the options come back in what to type next."""
    assert printed(samples.migration(), "json").startswith("{\n")
    text = printed(samples.migration(), "terminal", ("--path", "production"))
    assert "reconciler apply --path production --digest 3f9ac2d17be04c55\n" in text
    assert max(map(len, text.splitlines())) > 100


@pytest.mark.case("W-17")
def test_tables_hold_anything() -> None:
    """A row for each, and nothing in a cell that steers; without a row there is no table."""

    @click.command()
    def command() -> None:
        table(("a", "b"), [(text, text) for text in extremes.HOSTILE])
        table(("c",), [])

    output = CliRunner().invoke(command, catch_exceptions=False).output
    assert all(line.isprintable() for line in output.split("\n"))
    assert "[bold red]rich[/bold red]" in output
