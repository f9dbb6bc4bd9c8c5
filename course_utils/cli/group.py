"""What every command does with an error that somebody can mend: it is one sentence, and the exit status is 1."""

from typing import Any

import typer
from typer.core import TyperGroup

from ..runtime import CourseError


class CourseGroup(TyperGroup):
    """`course` and its commands. A `CourseError`, or a file that cannot be read or written, ends in a sentence."""

    def invoke(self, ctx: Any) -> Any:  # a context of click, wherever this typer keeps it
        """Run the command that was named."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # `course … | head` has read enough
            raise
        except (CourseError, OSError) as error:
            typer.secho(_sentence(error), fg="red", err=True)
            raise typer.Exit(1) from None


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    return str(error)
