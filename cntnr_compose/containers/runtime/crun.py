"""Change words of a specification that crun takes otherwise than runc, so that containers are the same.

runc gives a tmpfs the mode of the folder that it covers, and a user whom the image does not know `HOME=/`.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from cntnr_compose.core.values import Tree
from cntnr_compose.host.openat2 import Root

HOME = "HOME=/"
HOME_ANNOTATION = "cntnr.home"  # that `HOME` was added for the first process


def fit_spec(spec: Tree, root: Root, passwd: str) -> None:
    """Change the specification of a container."""
    for mount in spec["mounts"]:
        options = mount["options"]
        if mount["type"] == "tmpfs" and not any(one.startswith("mode=") for one in options):
            mount["options"] = [*options, *_covered_mode(root, mount["destination"])]
        # crun 1.8 takes what is mounted recursively read-only for a folder; a file has nothing below.
        if "rro" in options and not Path(mount["source"]).is_dir():
            mount["options"] = ["ro" if one == "rro" else one for one in options]
    if _lacks_home(spec["process"], passwd):
        spec["process"]["env"].append(HOME)
        spec["annotations"][HOME_ANNOTATION] = "/"


def _covered_mode(root: Root, path: str) -> Iterator[str]:
    """Yield the option of a tmpfs for the mode of the folder that it covers, if there is one."""
    with contextlib.suppress(OSError):  # the mount will fail, too, and say why
        covered = root.find(path)
        if covered is not None:
            yield f"mode={covered.stat().st_mode & 0o7777:o}"


def container_process(spec: Tree) -> Tree:
    """Return the first process of a container as it was before `fit_spec`."""
    process: Tree = spec["process"]
    if HOME_ANNOTATION not in spec.get("annotations", {}):
        return process
    return {**process, "env": [word for word in process["env"] if word != HOME]}


def fit_exec_process(process: Tree, passwd: str) -> None:
    """Change a process that is to run in a container."""
    if _lacks_home(process, passwd):
        process["env"].append(HOME)


def _lacks_home(process: Tree, passwd: str) -> bool:
    """Tell whether neither the environment nor the image has a home for the user."""
    uid = str(process["user"]["uid"])
    known = (line.split(":") for line in passwd.splitlines())
    is_known = any(len(fields) > 5 and fields[2] == uid for fields in known)
    return not is_known and not any(word.startswith("HOME=") for word in process["env"])
