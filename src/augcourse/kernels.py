"""Importing this imports what the lessons' kernels start with; `c.SandboxProvisioner.warm_modules` names it.

Kernels are forked from a process that has done so once. With it come the modules of TFDS's own data sets, several
hundred: TFDS imports them all when it is first asked for a data set by name, a tenth of a second in each kernel.
"""

import ipywidgets  # noqa: F401
import scipy.stats  # noqa: F401
import tensorflow_datasets as tfds

from augcourse import checks, measure, plots, probes, results, start, train, trial  # noqa: F401

__all__: list[str] = []

tfds.list_builders(with_community_datasets=False)
