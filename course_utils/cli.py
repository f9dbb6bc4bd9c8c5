"""The `course` command."""

import importlib.util
import io
import os
import pathlib
import re
import subprocess
import sys
from collections.abc import Iterable
from typing import Annotated, Any

import typer

from .files import refuse_overwriting
from .files import write as write_file
from .runtime import CourseError, InvalidInput, asset, interrupt_outside_jax, require_writable

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="From Recurrence to Attention: tools for learners and authors.",
)
quiz_app = typer.Typer(no_args_is_help=True, help="Quiz banks.")
app.add_typer(quiz_app, name="quiz")
progress_app = typer.Typer(no_args_is_help=True, help="What has been answered.")
app.add_typer(progress_app, name="progress")


def main() -> None:
    """`course`, in UTF-8 wherever its words go: Windows would write a redirected ✓ in a code page that has none."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # not where a notebook or a test has put its own
            stream.reconfigure(encoding="utf-8", errors="replace")
    interrupt_outside_jax()
    app()


def _fail(error: Exception) -> typer.Exit:
    said = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) and error.filename else str(error)
    typer.secho(said, fg="red", err=True)
    return typer.Exit(1)


def _all_notebooks() -> list[pathlib.Path]:
    found = sorted(pathlib.Path("notebooks").glob("[0-9][0-9]_*.ipynb"))
    if not found:
        raise _fail(CourseError("There is no notebooks/NN_*.ipynb here: run this in the course's folder."))
    return found


def _digits(chapter: str) -> str | None:
    """The two digits of a chapter that is written `01`, `1` or `ch01`."""
    written = re.fullmatch("(?:ch)?([0-9]{1,2})", chapter, re.IGNORECASE)
    return written and written[1].zfill(2)


def _number(chapter: str) -> str:
    found = _digits(chapter)
    if found is None:
        raise _fail(InvalidInput(f"A chapter is written 01, 1 or ch01, not {chapter!r}."))
    return found


def _notebook(chapter: str) -> pathlib.Path:
    number = _number(chapter)
    for path in _all_notebooks():
        if path.name.startswith(f"{number}_"):
            return path
    known = ", ".join(path.name[:2] for path in _all_notebooks())
    raise _fail(CourseError(f"There is no chapter {chapter!r}; there are {known}."))


@app.command()
def doctor() -> None:
    """Say what is wrong with this installation, and what to do about it."""
    from .doctor import examine

    findings = examine()
    for finding in findings:
        typer.echo(str(finding))
    bad = sum(not finding.ok for finding in findings)
    typer.echo("All is well." if not bad else f"{bad} thing{'s' if bad > 1 else ''} to mend.")
    if bad:
        raise typer.Exit(1)


@app.command()
def build(
    notebooks: Annotated[
        list[pathlib.Path] | None, typer.Argument(help="Notebooks; all of notebooks/ if none.")
    ] = None,
    pictures: Annotated[bool, typer.Option(help="Add PNGs (needs kaleido and Chromium).")] = True,
) -> None:
    """Execute notebooks in a fresh kernel and write them back normalised."""
    from .build import build as build_one

    for path in notebooks or _all_notebooks():
        if not path.exists():
            raise _fail(CourseError(f"There is no notebook {path}."))
        typer.echo(f"building {path}")
        try:
            build_one(path, pictures)
        except (CourseError, OSError) as error:
            raise _fail(error) from None


@app.command()
def site(
    notebooks: Annotated[
        list[pathlib.Path] | None, typer.Argument(help="Notebooks; all of notebooks/ if none.")
    ] = None,
    out: Annotated[pathlib.Path, typer.Option(help="Folder for the pages.")] = pathlib.Path("site"),
) -> None:
    r"""The course as pages that need neither a kernel nor a network (install with `.\[site]`)."""
    _write_pages("course_utils.pages", "build_site", notebooks or _all_notebooks(), out)


@app.command()
def slides(
    chapter: Annotated[str, typer.Argument(help="Such as 01.")],
    out: Annotated[pathlib.Path, typer.Option(help="Folder for the slides.")] = pathlib.Path("slides"),
) -> None:
    r"""A chapter's sections as slides with live figures, for a room without a network (install with `.\[site]`)."""
    _write_pages("course_utils.pages.slides", "build_slides", _notebook(chapter), out)


