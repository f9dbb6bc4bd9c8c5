"""Exercises, one module a chapter; a notebook says `from course_utils.exercises import ch00 as ex`."""
