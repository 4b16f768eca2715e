"""Make the service of a new container of its flags, with what is wrong told in the flags' own words."""

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cntnr_compose.cli.flows.containers.flags.mapping import KEY_FLAGS, build_mapping
from cntnr_compose.cli.flows.shared_arguments import BadOption
from cntnr_compose.cli.project.options import current_directory
from cntnr_compose.core.errors import CntnrError
from cntnr_compose.core.names import check_name, invalid_reason

if TYPE_CHECKING:
    from cntnr_compose.compose.basics.diagnostics import Diagnostic
    from cntnr_compose.core.events import Emit
    from cntnr_compose.core.frozen import Tree
    from cntnr_compose.model.service import Service

# Flags that no compose key has: fields of `EngineOptions`.
ENGINE_FLAGS = ("mount_cgroups", "no_new_keyring", "no_pivot")
VALUE_LEVEL = 2  # of services.NAME.KEY


class FlagsInvalid(CntnrError):
    """Flags have values that no container can have."""

    def __init__(self, sentences: Sequence[str]) -> None:
        super().__init__("\n".join(dict.fromkeys(sentences)))


def make_service(name: str, flags: Mapping[str, Any], emit: "Emit") -> "Service":
    """Make the service of a container; warn of what has no effect here.

    Raises `FlagsInvalid`, `BadOption`, `NameInvalid`.
    """
    from cntnr_compose.compose import single_service
    from cntnr_compose.compose.basics.diagnostics import ComposeFileInvalid
    from cntnr_compose.core.values import replace
    from cntnr_compose.host.namespaces.subids import explain_one_id
    from cntnr_compose.model.service import EngineOptions

    check_name("container", name)
    mapping = build_mapping(flags, os.environ)
    is_plain = single_service.is_plain(mapping) and not explain_one_id()
    try:
        tree = single_service.decode_service(name, mapping, current_directory())
    except ComposeFileInvalid as error:
        raise _in_words_of_flags(error.diagnostics, flags) from None
    if not is_plain:
        _check_volume_names(tree["services"][name])
        _report_unsupported(tree, flags, emit)
    service = single_service.make_service(name, tree)
    engine = {key: flags[key] for key in ENGINE_FLAGS if flags[key]}
    return replace(service, engine=EngineOptions(**engine)) if engine else service


def _check_volume_names(service: "Tree") -> None:
    for mount in service.get("volumes", ()):
        name = mount.get("source", "")
        if mount["type"] == "volume" and name and (why := invalid_reason("volume", name)):
            hint = "a folder begins with / or ./, and a volume is one word"
            raise BadOption("--volume", name, f"{hint}: {why}")


def _report_unsupported(tree: "Tree", flags: Mapping[str, Any], emit: "Emit") -> None:
    """Warn of flags without effect here. Raises `FlagsInvalid` where one cannot work."""
    from cntnr_compose.cli.project.support_warnings import tell_of_one_id
    from cntnr_compose.compose.support.conflicts import find_network_conflicts
    from cntnr_compose.compose.support.report import find_unsupported
    from cntnr_compose.core.events import WarningEvent
    from cntnr_compose.doctor.capabilities import detect_capabilities

    host = detect_capabilities()
    if not host.has_subordinate_ids:
        tell_of_one_id(emit)
    diagnostics = find_unsupported(tree, host) + find_network_conflicts(tree)
    errors = [one for one in diagnostics if one.severity == "error"]
    if errors:
        raise _in_words_of_flags(errors, flags)
    for diagnostic in diagnostics:
        emit(WarningEvent(text=_describe(diagnostic, flags)))


def _in_words_of_flags(
    diagnostics: Sequence["Diagnostic"], flags: Mapping[str, Any]
) -> FlagsInvalid:
    return FlagsInvalid([_describe(diagnostic, flags) for diagnostic in diagnostics])


def _describe(diagnostic: "Diagnostic", flags: Mapping[str, Any]) -> str:
    """Describe what is wrong with a key as what is wrong with the flag that has set it."""
    steps = diagnostic.path[VALUE_LEVEL:]
    hint = f" ({diagnostic.hint})" if diagnostic.hint else ""
    name = KEY_FLAGS.get(str(steps[0])) if steps else None
    if name is None:
        return f"{diagnostic.message}{hint}"
    value = flags[name]
    if isinstance(value, tuple) and len(steps) > 1 and isinstance(steps[1], int):
        value = value[steps[1]] if steps[1] < len(value) else ()
    shown = f' "{value}"' if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return f"--{name.replace('_', '-')}{shown}: {diagnostic.message}{hint}"
