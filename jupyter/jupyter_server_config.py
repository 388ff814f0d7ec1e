"""JupyterLab as `make lab` opens it: on a page that says how to begin, and quiet.

Whoever has a configuration of JupyterLab keeps it; what is said here comes first.
"""

import warnings

from gradebox.validate import open_on_the_reason

c = get_config()  # type: ignore[name-defined]  # noqa: F821

# The first page, with the folder of the student's own steps beside it.
c.LabApp.default_url = "/lab/tree/student/START.md"

# In a container, everything is root; the server listens to this machine alone.
c.ServerApp.allow_root = True

# The terminal shows the address and errors; the formgrader shows what happened, not every message of a kernel.
c.ServerApp.log_level = "ERROR"
c.LabApp.log_level = "ERROR"
c.ServerApp.logging_config = {"loggers": {"ServerApp": {"level": "INFO"}}}
warnings.filterwarnings("ignore", module="nbgrader")

# Nothing is asked of the network.
c.LabApp.news_url = None
c.LabApp.check_for_updates_class = "jupyterlab.handlers.announcements.NeverCheckForUpdate"
c.LabApp.extension_manager = "readonly"

# The sandboxed kernels are the grader's: nobody starts one by hand. What a kernel says is encrypted on its way.
c.ServerApp.KernelSpecManager.allowed_kernelspecs = {"python3"}
c.KernelManager.transport_encryption = "auto"

# *Validate* opens on the reason, not on the check's code.
open_on_the_reason()
