"""Student cells run here, graded cells there; between the two, only plain data.

`SplitExecute` takes the place of `GradedExecute`, whose settings hold here too. With `trusted_kernel_name` set:

1. The notebook's other cells run in the student kernel, in a scratch folder with the course's support files
   and what was handed in beside the notebook. No notebook and no hidden test is in that folder.
2. The student kernel is dead before the next line. In the sandbox so is everything that it started, because
   its process namespace ends with it; a plain kernel may leave processes behind.
3. Hand-ins are copied out of the scratch folder: see `gradebox.handins`.
4. The graded cells run in the trusted kernel, over hand-ins and support files: see `gradebox.trusted`. They
   and their text are the gradebook's; whatever the submission had in their place is dropped.

Step 4 follows however step 1 ended: what was handed in before a student kernel died can earn its marks.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from jupyter_client.utils import ensure_async, run_sync
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import ClearHiddenTests
from nbgrader.utils import find_all_files
from traitlets import Dict, Integer, List, TraitError, Unicode, validate

from gradebox.errors import GraderFailed
from gradebox.execute import LIMITS, GradedExecute
from gradebox.feedback import cut, messages
from gradebox.handins import Caps, Refusal, check_pattern, copy_files, copy_handins
from gradebox.intake import InstructorCell
from gradebox.trusted import TrustedRun, bound_result, check_runs, run_trusted

__all__ = ["SplitExecute"]

MAX_FILES = 1000  # handed in beside the notebooks
MAX_NOTED = 20  # refusals that a student reads one by one


def _copy_support(source: Path, target: Path, ignored: Sequence[str], passed_over: Sequence[str]) -> None:
    """Copy the course's own files below `source`, without notebooks, over what `target` holds.

    `ignored` are patterns of names, as nbgrader has them; `passed_over` of paths relative to `source`.
    """
    for path in find_all_files(str(source), [*ignored, "*.ipynb"]):
        name = os.path.relpath(path, source)
        if any(fnmatchcase(name, pattern) for pattern in passed_over):
            continue
        copy = target / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.unlink(missing_ok=True)
        shutil.copyfile(path, copy)


class SplitExecute(GradedExecute):
    """GradedExecute, with a kernel of its own for the graded cells.

    nbgrader makes one per notebook. `c.GradedExecute` settings hold here too, and `c.SplitExecute` has precedence.
    """

    trusted_kernel_name = Unicode(
        "", help="The kernel that runs the graded cells, apart from the student's; empty for one kernel for all."
    ).tag(config=True)
    trusted_timeout_s = Integer(300, min=1, help="Seconds that a graded cell may take in the trusted kernel.").tag(
        config=True
    )
    trusted_environment = Dict(
        key_trait=Unicode(),
        value_trait=Unicode(),
        help="Environment variables of the trusted kernel alone, over those of `environment`.",
    ).tag(config=True)
    handin_patterns = List(
        Unicode(),
        help="Relative paths, with wildcards in the last part, of the files that go from the student kernel's "
        "scratch folder to the trusted kernel: ['handin/*.json']. Nothing else does.",
    ).tag(config=True)
    handin_max_bytes = Integer(64_000_000, min=1, help="The size of one hand-in, in bytes.").tag(config=True)
    handin_max_total_bytes = Integer(
        256_000_000, min=1, help="The size of a notebook's hand-ins together, in bytes."
    ).tag(config=True)
    handin_max_files = Integer(100, min=1, help="How many files a notebook may hand in.").tag(config=True)
    files_max_bytes = Integer(
        50_000_000, min=1, help="The size of the files handed in beside the notebooks, together, in bytes."
    ).tag(config=True)
    limit_names: tuple[str, ...] = (*LIMITS, "trusted_timeout_s")

    @validate("handin_patterns")
    def _relative_patterns(self, proposal: Any) -> list[str]:
        for pattern in proposal["value"]:
            try:
                check_pattern(pattern)
            except ValueError as error:
                raise TraitError(f"handin_patterns: {error}") from None
        return proposal["value"]

    def _run_notebook(
        self, nb: NotebookNode, resources: dict[str, Any], km: Any
    ) -> tuple[NotebookNode, dict[str, Any]]:
        if not self.trusted_kernel_name:
            return super()._run_notebook(nb, resources, km)
        self._step = resources["nbgrader"]["assignment"]
        self._run_split(nb, resources)
        return nb, resources

    def _run_split(self, nb: NotebookNode, resources: dict[str, Any]) -> None:
        with tempfile.TemporaryDirectory(prefix="gradebox-") as folder:
            student, trusted = Path(folder, "student"), Path(folder, "trusted")
            for path in (student, trusted):
                path.mkdir(mode=0o755)
            support = self._support_files(resources)
            refusals = self._lay_out(student, support, resources)
            with self._scratch_of(student, nb, resources) as scratch:
                if support:
                    _copy_support(support, trusted, self._course().ignore, self._not_support())
                caps = Caps(self.handin_max_bytes, self.handin_max_total_bytes, self.handin_max_files)
                names, refused = copy_handins(scratch, self.handin_patterns, trusted, caps)
            self.log.info("%s: handed in: %s", self._place, ", ".join(names) or "nothing")
            self._judge(nb, trusted)
            self._report_refusals(nb, refusals + refused)

    def _course(self) -> CourseDirectory:
        converter = getattr(self.parent, "parent", None)  # exporter, then nbgrader's Autograde
        return getattr(converter, "coursedir", None) or CourseDirectory(parent=self)

    def _not_support(self) -> list[str]:
        """Patterns of paths that no support file has: a hand-in that lies in the course's folder is a solution's."""
        return [*self.handin_patterns, *self.clear_before]

    def _support_files(self, resources: dict[str, Any]) -> Path | None:
        """The folder with the step's support files as the instructor has them."""
        course, step = self._course(), resources["nbgrader"]["assignment"]
        for kind in (course.source_directory, course.release_directory):
            folder = Path(course.format_path(kind, ".", step))
            if folder.is_dir():
                return folder
        return None

    def _lay_out(self, scratch: Path, support: Path | None, resources: dict[str, Any]) -> list[Refusal]:
        """Put into the scratch folder what the student's cells may find there; return what they may not.

        Files come from where they were handed in: nbgrader's own copies have the content that links point to,
        and such a copy is removed.
        """
        place, graded = resources["nbgrader"], Path(resources["metadata"]["path"])
        course = self._course()
        submitted = Path(course.format_path(course.submitted_directory, place["student"], place["assignment"]))
        caps = Caps(self.files_max_bytes, self.files_max_bytes, MAX_FILES)
        ignored = [*course.ignore, *self.clear_before, "*.ipynb"]
        refusals = copy_files(submitted if submitted.is_dir() else graded, scratch, ignored, caps)
        for refusal in refusals:
            if (graded / refusal.name).is_file():
                (graded / refusal.name).unlink()
        if support:
            editable = getattr(getattr(self.parent, "parent", None), "exclude_overwriting", {})
            editable_here = editable.get(place["assignment"], [])
            _copy_support(support, scratch, course.ignore, [*self._not_support(), *editable_here])
        return refusals

    @contextmanager
    def _scratch_of(self, folder: Path, nb: NotebookNode, resources: dict[str, Any]) -> Iterator[int]:
        """Run the student's cells in `folder`; yield a descriptor of their scratch folder when all are dead."""
        graded = resources["metadata"]["path"]
        resources["metadata"]["path"] = str(folder)
        self.shutdown_kernel = "immediate"  # what a kernel does to end politely is not graded
        self._scratch = -1
        try:
            super()._run_notebook(nb, resources, None)
            yield self._scratch
        finally:
            resources["metadata"]["path"] = graded
            if self._scratch >= 0:
                os.close(self._scratch)

    def _judge(self, nb: NotebookNode, folder: Path) -> None:
        """Run the graded cells of the record; put their outputs on the notebook's cells of those names."""
        tested = [original for original in self._record.values() if original.tested]
        delimiters = ClearHiddenTests(config=self.config)
        begin, end = delimiters.begin_test_delimeter, delimiters.end_test_delimeter
        hidden = [line for original in tested for line in cut(original.source, begin, end)[1]]
        ran = dict(zip((each.name for each in tested), self._run_trusted(tested, folder), strict=True))
        for cell in nb.cells:
            original = self._original(cell)
            if original and original.tested:
                done = ran[original.name]
                self._settle(done, original.name)
                check_runs(original.name, done.outputs)
                outputs = [bound_result(output, original.points) for output in done.outputs]
                cell.source, cell.outputs = original.source, messages(outputs, hidden)
                cell.execution_count = done.execution_count

    def _run_trusted(self, tested: Sequence[InstructorCell], folder: Path) -> list[NotebookNode]:
        run = TrustedRun(
            kernel_name=self.trusted_kernel_name,
            folder=folder,
            environment={**os.environ, **self._variables, **self.trusted_environment},
            cell_timeout_s=self.limits_by_step.get(self._step, {}).get("trusted_timeout_s", self.trusted_timeout_s),
            max_output_bytes=self._limits.max_output_bytes,
        )
        try:
            return run_trusted(tested, run, self.config)
        except GraderFailed as failure:
            self.log.warning("%s: GraderFailed, trying once more: %s", self._place, failure)
            return run_trusted(tested, run, self.config)

    def _report_refusals(self, nb: NotebookNode, refusals: Sequence[Refusal]) -> None:
        if not refusals:
            return
        lines = ["**Note from the grader**", ""]
        for refusal in refusals[:MAX_NOTED]:
            self.log.warning("%s: HandinRefused: %s", self._place, refusal.fault)
            lines.append(f"- HandinRefused: `{refusal.fault}`.")
        if len(refusals) > MAX_NOTED:
            lines.append(f"- and {len(refusals) - MAX_NOTED} more.")
        note = new_markdown_cell(source="\n".join(lines), id="gradebox-refusals")
        if nb.nbformat_minor < 5:
            note.pop("id", None)  # cells have ids only from format 4.5 on
        nb.cells.insert(0, note)

    @contextmanager
    def setup_kernel(self, **kwargs: Any) -> Iterator[None]:
        """Start the student kernel. Called by nbconvert's `ExecutePreprocessor.preprocess`, around all cells.

        In split execution it is dead when this returns, and its scratch folder is open as `self._scratch`.
        """
        with ExitStack() as stack:
            stack.enter_context(super().setup_kernel(**kwargs))
            if self.trusted_kernel_name:
                stack.callback(run_sync(self._kill_kernel))
                self._scratch = self._open_scratch()
            yield

    def _open_scratch(self) -> int:
        """Open the folder that the kernel works in, before any of its code could put another in its place."""
        if hasattr(self.km.provisioner, "open_scratch"):
            return self.km.provisioner.open_scratch()
        return os.open(self.resources["metadata"]["path"], os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)

    async def _kill_kernel(self) -> None:
        """Return when the kernel's process has ended."""
        provisioner = self.km.provisioner
        if self._stopping:
            await self._stopping
        await ensure_async(self.km.shutdown_kernel(now=True))
        if provisioner.has_process:
            raise GraderFailed("the student kernel does not end; see `ps`, then grade again")

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Run a cell of the student's, or leave it for the trusted kernel. Called by nbconvert, in order."""
        original = self._original(cell)
        if self.trusted_kernel_name and original and original.tested:
            cell.outputs, cell.execution_count = [], None  # it runs when the student kernel is dead
            return cell, resources
        return super().preprocess_cell(cell, resources, index)
