"""Whether student code runs in a sandbox, asked before anything of a student's runs.

A course that says nothing of kernels would run other people's code with all of the grader's rights. So grading refuses,
unless the course accepts the risk by name: `c.SandboxProvisioner.allow_unprotected = True`.
"""

import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
from nbconvert.preprocessors import ExecutePreprocessor
from nbgrader.converters import Autograde
from traitlets import import_item
from traitlets.config import Config

from gradebox.errors import GradeboxError
from gradebox.sandbox import SandboxProvisioner, require

__all__ = [
    "LINES",
    "SANDBOXED",
    "Unprotected",
    "other_language",
    "require_protection",
    "require_sandboxed",
    "weakness",
]

SANDBOXED = ("gradebox-sandbox", "gradebox-trusted")  # provisioners of this package
LINES = (
    'c.Autograde.autograde_preprocessors = ["gradebox.split.SplitExecute", "nbgrader.preprocessors.LimitOutput", '
    '"gradebox.marks.SaveGrades", "nbgrader.preprocessors.AssignLatePenalties", '
    '"nbgrader.preprocessors.CheckCellMetadata"]',
    'c.GradedExecute.kernel_name = "gradebox-student"',
)
"""What a course adds to `nbgrader_config.py`, so that student code runs in a sandboxed kernel."""


class Unprotected(GradeboxError):  # noqa: N818 - the name that an instructor reads
    """Student code would run without a sandbox, and the course has not accepted that."""


def require_protection(config: Config, *, here: bool = True) -> None:
    """Make sure that student code runs in a sandbox.

    Args:
        config: of the course.
        here: whether notebooks run on this machine, which then must be able to make a sandbox.

    Raises:
        Unprotected: they would run without one; the message says why and what to add.
        GraderFailed: this machine can make no sandbox; the message says what to install.
    """
    if SandboxProvisioner(config=config).allow_unprotected:
        return
    if reason := weakness(config):
        raise _unprotected(reason)
    if here:
        require()


def require_sandboxed(name: str, config: Config) -> None:
    """Make sure that the kernel of that name, which is about to run student code, is a sandboxed one.

    Raises:
        Unprotected: it is not, and the course has not accepted that.
    """
    if not SandboxProvisioner(config=config).allow_unprotected and (reason := _weak_kernel(name)):
        raise _unprotected(reason)


def _unprotected(reason: str) -> Unprotected:
    return Unprotected(
        f"nothing is graded, because student code would run without a sandbox: {reason}. Add to nbgrader_config.py: "
        f"{'; '.join(LINES)}. Or accept the risk: c.SandboxProvisioner.allow_unprotected = True"
    )


def weakness(config: Config) -> str:
    """Why student code would run without a sandbox under this configuration; empty if it would not."""
    runners = [each for each in _preprocessors(config) if issubclass(each, ExecutePreprocessor)]
    if not runners:
        return ""  # no code runs at all
    from gradebox.execute import GradedExecute  # which asks here, when it is about to start a kernel

    for runner in runners:
        if not issubclass(runner, GradedExecute):
            return f"{runner.__module__}.{runner.__name__} runs the notebooks"
        if reason := _weak_kernel(runner(config=config).kernel_name):
            return reason
    return ""


def other_language(notebooks: Iterable[Path], config: Config) -> str:
    """Which of an instructor's notebooks is in another language than the kernel that would run it; empty if none is.

    A notebook that says nothing of its kernel is in that kernel's language. One that cannot be read is not looked at:
    others say what is wrong with it.
    """
    from gradebox.execute import GradedExecute

    for runner in _preprocessors(config):
        if not issubclass(runner, GradedExecute):
            continue
        name = runner(config=config).kernel_name
        with suppress(NoSuchKernel):
            speaks = KernelSpecManager().get_kernel_spec(name).language.lower()
            for path in notebooks:
                if (found := _language(path)) and found != speaks:
                    return (
                        f"{path.parent.name}/{path.name} is in {found}, and the kernel {name}, in which student code "
                        f"runs, speaks {speaks}: name a sandboxed kernel for {found} in c.GradedExecute.kernel_name "
                        "(docs/grading.md, Another language)"
                    )
    return ""


def _language(path: Path) -> str:
    """The language that a notebook's metadata names; else its kernel's name, if no kernel here has that name."""
    try:
        metadata = json.loads(path.read_text(encoding="utf-8-sig")).get("metadata", {})
        kernel, language = metadata.get("kernelspec", {}), metadata.get("language_info", {})
        name, said = kernel.get("name") or "", kernel.get("language") or language.get("name") or ""
        if said or not name:
            return str(said).lower()
        return KernelSpecManager().get_kernel_spec(name).language.lower()
    except NoSuchKernel:
        return str(name).lower()
    except (OSError, ValueError, AttributeError, TypeError):
        return ""


def _weak_kernel(name: str) -> str:
    try:
        spec = KernelSpecManager().get_kernel_spec(name)
    except NoSuchKernel:
        return ""  # it does not start at all, and whoever starts it says so
    provisioner = spec.metadata.get("kernel_provisioner", {}).get("provisioner_name")
    return "" if provisioner in SANDBOXED else f"the kernel {name} has none"


def _preprocessors(config: Config) -> Iterable[type]:
    named = config.Autograde.get("autograde_preprocessors") or Autograde.autograde_preprocessors.default()
    for each in named:
        yield import_item(each) if isinstance(each, str) else each
