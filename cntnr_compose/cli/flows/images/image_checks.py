"""Checks of `doctor` about images: the settings, the policy, additional stores, other platforms."""

from pathlib import Path

from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.user_config import config_file, read_user_config
from cntnr_compose.doctor.check import Check
from cntnr_compose.doctor.programs import install_command
from cntnr_compose.images import platforms
from cntnr_compose.images.additional_stores import AdditionalStore, store_folders
from cntnr_compose.images.layers import shared, squashfs
from cntnr_compose.images.transports import policy as policies

SQUASHFUSE = ("squashfuse", "squashfuse", "squashfuse")
NO_POLICY = "none: images are accepted whose files match their digests"


def check_images() -> list[Check]:
    """Run the checks."""
    try:
        read_user_config()
    except CntnrError as error:
        return [
            Check(
                name="settings",
                state="missing",
                found=str(error),
                loses="no image can be looked up",
                mend=error.hint,
            )
        ]
    return [_check_policy(), *_check_stores(), _check_platforms()]


def _check_policy() -> Check:
    policy = policies.active_policy()
    try:
        needs_signatures = policies.requires_signatures(policy)
    except CntnrError as error:
        return Check(
            name="image policy",
            state="reduced",
            found=str(error),
            loses="no image can be pulled",
            mend=f"editor {policy.name}",
        )
    name = policy.name or NO_POLICY
    return Check(
        name="image policy",
        state="ok",
        found=f"{name}, which asks for signatures" if needs_signatures else name,
    )


def _check_stores() -> list[Check]:
    """Describe the additional stores that are there, or that the user has named."""
    named = (*read_user_config().images.additional_stores,)
    checks = []
    for folder in store_folders():
        if (folder / "index.json").exists():
            checks.append(_check_store(folder))
        elif str(folder) in named:
            checks.append(
                Check(
                    name="image store",
                    state="reduced",
                    found=f"{folder} has no index.json",
                    loses="its images are pulled",
                    mend=f"editor {config_file()}",
                )
            )
    return checks


def _check_store(folder: Path) -> Check:
    """Describe a store, and whether its unpacked layers can be used."""
    count = len(AdditionalStore(folder).list())
    text = f"{folder} ({count} image{'' if count == 1 else 's'})"
    layers = folder / shared.LAYERS
    if not layers.is_dir() or shared.has_own_layers(layers) or squashfs.can_mount():
        return Check(name="image store", state="ok", found=text)
    is_missing = not squashfs.is_installed("squashfuse")
    return Check(
        name="image store",
        state="reduced",
        found=f"{text}, whose unpacked layers are another user's",
        loses="each user unpacks its images once more",
        mend=install_command(*SQUASHFUSE) if is_missing else "sudo chmod 666 /dev/fuse",
    )


def _check_platforms() -> Check:
    emulated = ", ".join(platforms.emulated_architectures())
    text = f"emulated: {emulated}" if emulated else "only this machine's own"
    return Check(name="image platforms", state="ok", found=text)
