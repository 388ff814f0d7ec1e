"""What an instructor's server adds to the course's nbgrader_config.py: where the course is."""

import os

c = get_config()  # type: ignore[name-defined]  # noqa: F821

c.CourseDirectory.root = os.path.expanduser("~/course")
