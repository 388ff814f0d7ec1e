"""A notebook goes in, the same notebook with its outputs comes out, whatever its code does.

`GradedExecute` takes the place of nbgrader's `Execute` in `Autograde.autograde_preprocessors`. A notebook has
one of three ends: its cells ran; it ended early under one of the names in `gradebox.errors`, and what ran is
marked; or the grader failed, and there is no mark. Which cells are graded, and their text, is the gradebook's
word, never the notebook's.

One kernel runs all cells here, and student code can make it say anything: `gradebox.split` runs the graded cells
apart.
"""

import asyncio
import json
import math
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from time import monotonic
from typing import Any

from jupyter_client.utils import ensure_async, run_sync
from nbclient.exceptions import CellControlSignal, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode, ValidationError
from nbformat import validate as validate_nbformat
from nbformat.v4 import new_output
from nbgrader.api import Gradebook
from nbgrader.preprocessors import Execute
from traitlets import Dict, Integer, List, TraitError, Unicode, validate

from gradebox import errors
from gradebox.client import PromptKernelManager
from gradebox.errors import GraderFailed, SubmissionFault
from gradebox.intake import FAULT_KEY, METADATA_KEY, InstructorCell, instructor_cells
from gradebox.protection import require_sandboxed

__all__ = ["GradedExecute", "Limits", "clear_stale"]

LIMITS = ("timeout", "notebook_timeout_s", "max_output_bytes")
KILLED = (-9, 137)  # exit codes of a process that SIGKILL ended, and of bubblewrap around one


@dataclass(frozen=True)
class Limits:
    """What one notebook may use. `timeout_s` is a cell's; infinity means no limit."""

    timeout_s: float
    notebook_timeout_s: float
    max_output_bytes: int


def clear_stale(folder: Path, patterns: Sequence[str]) -> list[str]:
    """Remove what stands directly in `folder` under a name that matches; return the names, sorted.

    Folders go with all they hold. A symbolic link is removed itself; what it points to stays.
    """
    stale = [entry for entry in os.scandir(folder) if any(fnmatchcase(entry.name, pattern) for pattern in patterns)]
    for entry in stale:
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            os.unlink(entry.path)
    return sorted(entry.name for entry in stale)


def _valid_outputs(cell: NotebookNode) -> list[NotebookNode]:
    """The outputs that a notebook may hold: a kernel that student code has taken over can send anything."""
    return [output for output in cell.outputs if _is_valid(output)]


def _is_valid(output: NotebookNode) -> bool:
    try:
        validate_nbformat(output, ref="output", version=4)
    except ValidationError:
        return False
    return True


def _error_output(fault: SubmissionFault) -> NotebookNode:
    line = f"\x1b[0;31m{fault.name}\x1b[0m: {fault}"
    return new_output("error", ename=fault.name, evalue=str(fault), traceback=[line])


def _message_bytes(message: Mapping[str, Any]) -> int:
    if message["msg_type"] in ("status", "execute_input"):
        return 0  # no output of the student's
    buffers = sum(memoryview(buffer).nbytes for buffer in message.get("buffers") or ())
    return len(json.dumps(message["content"], default=str)) + buffers


