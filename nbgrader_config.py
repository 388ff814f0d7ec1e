"""The course's policy for nbgrader: names, paths, limits, plug-ins. No logic.

nbgrader reads this file from the folder in which it is started: the root of the repository.
"""

c = get_config()  # type: ignore[name-defined]  # noqa: F821

# Names and folders. `solutions/` is made by `make build`; nbgrader itself never touches it.
c.CourseDirectory.course_id = "data-augmentation"
c.CourseDirectory.source_directory = "source"
c.CourseDirectory.release_directory = "release"
c.CourseDirectory.submitted_directory = "submitted"
c.CourseDirectory.autograded_directory = "autograded"
c.CourseDirectory.feedback_directory = "feedback"
c.CourseDirectory.solution_directory = "solutions"
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "handin"]
c.NbGrader.logfile = ".nbgrader.log"

# Files downloaded from a learning management system, for `nbgrader zip_collect`.
c.FileNameCollectorPlugin.named_regexp = (
    r".*/step\d_[a-z]+_(?P<student_id>[^_]+)_attempt_(?P<timestamp>[0-9\-]+)_(?P<file_id>\w+)"
)

# Reading submissions: whatever arrives ends as a marked submission with a reason.
c.Autograde.exporter_class = "gradebox.intake.SubmissionExporter"
c.SubmissionExporter.max_notebook_bytes = 20_000_000
c.Autograde.sanitize_preprocessors = [
    "gradebox.intake.RestoreCells",
    "nbgrader.preprocessors.ClearOutput",
    "nbgrader.preprocessors.DeduplicateIds",
    "nbgrader.preprocessors.OverwriteKernelspec",
    "nbgrader.preprocessors.OverwriteCells",
    "nbgrader.preprocessors.CheckCellMetadata",
]
c.OverwriteCells.add_missing_cells = True

# Running them.
c.Autograde.autograde_preprocessors = [
    "gradebox.execute.GradedExecute",
    "nbgrader.preprocessors.IgnorePattern",
    "nbconvert.preprocessors.ClearMetadataPreprocessor",
    "nbgrader.preprocessors.LimitOutput",
    "nbgrader.preprocessors.SaveAutoGrades",
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
]
c.GradedExecute.kernel_name = "python3"
c.GradedExecute.timeout = 60
c.GradedExecute.notebook_timeout_s = 240
c.GradedExecute.limits_by_step = {
    "step4_train": {"timeout": 180, "notebook_timeout_s": 600},
    "step5_compare": {"timeout": 180, "notebook_timeout_s": 600},
}
c.GradedExecute.max_output_bytes = 10_000_000
c.GradedExecute.skip_tags = ["show"]
c.GradedExecute.fresh_variables = ["AUGCOURSE_PROBE_SEED"]
c.GradedExecute.clear_before = ["handin"]
c.GradedExecute.extra_arguments = []

# `nbgrader validate` runs in the student's own kernel: a warning on stderr must not look like a failed test there.
c.Execute.extra_arguments = [
    "--IPKernelApp.exec_lines=import os, sys; os.dup2(1, 2); sys.stderr = sys.stdout"
]
