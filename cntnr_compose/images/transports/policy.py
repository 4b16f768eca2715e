"""Choose the policy that decides which images may be pulled; skopeo enforces it.

That is the one of ``cntnr --image-policy``, else of config.toml, else the user's policy.json, else the
system's. Where there is none, every image is accepted whose blobs match their digests.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cntnr_compose.core.user_config import POLICY_WORDS, read_user_config
from cntnr_compose.core.values import Bytes, Tree, Value, from_json, to_json
from cntnr_compose.images.errors import PolicyRefused, PolicyUnusable
from cntnr_compose.model import image_name

# What the option sets, for builders and other processes of the command; for scripts, too.
VARIABLE = "CNTNR_IMAGE_POLICY"
SYSTEM_FILE = Path("/etc/containers/policy.json")
MAX_SIZE: Bytes = 1 << 20
PLAIN_REQUIREMENTS = ("insecureAcceptAnything", "reject")
ACCEPT_ANYTHING = ("--insecure-policy",)


class ImagePolicy(Value, frozen=True, kw_only=True):
    """A policy: a file, or one of `POLICY_WORDS`; without a name, there is none."""

    name: str = ""

    @property
    def file(self) -> Path | None:
        """Return the file; None for a word, and where there is no policy."""
        return Path(self.name) if self.name and self.name not in POLICY_WORDS else None


def choose_policy(text: str) -> None:
    """Use a policy for all pulls of this process and those that it starts: ``--image-policy``.

    Raises `PolicyUnusable`.
    """
    name = text if text in POLICY_WORDS else str(Path(text).expanduser().absolute())
    _read(ImagePolicy(name=name))
    os.environ[VARIABLE] = name


def active_policy() -> ImagePolicy:
    """Return the policy that holds now. Raises `ConfigInvalid`."""
    name = os.environ.get(VARIABLE) or read_user_config().images.policy
    if name:
        return ImagePolicy(name=name)
    for path in (user_file(), SYSTEM_FILE):
        if path.exists():
            return ImagePolicy(name=str(path))
    return ImagePolicy()


def user_file() -> Path:
    """Return the path of the user's policy."""
    return Path(os.environ.get("HOME") or "/", ".config/containers/policy.json")


def check_allowed(policy: ImagePolicy, ref: str) -> None:
    """Refuse every image under the policy "reject". Raises `PolicyRefused`, `PolicyUnusable`."""
    if policy.name == "reject":
        raise PolicyRefused(ref, policy.name)
    _read(policy)


def skopeo_options(policy: ImagePolicy) -> tuple[str, ...]:
    """Return the options by which skopeo follows a policy."""
    return ("--policy", policy.name) if policy.file else ACCEPT_ANYTHING


def requires_signatures(policy: ImagePolicy) -> bool:
    """Return whether a policy asks for the signatures of any image. Raises `PolicyUnusable`."""
    return any(
        not isinstance(requirement, dict) or requirement.get("type") not in PLAIN_REQUIREMENTS
        for requirements in _all_requirements(_read(policy))
        for requirement in requirements
    )


def write_archive_policy(policy: ImagePolicy, ref: str, target: Path) -> tuple[str, ...]:
    """Return skopeo's options for a layout that was unpacked from an ``oci-archive:``.

    What the policy says of the archive holds for it. It is written to ``target``. Raises `PolicyUnusable`.
    """
    tree = _read(policy)
    if not tree:
        return ACCEPT_ANYTHING
    scopes = _as_dict(_as_dict(tree.get("transports")).get("oci-archive"))
    path = ref.removeprefix(image_name.transport(ref)).partition(":")[0]
    place = Path(os.path.realpath(path))
    names = [str(folder) for folder in (place, *place.parents) if str(folder) != "/"]
    scope = next((name for name in (*names, "") if name in scopes), None)
    requirements = tree.get("default") if scope is None else scopes[scope]
    target.write_bytes(to_json({"default": requirements or [{"type": "reject"}]}))
    return ("--policy", str(target))


def _read(policy: ImagePolicy) -> Tree:
    """Read a policy's file; empty where it has none. Raises `PolicyUnusable`."""
    if policy.file is None:
        return {}
    try:
        with os.fdopen(
            os.open(policy.file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb"
        ) as file:
            content = file.read(MAX_SIZE + 1)
    except OSError as error:
        raise PolicyUnusable(policy.name, error.strerror or str(error)) from error
    if len(content) > MAX_SIZE:
        raise PolicyUnusable(policy.name, f"it is longer than {MAX_SIZE >> 20} MiB")
    try:
        return from_json(content, dict[str, Any])
    except ValueError as error:
        raise PolicyUnusable(policy.name, str(error)) from error


def _all_requirements(tree: Tree) -> list[list[Any]]:
    """Return the requirements of all scopes."""
    lists = [tree.get("default")]
    for scopes in _as_dict(tree.get("transports")).values():
        lists += _as_dict(scopes).values()
    return [requirements for requirements in lists if isinstance(requirements, list)]


def _as_dict(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
