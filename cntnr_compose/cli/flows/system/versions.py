"""Versions of cntnr and of the programs that containers run by, as `docker version` describes them."""

import platform

from cntnr_compose import __version__
from cntnr_compose.core.values import Tree
from cntnr_compose.doctor.programs import find_versions
from cntnr_compose.host.kernel import host_platform

# The programs that containers run by; one that is not installed is left out.
PARTS = ("runc", "crun", "conmon", "rootlesskit", "slirp4netns", "skopeo")
LABELS = {
    "Version": "Version",
    "PythonVersion": "Python version",
    "OsArch": "OS/Arch",
    "Context": "Context",
}
CLIENT_WIDTH, SERVER_WIDTH = 19, 18


def describe_versions() -> Tree:
    """Make the object that `version --format json` prints, with docker's keys."""
    system, _, machine = host_platform().partition("/")
    own: Tree = {
        "Version": __version__,
        "PythonVersion": platform.python_version(),
        "Os": system,
        "Arch": machine,
    }
    parts = [
        {"Name": name, "Version": version, "Details": {}}
        for name, version in find_versions(PARTS).items()
    ]
    engine = {"Name": "Engine", "Version": __version__, "Details": own}
    return {
        "Client": {**own, "Context": "default"},
        "Server": {
            "Platform": {"Name": "cntnr, without a daemon"},
            "Components": [engine, *parts],
            **own,
            "KernelVersion": platform.release(),
        },
    }


def versions_text(versions: Tree) -> str:
    """Format the object for people, as `docker version` does."""
    client, server = versions["Client"], versions["Server"]
    lines = ["Client:", *_lines(client, " ", CLIENT_WIDTH)]
    lines += ["", f"Server: {server['Platform']['Name']}"]
    for part in server["Components"]:
        lines.append(f" {part['Name']}:")
        lines += _lines({**part["Details"], "Version": part["Version"]}, "  ", SERVER_WIDTH)
    return "\n".join(lines) + "\n"


def _lines(fields: Tree, indent: str, width: int) -> list[str]:
    values = {**fields, "OsArch": f"{fields['Os']}/{fields['Arch']}" if "Os" in fields else ""}
    return [
        f"{indent}{f'{label}:':<{width}}{values[key]}"
        for key, label in LABELS.items()
        if values.get(key)
    ]