@app.command()
def lab(
    out: Annotated[pathlib.Path, typer.Option(help="Where your copies of the notebooks are.")] = pathlib.Path(
        "workbook"
    ),
    options: Annotated[list[str] | None, typer.Argument(help="For jupyter lab, after --.")] = None,
) -> None:
    """Open JupyterLab on your own copies of the notebooks, which hold no results yet.

    Copies that exist are kept; a notebook that has been corrected since is put beside yours.
    """
    _need("lab", "jupyterlab", "nbformat")
    from .handout import workbook

    try:
        new, beside = workbook(_all_notebooks(), out)
    except CourseError as error:
        raise _fail(error) from None
    typer.echo(f"Your copies are in {out}" + (f"; new: {', '.join(path.name for path in new)}" if new else "") + ".")
    for path in beside:
        typer.echo(
            f"The course has corrected {path.name.split('.')[0]}.ipynb. Yours is as you left it; {path.name} lies beside it."
        )
    if os.name != "nt" and os.geteuid() == 0 and "--allow-root" not in (options or []):
        typer.echo(
            "You are root, for whom Jupyter does not start unless you say so. In a container of your own: "
            "`course lab -- --allow-root` (or `make lab LAB_OPTIONS=--allow-root`); from outside it is reached with "
            "`--ip 0.0.0.0` as well. Elsewhere start it from an account of your own.",
            err=True,
        )
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--LabApp.news_url=None",
        *(options or []),
        str(out / "00_start_here.ipynb"),
    ]
    raise typer.Exit(subprocess.run(command, check=False).returncode)


@app.command()
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
    _need("build", "nbformat")
    from .handout import release as hand_out

    try:
        for path in _all_notebooks() if chapters == ["all"] else [_notebook(chapter) for chapter in chapters]:
            typer.echo(f"written: {hand_out(path, out, graded=graded, solutions=solutions, force=force)}")
            force = True  # of those that follow, the folder holds the first
    except CourseError as error:
        raise _fail(error) from None


@app.command()
def collected(
    chapter: Annotated[str, typer.Argument(help="Such as 01.")],
    submissions: Annotated[list[pathlib.Path], typer.Argument(help="Notebooks that were handed in.")],
    mend: Annotated[
        bool, typer.Option("--mend", help="Put right what can be, in these copies; what was handed in is kept beside.")
    ] = False,
) -> None:
    """Name what is wrong with submitted notebooks (cells copied, split, removed; files renamed), before they are graded."""
    _need("build", "nbformat")
    from .collected import collected as look
    from .collected import mend as put_right

    path, counts = _notebook(chapter), {"right": 0, "mended": 0, "could be mended": 0, "wrong": 0}
    for submission in submissions:
        found = look(path, submission)
        wrong = [fault.text for fault in found.faults if not fault.mendable]
        mendable = [fault.text for fault in found.faults if fault.mendable]
        told = "; ".join([*wrong, *mendable])
        if mend and mendable:
            try:
                kept = put_right(path, submission, found)
                told = "; ".join([*wrong, f"mended: {'; '.join(mendable)} (as it was handed in: {kept})"])
            except OSError as error:
                wrong.append("")
                told += f"; it cannot be written ({error.strerror})"
        outcome = "wrong" if wrong else "right" if not mendable else "mended" if mend else "could be mended"
        counts[outcome] += 1
        typer.echo(f"{'✓' if outcome in ('right', 'mended') else '✗'} {submission}{': ' if told else ''}{told}")
    if len(submissions) > 1:
        typer.echo(f"{len(submissions)} submissions: " + ", ".join(f"{n} {name}" for name, n in counts.items() if n))
    if counts["could be mended"]:
        typer.echo("`--mend` puts right what can be, in these copies, and keeps what was handed in beside them.")
    if counts["wrong"] or counts["could be mended"]:
        raise typer.Exit(1)


