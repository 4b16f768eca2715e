"""`security_opt`: what is read, and what is refused."""

import pytest

from cntnr_compose.containers.spec.inputs import Reductions
from cntnr_compose.containers.spec.security import (
    SecurityOptionInvalid,
    SecurityOptions,
    find_seccomp_file,
    parse_security_options,
)
from cntnr_compose.model.host import HostFacts
from cntnr_compose.model.service import Service


def read(
    *words: str,
    privileged: bool = False,
    facts: HostFacts | None = None,
    reductions: Reductions | None = None,
) -> SecurityOptions:
    service = Service(name="web", security_opt=words, privileged=privileged)
    return parse_security_options(service, facts or HostFacts(), reductions or Reductions("web"))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), SecurityOptions()),
        (("no-new-privileges",), SecurityOptions(no_new_privileges=True)),
        (("no-new-privileges:true",), SecurityOptions(no_new_privileges=True)),
        (("no-new-privileges=true",), SecurityOptions(no_new_privileges=True)),
        (("no-new-privileges:false",), SecurityOptions()),
        (("seccomp=unconfined",), SecurityOptions(seccomp="unconfined")),
        (("seccomp:unconfined",), SecurityOptions(seccomp="unconfined")),
        (("seccomp=./p.json",), SecurityOptions(seccomp="./p.json")),
        (("seccomp=builtin",), SecurityOptions()),
        (("systempaths=unconfined",), SecurityOptions(paths_unconfined=True)),
        (("apparmor=unconfined",), SecurityOptions()),
        (("label=disable",), SecurityOptions()),
        (("label:type:x_t",), SecurityOptions()),
    ],
)
def test_options_are_read_in_both_spellings(
    words: tuple[str, ...], expected: SecurityOptions
) -> None:
    assert read(*words) == expected


def test_privileged_is_unconfined_unless_it_says_otherwise() -> None:
    assert read(privileged=True) == SecurityOptions(seccomp="unconfined", paths_unconfined=True)
    named = read("seccomp=p.json", privileged=True)
    assert named == SecurityOptions(seccomp="p.json", paths_unconfined=True)


@pytest.mark.parametrize(
    "word",
    ["privileges", "no-new-privileges:maybe", "seccomp", "seccomp=", "systempaths=all", "=", ""],
)
def test_option_that_means_nothing_is_refused(word: str) -> None:
    with pytest.raises(SecurityOptionInvalid) as caught:
        read(word)
    assert str(caught.value) == f'services.web.security_opt: invalid option "{word}"'


def test_profile_of_apparmor_applies_where_there_is_apparmor() -> None:
    reductions = Reductions("web")
    assert read("apparmor=mine", facts=HostFacts(apparmor=True)).apparmor == "mine"
    assert read("apparmor:mine", reductions=reductions).apparmor == ""
    assert reductions.warnings == (
        "services.web.security_opt: apparmor=mine: this machine has no AppArmor",
    )


def test_label_is_said_not_to_apply_where_there_is_selinux() -> None:
    reductions = Reductions("web")
    read("label=disable", facts=HostFacts(selinux=True), reductions=reductions)
    assert reductions.warnings == ()
    read("label=type:x_t", facts=HostFacts(selinux=True), reductions=reductions)
    assert len(reductions.warnings) == 1


@pytest.mark.parametrize(
    ("words", "file"),
    [
        ((), ""),
        (("seccomp=unconfined",), ""),
        (("seccomp=builtin",), ""),
        (("no-new-privileges", "seccomp:/etc/p.json"), "/etc/p.json"),
    ],
)
def test_file_to_read_is_named(words: tuple[str, ...], file: str) -> None:
    assert find_seccomp_file(Service(name="web", security_opt=words)) == file
