"""Commands that look at an installation and at the numbers: doctor, reproduce."""

import pathlib
from typing import Annotated

import typer

from . import shared


def doctor() -> None:
    """Say what is wrong with this installation, and what to do about it."""
    from ..doctor import examine

    findings = examine()
    for finding in findings:
        typer.echo(str(finding))
    faults = sum(not finding.ok for finding in findings)
    typer.echo(f"{faults} thing{'s' if faults > 1 else ''} to mend." if faults else "All is well.")
    if faults:
        raise typer.Exit(1)


def reproduce(
    chapters: Annotated[list[str], typer.Argument(help="Chapters, such as 01 02, or multi30k.")],
    out: Annotated[pathlib.Path | None, typer.Option(help="Folder for the results, such as data/recorded.")] = None,
    weights: Annotated[
        pathlib.Path | None,
        typer.Option(help="Train the shipped models too and write them here, such as data/weights."),
    ] = None,
) -> None:
    """Run the headline measurements of chapters again and print them as JSON."""
    from .. import experiments
    from ..runtime import use_compilation_cache

    use_compilation_cache()
    names = [_experiment(chapter) for chapter in chapters]
    for name in names:  # before the first of them runs for minutes
        experiments.module(name)
    for name in names:
        for path in experiments.ship(name, weights) if weights else ():
            typer.echo(f"written: {path}", err=True)
        typer.echo(experiments.reproduce(name, out).to_json(), nl=False)


def _experiment(chapter: str) -> str:
    """The name of a module of `experiments`: ch01 of 1, multi30k of itself."""
    digits = shared.digits(chapter)
    return f"ch{digits}" if digits else chapter.lower()