def _write_pages(module: str, function: str, source: Any, out: pathlib.Path) -> None:
    _need("site", "nbformat", "nbclient", "sphinx", "myst_nb", "furo", "pypandoc", "ziamath", "sphinx_revealjs")
    _make(out)  # before notebooks are executed for minutes
    try:
        typer.echo(f"written: {getattr(importlib.import_module(module), function)(source, out)}")
    except (CourseError, OSError) as error:
        raise _fail(error) from None


def _need(extra: str, *modules: str) -> None:
    """Say now, not after minutes, which packages are missing and what brings them."""
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        raise _fail(CourseError(f"Missing: {', '.join(missing)}. `pip install -e '.[{extra}]'` brings what is needed."))


@app.command()
def stamp(
    repo: Annotated[str | None, typer.Option(help="OWNER/NAME on GitHub.")] = None,
    ref: Annotated[str, typer.Option(help="Branch, tag or commit.")] = "main",
    folder: Annotated[
        str, typer.Option(help="The repository's folder that the buttons open, such as handout.")
    ] = "notebooks",
    clear: Annotated[bool, typer.Option("--clear", help="Take the stamp off again.")] = False,
) -> None:
    """Write where this copy is published (Colab and Binder buttons, install line) into notebooks and README."""
    from .stamp import stamp as write

    if clear == (repo is not None):
        raise _fail(CourseError("Say either --repo OWNER/NAME (and --ref, --folder), or --clear."))
    try:
        changed = write(pathlib.Path(), repo, ref, folder)
    except (CourseError, OSError) as error:
        raise _fail(error) from None
    typer.echo("\n".join(f"written: {path}" for path in changed) or "Nothing to change.")


@app.command()
def reproduce(
    chapters: Annotated[list[str], typer.Argument(help="Chapters, such as 01 02, or multi30k.")],
    out: Annotated[pathlib.Path | None, typer.Option(help="Folder for the results, such as data/recorded.")] = None,
    weights: Annotated[
        pathlib.Path | None,
        typer.Option(help="Train the shipped models too and write them here, such as data/weights."),
    ] = None,
) -> None:
    """Run the headline measurements of chapters again and print them as JSON."""
    from . import experiments
    from .runtime import use_compilation_cache

    use_compilation_cache()
    names = [f"ch{digits}" if (digits := _digits(name)) else name.lower() for name in chapters]
    try:
        for name in names:  # before the first of them runs for minutes
            experiments.module(name)
        for name in names:
            for path in experiments.ship(name, weights) if weights else ():
                typer.echo(f"written: {path}", err=True)
            typer.echo(experiments.reproduce(name, out).to_json(), nl=False)
    except (CourseError, OSError) as error:
        raise _fail(error) from None


@quiz_app.command()
def validate(
    banks: Annotated[list[pathlib.Path] | None, typer.Argument(help="YAML files; the course's own if none.")] = None,
) -> None:
    """Check quiz banks; name the file, the question and the reason of each fault."""
    from .teaching.bank import read_bank

    faults = 0
    for path in banks or sorted(asset("quizzes").glob("*.yaml")):
        try:
            found = read_bank(path)
            typer.echo(f"✓ {path.name}: {len(found.questions)} questions, {len(found.objectives)} objectives")
        except CourseError as error:
            faults += 1
            typer.secho(str(error), fg="red", err=True)
    if faults:
        raise typer.Exit(1)


