"""The `course` command: tools for learners, teachers and authors."""

import io
import sys

import typer

from ..runtime import interrupt_outside_jax
from . import checks, classroom, notebooks, quizzes
from .group import CourseGroup

app = typer.Typer(
    cls=CourseGroup,
    no_args_is_help=True,
    add_completion=False,
    help="From Recurrence to Attention: tools for learners and authors.",
)
for command in (
    checks.doctor,
    notebooks.build,
    notebooks.site,
    notebooks.slides,
    notebooks.lab,
    classroom.release,
    classroom.collected,
    notebooks.stamp,
    checks.reproduce,
):
    app.command()(command)

quiz_app = typer.Typer(no_args_is_help=True, help="Quiz banks.")
for command in (quizzes.validate, quizzes.draw, quizzes.export):
    quiz_app.command()(command)
app.add_typer(quiz_app, name="quiz")

progress_app = typer.Typer(no_args_is_help=True, help="What has been answered.")
progress_app.command("export")(classroom.export_progress)
progress_app.command("class")(classroom.class_report)
app.add_typer(progress_app, name="progress")


def main() -> None:
    """`course`, in UTF-8 wherever its words go: Windows would write a redirected ✓ in a code page that has none."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # not where a notebook or a test has put its own
            stream.reconfigure(encoding="utf-8", errors="replace")
    interrupt_outside_jax()
    app()
