"""Importing this imports what the lessons' kernels start with; `c.SandboxProvisioner.warm_modules` names it.

Kernels are forked from a process that has done so once. With it come the modules of TFDS's own data sets, several
hundred: TFDS imports them all when it is first asked for a data set by name, a tenth of a second in each kernel.
"""

import ipywidgets  # noqa: F401
import scipy.stats  # noqa: F401
import tensorflow_datasets as tfds
import tqdm.auto  # type: ignore[import-untyped]  # noqa: F401

from augcourse import (  # noqa: F401
    checks,
    lesson,
    measure,
    plots,
    predictions,
    probes,
    quiz,
    results,
    start,
    train,
    trial,
)

__all__: list[str] = []

tfds.list_builders(with_community_datasets=False)
