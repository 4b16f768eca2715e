"""Programs that cntnr starts, and the packages that have them, by distribution."""

import re
from collections.abc import Iterable

from cntnr_compose.core.errors import CommandFailed, ProgramMissing
from cntnr_compose.core.values import Seconds, Value
from cntnr_compose.host import distribution, process

FAMILIES = {"debian": 0, "fedora": 1, "arch": 2}
NUMBER = re.compile(r"\d+\.\d+[\w.+~-]*")
VERSION_TIMEOUT: Seconds = 5
INSTALL_COMMANDS = ("sudo apt-get install", "sudo dnf install", "sudo pacman -S")


class RequiredProgram(Value, frozen=True, kw_only=True):
    """A program that cntnr starts, and the package that has it."""

    name: str
    packages: tuple[str, str, str]  # debian, fedora, arch
    loses: str  # what does not work without it
    is_optional: bool = False
    version_option: str = "--version"


PROGRAMS = (
    RequiredProgram(name="runc", packages=("runc", "runc", "runc"), loses="no container can run"),
    RequiredProgram(
        name="crun",
        packages=("crun", "crun", "crun"),
        loses="no containers with `runtime: crun`",
        is_optional=True,
    ),
    RequiredProgram(
        name="conmon", packages=("conmon", "conmon", "conmon"), loses="no container can be started"
    ),
    RequiredProgram(
        name="skopeo", packages=("skopeo", "skopeo", "skopeo"), loses="no image can be pulled"
    ),
    RequiredProgram(
        name="rootlesskit",
        packages=("rootlesskit", "rootlesskit", "rootlesskit"),
        loses="no namespaces to run containers in",
    ),
    RequiredProgram(
        name="slirp4netns",
        packages=("slirp4netns", "slirp4netns", "slirp4netns"),
        loses="containers cannot reach the outside",
    ),
    RequiredProgram(
        name="nsenter",
        packages=("util-linux", "util-linux", "util-linux"),
        loses="no way into the namespaces",
    ),
    RequiredProgram(
        name="ip",
        packages=("iproute2", "iproute", "iproute2"),
        loses="no networks between containers",
        version_option="-V",
    ),
    RequiredProgram(
        name="nft",
        packages=("nftables", "nftables", "nftables"),
        loses="networks are not kept apart, containers cannot reach the outside",
    ),
    RequiredProgram(
        name="dnsmasq",
        packages=("dnsmasq-base", "dnsmasq", "dnsmasq"),
        loses="services cannot find each other by name",
    ),
    RequiredProgram(
        name="tini-static",
        packages=("tini", "tini-static", "tini"),
        loses="`init: true` does without an init",
        is_optional=True,
    ),
    RequiredProgram(
        name="git",
        packages=("git", "git", "git"),
        loses="no build from a git URL",
        is_optional=True,
    ),
)


def install_command(*packages: str) -> str:
    """Return this distribution's command for a package; its names are those in debian, fedora, arch."""
    family = FAMILIES.get(distribution.distribution_family())
    if family is None:
        return f"install {packages[0]} with your package manager"
    return f"{INSTALL_COMMANDS[family]} {packages[family]}"


def read_version(path: str, option: str = "--version") -> str:
    """Return the version that a program prints; empty where it prints none."""
    try:
        result = process.run([path, option], timeout=VERSION_TIMEOUT)
    except (CommandFailed, ProgramMissing, TimeoutError):
        return ""
    version = NUMBER.search(result.stdout + result.stderr)
    return version.group() if version else ""


def find_versions(names: Iterable[str]) -> dict[str, str]:
    """Return the versions of those of some programs that are installed, by name."""
    versions = {}
    for name in names:
        try:
            versions[name] = read_version(process.find_program(name))
        except ProgramMissing:
            continue
    return versions
