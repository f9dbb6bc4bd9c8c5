"""For a course in nbgrader: put it beside `source/` as nbgrader_config.py. See teaching.md, "Hand out and collect"."""

c = get_config()  # nbgrader brings it
c.ClearSolutions.code_stub = {"python": "..."}  # the stub that a check of this course calls "not attempted yet"
c.ExecutePreprocessor.timeout = 300  # seconds for one cell: some cells train, and a loop of a learner may have no end
