"""Processes that join a running container: exec, health checks, hooks."""

from collections.abc import Sequence

from cntnr_compose.containers.spec import capabilities
from cntnr_compose.containers.spec import process as environment
from cntnr_compose.containers.spec.users import resolve_user
from cntnr_compose.core.values import Tree
from cntnr_compose.model.service import Hook


def build_exec_process(
    base: Tree,
    run: Hook,
    *,
    passwd: str = "",
    group: str = "",
    id_count: int,
    group_add: Sequence[str] = (),
    tty: bool = False,
    console: tuple[int, int] | None = None,
) -> Tree:
    """Give the process of ``runc exec --process``; ``base`` is the container's own, unchanged.

    What ``run`` leaves empty is as in the container: user, working directory, environment.
    Raises `UserUnknown`, `IdNotMapped`, `WorkingDirectoryInvalid`.
    """
    process = {key: value for key, value in base.items() if key != "consoleSize"}
    variables = dict(map(environment.split_variable, base["env"]))
    if tty:
        variables.setdefault("TERM", "xterm")
    environment.apply_variables(variables, run.environment)
    process["args"] = list(run.command)
    process["env"] = [f"{name}={value}" for name, value in variables.items()]
    process["cwd"] = environment.choose_working_dir(run.working_dir, base["cwd"])
    process["terminal"] = tty
    if tty and console:
        process["consoleSize"] = {"height": console[0], "width": console[1]}
    if run.user:
        process["user"] = resolve_user(
            run.user, passwd=passwd, group=group, id_count=id_count, group_add=group_add
        ).to_oci()
    names = capabilities.ALL if run.privileged else base["capabilities"]["bounding"]
    uid = 0 if run.privileged else process["user"]["uid"]
    process["capabilities"] = capabilities.build_capability_sets(names, uid)
    return process
