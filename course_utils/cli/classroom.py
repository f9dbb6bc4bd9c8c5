"""Commands for a class: hand notebooks out, check what came back, export answers and sum them up."""

import pathlib
from typing import Annotated

import typer

from ..files import refuse_overwriting
from ..runtime import InvalidInput
from . import shared


def release(
    chapters: Annotated[list[str], typer.Argument(help="Such as 01 02, or all.")],
    out: Annotated[pathlib.Path, typer.Option(help="A folder, such as source/ch01 of an nbgrader course.")],
    graded: Annotated[bool, typer.Option("--graded", help="With the cells and marks that nbgrader grades.")] = False,
    solutions: Annotated[
        bool, typer.Option("--solutions", help="For staff: graded and solved, nbgrader's source.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace notebooks in a folder that holds files.")] = False,
) -> None:
    """Chapters to hand out, without results; nbgrader can collect and grade their exercises."""
    shared.need("build", "nbformat")
    from ..handout import release as hand_out

    everything = chapters == ["all"]
    for path in shared.all_notebooks() if everything else [shared.notebook(chapter) for chapter in chapters]:
        typer.echo(f"written: {hand_out(path, out, graded=graded, solutions=solutions, force=force)}")
        force = True  # of those that follow, the folder holds the first


def collected(
    chapter: Annotated[str, typer.Argument(help="Such as 01.")],
    submissions: Annotated[list[pathlib.Path], typer.Argument(help="Notebooks that were handed in.")],
    mend: Annotated[
        bool, typer.Option("--mend", help="Put right what can be, in these copies; what was handed in is kept beside.")
    ] = False,
) -> None:
    """Name what is wrong with submitted notebooks (cells copied, split, removed; files renamed), before they are graded."""
    shared.need("build", "nbformat")
    released = shared.notebook(chapter)
    counts = {"right": 0, "mended": 0, "could be mended": 0, "wrong": 0}
    for submission in submissions:
        outcome, faults = _examined(released, submission, mend)
        counts[outcome] += 1
        mark = "✓" if outcome in ("right", "mended") else "✗"
        typer.echo(f"{mark} {submission}{': ' if faults else ''}{faults}")
    if len(submissions) > 1:
        typer.echo(f"{len(submissions)} submissions: " + ", ".join(f"{n} {name}" for name, n in counts.items() if n))
    if counts["could be mended"]:
        typer.echo("`--mend` puts right what can be, in these copies, and keeps what was handed in beside them.")
    if counts["wrong"] or counts["could be mended"]:
        raise typer.Exit(1)


def _examined(released: pathlib.Path, submission: pathlib.Path, mend: bool) -> tuple[str, str]:
    """What becomes of one submission (a name of `counts`), and its faults in words."""
    from .. import collected as submitted

    examined = submitted.collected(released, submission)
    wrong = [fault.text for fault in examined.faults if not fault.mendable]
    mendable = [fault.text for fault in examined.faults if fault.mendable]
    faults = "; ".join([*wrong, *mendable])
    if not mendable:
        return ("wrong" if wrong else "right"), faults
    if not mend:
        return ("wrong" if wrong else "could be mended"), faults
    try:
        original = submitted.mend(released, submission, examined)
    except OSError as error:
        return "wrong", f"{faults}; it cannot be written ({error.strerror})"
    faults = "; ".join([*wrong, f"mended: {'; '.join(mendable)} (as it was handed in: {original})"])
    return ("wrong" if wrong else "mended"), faults


def export_progress(
    form: Annotated[str, typer.Option("--format", help="csv or json.")] = "csv",
    out: Annotated[pathlib.Path | None, typer.Option(help="A file; the terminal if none.")] = None,
) -> None:
    """Everything answered so far, for a teacher or for yourself."""
    from ..teaching.progress import progress

    answers = progress()
    forms = {"csv": answers.to_csv, "json": answers.to_json}
    if form not in forms:
        raise InvalidInput(f"--format is {' or '.join(forms)}, not {form!r}.")
    refuse_overwriting((out,), (answers.path,))
    shared.write(forms[form](), out)


def class_report(
    files: Annotated[list[pathlib.Path], typer.Argument(help="Files that learners exported, JSON or CSV.")],
    table: Annotated[pathlib.Path | None, typer.Option(help="A file for all attempts in one table (CSV).")] = None,
    learners: Annotated[
        pathlib.Path | None,
        typer.Option(help="A file with a row for each learner and chapter, begun or not (CSV)."),
    ] = None,
    out: Annotated[pathlib.Path | None, typer.Option(help="A file for the report; the terminal if none.")] = None,
) -> None:
    """Many learners' progress: a report for each objective (Markdown), and tables of all attempts and all learners."""
    from ..teaching import report as reports

    outputs = [path for path in (out, table, learners) if path is not None]
    # A shell makes of `--out *.json` an output that is a learner's file, and inputs that are the others'.
    refuse_overwriting(outputs, [*files, *filter(reports.holds_answers, outputs), *shared.bank_files()])
    answers, faults = reports.read_class(files)
    for fault in faults:  # the others count all the same
        typer.secho(str(fault), fg="red", err=True)
    if table is not None:
        shared.write(reports.table(answer for of_learner in answers.values() for answer in of_learner), table)
    if learners is not None:
        shared.write(reports.learners(answers), learners)
    tables = reports.Tables(
        learners=learners.name if learners else "--learners FILE", attempts=table.name if table else "--table FILE"
    )
    shared.write(reports.report(answers, tables), out)
    if faults:
        raise typer.Exit(1)
