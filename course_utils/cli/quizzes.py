"""`course quiz`: check the banks, draw their pictures, export them."""

import pathlib
from typing import Annotated

import typer

from ..files import refuse_overwriting
from ..runtime import CourseError, InvalidInput, asset, require_writable
from . import shared


def validate(
    banks: Annotated[list[pathlib.Path] | None, typer.Argument(help="YAML files; the course's own if none.")] = None,
) -> None:
    """Check quiz banks; name the file, the question and the reason of each fault."""
    from ..teaching.bank import read_bank

    refused = 0
    for path in banks or sorted(asset("quizzes").glob("*.yaml")):
        try:
            bank = read_bank(path)
            typer.echo(f"✓ {path.name}: {len(bank.questions)} questions, {len(bank.objectives)} objectives")
        except CourseError as error:  # the other banks are checked all the same
            refused += 1
            typer.secho(str(error), fg="red", err=True)
    if refused:
        raise typer.Exit(1)


def draw(
    out: Annotated[pathlib.Path, typer.Option(help="Folder for the pictures.")] = pathlib.Path("data/quizzes/pictures"),
) -> None:
    """Draw the pictures that questions are asked about anew, as SVG (needs kaleido and Chromium)."""
    shared.need("build", "nbformat", "nbclient", "kaleido")
    from .. import pictures

    require_writable(out)
    typer.echo("\n".join(f"written: {path}" for path in pictures.draw(out)))


def export(
    chapter: Annotated[str, typer.Argument(help="Such as 01.")],
    form: Annotated[str, typer.Option("--format", help="moodle (XML) or gift.")] = "moodle",
    out: Annotated[pathlib.Path | None, typer.Option(help="A file; the terminal if none.")] = None,
) -> None:
    """A chapter's questions for a learning platform."""
    from ..teaching.bank import bank
    from ..teaching.export import to_gift, to_moodle

    forms = {"moodle": to_moodle, "gift": to_gift}
    if form not in forms:
        raise InvalidInput(f"--format is {' or '.join(forms)}, not {form!r}.")
    questions = bank(f"ch{shared.number(chapter)}")
    refuse_overwriting((out,), shared.bank_files())
    shared.write(forms[form](questions), out)
