"""The course's policy for JupyterHub: who may log in, what each server is told, where everything lies.

`make hub` starts it with accounts made for it. For a class of your own, say the same in these environment variables;
docs/hub.md lists them.
"""

import os

c = get_config()  # type: ignore[name-defined]  # noqa: F821

here = os.path.dirname(os.path.abspath(__file__))
state = os.environ.get("AUGCOURSE_HUB_STATE", "/srv/augcourse/hub")  # for root alone
course = os.environ.get("AUGCOURSE_HUB_COURSE", "/srv/augcourse/course")  # with nbgrader_config.py, readable for all
exchange = os.environ.get("NBGRADER_EXCHANGE", "/srv/augcourse/exchange")
data = os.environ.get("TFDS_DATA_DIR", "/srv/augcourse/data")
instructors = set(os.environ.get("AUGCOURSE_HUB_INSTRUCTORS", "").split())
students = set(os.environ.get("AUGCOURSE_HUB_STUDENTS", "").split())

# Accounts of this machine with their own passwords. Whoever is not named cannot log in; nobody is an administrator.
c.JupyterHub.authenticator_class = "pam"
c.Authenticator.allowed_users = instructors | students

# Only this machine reaches it. For a class, put a web server with a certificate in front.
c.JupyterHub.bind_url = os.environ.get("AUGCOURSE_HUB_URL", "http://127.0.0.1:8000")
# With a domain, everybody's server has an origin of its own (NAME.domain), and one person's pages cannot reach into
# another's. The formgrader, which JupyterLab shows in a frame, needs that.
c.JupyterHub.subdomain_host = os.environ.get("AUGCOURSE_HUB_DOMAIN", "")
c.JupyterHub.hub_bind_url = os.environ.get("AUGCOURSE_HUB_INNER_URL", "http://127.0.0.1:8081")
c.ConfigurableHTTPProxy.api_url = os.environ.get("AUGCOURSE_HUB_PROXY_URL", "http://127.0.0.1:8001")
c.ConfigurableHTTPProxy.command = [os.environ.get("AUGCOURSE_HUB_PROXY", "configurable-http-proxy")]
c.ConfigurableHTTPProxy.pid_file = f"{state}/proxy.pid"
c.JupyterHub.db_url = f"sqlite:///{state}/hub.sqlite"
c.JupyterHub.cookie_secret_file = f"{state}/cookie_secret"

# A server for each person, as that person. Everybody works on the same data set in the same folder; each has a cache of
# their own, in their home, and the grader's baselines are in the instructor's.
c.Spawner.default_url = "/lab"
c.Spawner.http_timeout = 120  # seconds until a server must answer: a class starts all at once
c.Spawner.environment = {
    "TFDS_DATA_DIR": data,
    "AUGCOURSE_DATASET": os.environ.get("AUGCOURSE_DATASET", ""),
    "NBGRADER_EXCHANGE": exchange,
    "NO_ALBUMENTATIONS_UPDATE": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}


def by_role(spawner):
    """The formgrader and the course's folder for an instructor; the list of assignments and a first page for a student.

    Configuration is looked up from left to right: the role's, that of `make lab`, the course's.
    """
    home = os.path.expanduser(f"~{spawner.user.name}")
    spawner.environment["AUGCOURSE_CACHE_DIR"] = f"{home}/.cache/augcourse"
    role, policy = ("instructor", f"{home}/course") if spawner.user.name in instructors else ("student", course)
    spawner.notebook_dir = policy if role == "instructor" else home
    if os.path.isfile(f"{spawner.notebook_dir}/START.md"):
        spawner.default_url = "/lab/tree/START.md"
    paths = [f"{here}/{role}", f"{os.path.dirname(here)}/jupyter", policy]
    spawner.environment["JUPYTER_CONFIG_PATH"] = os.pathsep.join(paths)


c.Spawner.pre_spawn_hook = by_role