@quiz_app.command()
def draw(
    out: Annotated[pathlib.Path, typer.Option(help="Folder for the pictures.")] = pathlib.Path("data/quizzes/pictures"),
) -> None:
    """Draw the pictures that questions are asked about anew, as SVG (needs kaleido and Chromium)."""
    _need("build", "nbformat", "nbclient", "kaleido")
    from .pictures import draw as write

    _make(out)
    try:
        typer.echo("\n".join(f"written: {path}" for path in write(out)))
    except (CourseError, OSError) as error:
        raise _fail(error) from None


@quiz_app.command()
def export(
    chapter: Annotated[str, typer.Argument(help="Such as 01.")],
    form: Annotated[str, typer.Option("--format", help="moodle (XML) or gift.")] = "moodle",
    out: Annotated[pathlib.Path | None, typer.Option(help="A file; the terminal if none.")] = None,
) -> None:
    """A chapter's questions for a learning platform."""
    from .teaching.bank import bank
    from .teaching.export import to_gift, to_moodle

    forms = {"moodle": to_moodle, "gift": to_gift}
    if form not in forms:
        raise _fail(CourseError(f"--format is {' or '.join(forms)}, not {form!r}."))
    try:
        questions = bank(f"ch{_number(chapter)}")
        refuse_overwriting((out,), _banks())
        _write(forms[form](questions), out)
    except CourseError as error:
        raise _fail(error) from None


@progress_app.command("export")
def export_progress(
    form: Annotated[str, typer.Option("--format", help="csv or json.")] = "csv",
    out: Annotated[pathlib.Path | None, typer.Option(help="A file; the terminal if none.")] = None,
) -> None:
    """Everything answered so far, for a teacher or for yourself."""
    from .teaching.progress import progress

    kept = progress()
    forms = {"csv": kept.to_csv, "json": kept.to_json}
    if form not in forms:
        raise _fail(CourseError(f"--format is {' or '.join(forms)}, not {form!r}."))
    _refuse_overwriting((out,), (kept.path,))
    _write(forms[form](), out)


@progress_app.command("class")
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
    from .teaching.report import holds_answers, read_class, report
    from .teaching.report import learners as as_list
    from .teaching.report import table as as_table

    outputs = [path for path in (out, table, learners) if path is not None]
    # A shell makes of `--out *.json` an output that is a learner's file, and inputs that are the others'.
    _refuse_overwriting(outputs, [*files, *filter(holds_answers, outputs), *_banks()])
    answers, faults = read_class(files)
    for fault in faults:  # the others count all the same
        typer.secho(str(fault), fg="red", err=True)
    if table is not None:
        _write(as_table(answer for given in answers.values() for answer in given), table)
    if learners is not None:
        _write(as_list(answers), learners)
    files_written = {name: path.name for name, path in (("learners", learners), ("table", table)) if path is not None}
    _write(report(answers, **files_written), out)
    if faults:
        raise typer.Exit(1)


def _banks() -> list[pathlib.Path]:
    """The questions and their pictures."""
    return [path for path in asset("quizzes").rglob("*") if path.is_file()]


def _write(text: str, out: pathlib.Path | None) -> None:
    if out is None:
        typer.echo(text, nl=False)
        return
    try:
        write_file(out, text)
    except FileExistsError:
        raise _fail(CourseError(f"{out.parent} is a file: name a folder.")) from None
    except OSError as error:
        raise _fail(CourseError(f"{out} cannot be written ({error.strerror}): name another file.")) from None
    typer.echo(f"written: {out}", err=True)


def _refuse_overwriting(outputs: Iterable[pathlib.Path | None], inputs: Iterable[pathlib.Path]) -> None:
    try:
        refuse_overwriting(outputs, inputs)
    except CourseError as error:
        raise _fail(error) from None


def _make(folder: pathlib.Path) -> None:
    try:
        require_writable(folder)
    except CourseError as error:
        raise _fail(error) from None
