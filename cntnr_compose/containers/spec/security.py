"""Parse ``security_opt``."""

from cntnr_compose.containers.spec.inputs import Reductions
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.values import Value
from cntnr_compose.model.host import HostFacts
from cntnr_compose.model.service import Service


class SecurityOptionInvalid(CntnrError):
    """A word in security_opt is not an option."""

    def __init__(self, service: str, word: str) -> None:
        super().__init__(f'services.{service}.security_opt: invalid option "{word}"')


class SecurityOptions(Value, frozen=True, kw_only=True):
    """Security settings of a container beside capabilities."""

    no_new_privileges: bool = False
    seccomp: str = ""  # empty: the default profile; unconfined; else a file
    apparmor: str = ""
    paths_unconfined: bool = False


def parse_security_options(
    service: Service, facts: HostFacts, reductions: Reductions
) -> SecurityOptions:
    """Parse the options of a service; a privileged one is unconfined by default.

    Raises `SecurityOptionInvalid`.
    """
    options: dict[str, str] = {"seccomp": "unconfined"} if service.privileged else {}
    for word in service.security_opt:
        key, value = _split_option(word)
        if key == "no-new-privileges" and value.lower() in ("", "true", "false"):
            options[key] = value.lower() or "true"
        elif key == "label":
            if facts.selinux and value != "disable":
                reductions.add("security_opt", f"{word} takes a policy that only root can load")
        elif (value and key in ("seccomp", "apparmor")) or word == "systempaths=unconfined":
            options[key] = value
        else:
            raise SecurityOptionInvalid(service.name, word)
    apparmor = options.get("apparmor", "")
    if apparmor not in ("", "unconfined") and not facts.apparmor:
        reductions.add("security_opt", f"apparmor={apparmor}: this machine has no AppArmor")
        apparmor = ""
    return SecurityOptions(
        no_new_privileges=options.get("no-new-privileges") == "true",
        seccomp=options.get("seccomp", "").replace("builtin", ""),
        apparmor="" if apparmor == "unconfined" else apparmor,
        paths_unconfined=service.privileged or "systempaths" in options,
    )


def find_seccomp_file(service: Service) -> str:
    """Return the file whose content has to be passed as `SpecInputs.seccomp`; mostly none."""
    options = [_split_option(word) for word in service.security_opt]
    values = [value for key, value in options if key == "seccomp"]
    return values[-1] if values and values[-1] not in ("unconfined", "builtin") else ""


def _split_option(word: str) -> tuple[str, str]:
    """Split at ``=``, or at ``:``, the older form."""
    separator = "=" if "=" in word else ":"
    key, _, value = word.partition(separator)
    return key.strip(), value.strip()