class GradedExecute(Execute):
    """nbgrader's Execute, for notebooks that anyone may have written.

    nbgrader makes one per notebook. `c.Execute` settings hold here too, and `c.GradedExecute` has precedence.
    """

    kernel_name = Unicode(
        "python3", help="The kernel that runs the cells, whatever the submission's metadata names."
    ).tag(config=True)
    iopub_timeout = Integer(
        10, min=1, help="Seconds of grace, after an interrupt or a cell's end, before its kernel is stopped."
    ).tag(config=True)
    notebook_timeout_s = Integer(
        600, min=1, help="Seconds that a notebook's cells may take together; `timeout` is for one cell."
    ).tag(config=True)
    max_output_bytes = Integer(
        10_000_000, min=1, help="Bytes that a notebook's cells may write together, counted as JSON."
    ).tag(config=True)
    limits_by_step = Dict(help="Limits of single steps: {step: {'timeout': 120, 'notebook_timeout_s': 900}}.").tag(
        config=True
    )
    skip_tags = List(
        Unicode(), ["show"], help="Cells with one of these tags are not run unless they are graded or locked."
    ).tag(config=True)
    fresh_variables = List(
        Unicode(), help="Environment variables that get a fresh random 31-bit integer for each notebook."
    ).tag(config=True)
    environment = Dict(
        key_trait=Unicode(),
        value_trait=Unicode(),
        help="Environment variables of the kernel, over the grader's own and over fresh_variables: "
        "put the values there that a graded notebook's metadata records, and grading repeats.",
    ).tag(config=True)
    clear_before = List(
        Unicode(),
        ["handin"],
        help="Names, with wildcards, of files and folders that are removed from the working folder before a "
        "notebook runs, so that nothing made elsewhere is graded.",
    ).tag(config=True)
    limit_names: tuple[str, ...] = LIMITS
    # nbclient's own skipping would let a student's tag pass a graded cell over. No valid tag is empty.
    skip_cells_with_tag = Unicode("")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"kernel_manager_class": PromptKernelManager, **kwargs})  # nbgrader names one of its own

    @validate("limits_by_step")
    def _known_limits(self, proposal: Any) -> dict[str, dict[str, int]]:
        for step, limits in proposal["value"].items():
            for name, value in limits.items():
                if name not in self.limit_names or not isinstance(value, int) or value < 1:
                    known = ", ".join(self.limit_names)
                    raise TraitError(f"limits_by_step: {step}: {name} = {value!r}; use {known}, at least 1")
        return proposal["value"]

    @validate("clear_before")
    def _plain_names(self, proposal: Any) -> list[str]:
        for pattern in proposal["value"]:
            if pattern in ("", ".", "..") or "/" in pattern or os.sep in pattern:
                raise TraitError(f"clear_before: {pattern!r} must be a name in the folder, not a path")
        return proposal["value"]

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any], km: Any = None
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Run a notebook. Called by the exporter, in the second of autograde's two passes.

        Raises `GraderFailed`, on which nbgrader reports this submission as failed and goes on with the next. In
        the gradebook, the notebook then has no automatic mark and waits for a grade by hand, or the next run.
        """
        self._begin(nb, resources)
        if fault := nb.metadata[METADATA_KEY].get("fault"):
            self._refuse(nb, getattr(errors, fault["name"])(fault["sentence"]))
            return nb, resources
        try:
            if FAULT_KEY in resources["nbgrader"]:
                raise GraderFailed("the sanitized notebook cannot be read again; grade again")
            clear_stale(Path(resources["metadata"]["path"]), self.clear_before)
            return self._run_notebook(nb, resources, km)
        except Exception as error:
            ours = isinstance(error, GraderFailed)
            failure = error if ours else GraderFailed(f"{type(error).__name__}: {error}")
            self.log.error("%s: GraderFailed, no mark given: %s", self._place, failure)
            self._withdraw_marks(resources)
            raise failure from error

    def _run_notebook(
        self, nb: NotebookNode, resources: dict[str, Any], km: Any
    ) -> tuple[NotebookNode, dict[str, Any]]:
        return super().preprocess(nb, resources, km)

    def _withdraw_marks(self, resources: dict[str, Any]) -> None:
        """Leave no mark of an earlier run, and nothing that looks finished: an absent mark counts as a zero."""
        place = resources["nbgrader"]
        try:
            with Gradebook(place["db_url"]) as gradebook:
                where = (place["notebook"], place["assignment"], place["student"])
                for grade in gradebook.find_submission_notebook(*where).grades:
                    grade.auto_score, grade.needs_manual_grade = None, True
                gradebook.db.commit()
        except Exception as error:  # the failure that led here is the one to report
            self.log.error("%s: the gradebook cannot say that the grader failed: %s", self._place, error)

    def _begin(self, nb: NotebookNode, resources: dict[str, Any]) -> None:
        place = resources["nbgrader"]
        self._place = f"{place['student']}, {place['assignment']}/{place['notebook']}"
        self._record: dict[str, InstructorCell] = {cell.name: cell for cell in instructor_cells(resources)}
        self._limits = self._limits_of(place["assignment"])
        self._deadline = math.inf
        self._output_bytes = 0
        self._flood: SubmissionFault | None = None
        self._ended: SubmissionFault | None = None
        self._stopping: asyncio.Future[None] | None = None
        fresh = {name: str(secrets.randbelow(2**31)) for name in self.fresh_variables}
        self._variables = fresh | self.environment
        nb.metadata.setdefault(METADATA_KEY, NotebookNode())["environment"] = NotebookNode(self._variables)

    def _limits_of(self, step: str) -> Limits:
        of_step = self.limits_by_step.get(step, {})
        timeout = of_step.get("timeout", self.timeout)
        return Limits(
            timeout_s=timeout if timeout and timeout > 0 else math.inf,
            notebook_timeout_s=of_step.get("notebook_timeout_s", self.notebook_timeout_s),
            max_output_bytes=of_step.get("max_output_bytes", self.max_output_bytes),
        )

    def _refuse(self, nb: NotebookNode, fault: SubmissionFault) -> None:
        for cell in nb.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [_error_output(fault)], None

    @contextmanager
    def setup_kernel(self, **kwargs: Any) -> Iterator[None]:
        """Start the kernel. Called by nbconvert's `ExecutePreprocessor.preprocess`, around all cells."""
        require_sandboxed(self.kernel_name, self.config)
        with ExitStack() as stack:
            try:
                stack.enter_context(super().setup_kernel(env={**os.environ, **self._variables}, **kwargs))
            except GraderFailed:
                raise  # the sandbox knows better what to do
            except Exception as error:
                reason = f"the kernel '{self.kernel_name}' does not start ({error})"
                raise GraderFailed(f"{reason}; see `jupyter kernelspec list`, then grade again") from error
            self._deadline = monotonic() + self._limits.notebook_timeout_s
            yield

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Run one cell, or say why not. Called by nbconvert's `ExecutePreprocessor.preprocess`, in order."""
        if cell.cell_type != "code":
            return cell, resources
        original = self._original(cell)
        if original and original.locked:
            cell.source = original.source
        if self._ended:
            reason = f"not run, because an earlier cell ended in {self._ended.name}: {self._ended}"
            cell.outputs = [_error_output(errors.NotRun(reason))]
        elif self._is_skipped(cell, original):
            cell.outputs, cell.execution_count = [], None
        else:
            self._run(cell, resources, index)
        if original and original.tested:
            self._settle(cell, original.name)
        return cell, resources

    def _original(self, cell: NotebookNode) -> InstructorCell | None:
        return self._record.get(cell.metadata.get("nbgrader", {}).get("grade_id", ""))

    def _is_skipped(self, cell: NotebookNode, original: InstructorCell | None) -> bool:
        protected = original is not None and original.protected
        return not protected and bool(set(self.skip_tags) & set(cell.metadata.get("tags", [])))

    def _run(self, cell: NotebookNode, resources: dict[str, Any], index: int) -> None:
        started = monotonic()
        fault, limit_s = self._time_limit(self._deadline - started)
        self.timeout_func = lambda _: limit_s
        self.error_on_timeout = {key: _error_output(fault)[key] for key in ("ename", "evalue", "traceback")}
        ended: SubmissionFault | None = None
        try:
            super().preprocess_cell(cell, resources, index)
        except DeadKernelError:
            ended = self._death()
        except CellTimeoutError:
            ended = self._unfinished(fault, timed_out=monotonic() - started >= limit_s)
        except errors.BadMessage as bad:
            ended = bad
        ended = self._flood or ended
        cell.outputs = _valid_outputs(cell)
        if not isinstance(cell.get("execution_count"), int):
            cell.execution_count = None
        if ended:
            self.shutdown_kernel = "immediate"  # nothing in it will answer
            cell.outputs.append(_error_output(ended))
        elif monotonic() >= self._deadline:
            ended = fault
        if ended:
            self.log.warning("%s: cell %d: %s: %s", self._place, index + 1, ended.name, ended)
            self._ended = ended

    def _death(self) -> SubmissionFault:
        if run_sync(self.km.provisioner.poll)() in KILLED:
            return errors.OutOfMemory("the kernel was killed while it ran a cell: most likely it took too much memory")
        return errors.KernelDied("the kernel died while it ran a cell: out of memory, a crash or an exit")

    def _time_limit(self, left_s: float) -> tuple[SubmissionFault, float]:
        limits = self._limits
        if left_s < limits.timeout_s:
            reason = f"the notebook's cells took more than {limits.notebook_timeout_s:g} s together"
            return errors.NotebookTimedOut(reason), max(left_s, 0.001)  # nbclient takes 0 for no limit
        return errors.CellTimedOut(f"a cell ran for more than {limits.timeout_s:g} s"), limits.timeout_s

    def _unfinished(self, fault: SubmissionFault, timed_out: bool) -> SubmissionFault:
        if timed_out:
            return type(fault)(f"{fault}, and did not stop when interrupted")
        return errors.TooMuchOutput(f"output was still arriving {self.iopub_timeout} s after the cell's end")

    def _settle(self, cell: NotebookNode, name: str) -> None:
        """Leave in a graded cell's outputs what nbgrader's `determine_grade` is to decide on.

        It takes the first result or error that it meets, and any line on stderr for an error: a warning would
        cost the marks, and a result before the error would save them.
        """
        for output in cell.outputs:
            if output.output_type == "stream" and output.name == "stderr":
                line = " ".join(output.text.split())[:500]
                self.log.info("%s, %s: stderr: %s", self._place, name, line)
        failed = any(output.output_type == "error" for output in cell.outputs)
        cell.outputs = [
            output
            for output in cell.outputs
            if not (output.output_type == "stream" and output.name == "stderr")
            and not (failed and output.output_type == "execute_result")
        ]

    def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> NotebookNode | None:
        """Take one message of the running cell, unless there were too many. Called by nbclient, for each."""
        self._output_bytes += _message_bytes(msg)
        if self._output_bytes <= self._limits.max_output_bytes:
            try:
                return super().process_message(msg, cell, cell_index)
            except CellControlSignal:
                raise
            except Exception as error:  # a message that no kernel sends
                self.log.warning("%s: %s in a message of the kernel: passed over", self._place, type(error).__name__)
                return None
        if self._flood is None:
            allowed = f"{self._limits.max_output_bytes:,} bytes"
            self._flood = errors.TooMuchOutput(f"the notebook's cells wrote more than {allowed}")
            # nbclient notices the kernel's death within a second, and raises DeadKernelError
            self._stopping = asyncio.ensure_future(ensure_async(self.km.shutdown_kernel(now=True)))
        return None
