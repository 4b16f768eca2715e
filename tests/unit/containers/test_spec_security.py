import pytest

from cntnr_compose.containers.spec.inputs import HostFacts, Reductions
from cntnr_compose.containers.spec.security import (
    Security,
    SecurityOptionInvalid,
    seccomp_file,
    security,
)
from cntnr_compose.model.service import Service


def read(
    *words: str,
    privileged: bool = False,
    facts: HostFacts | None = None,
    reductions: Reductions | None = None,
) -> Security:
    service = Service(name="web", security_opt=words, privileged=privileged)
    return security(service, facts or HostFacts(), reductions or Reductions("web"))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), Security()),
        (("no-new-privileges",), Security(no_new_privileges=True)),
        (("no-new-privileges:true",), Security(no_new_privileges=True)),
        (("no-new-privileges=true",), Security(no_new_privileges=True)),
        (("no-new-privileges:false",), Security()),
        (("seccomp=unconfined",), Security(seccomp="unconfined")),
        (("seccomp:unconfined",), Security(seccomp="unconfined")),
        (("seccomp=./p.json",), Security(seccomp="./p.json")),
        (("seccomp=builtin",), Security()),
        (("systempaths=unconfined",), Security(paths_unconfined=True)),
        (("apparmor=unconfined",), Security()),
        (("label=disable",), Security()),
        (("label:type:x_t",), Security()),
    ],
)
def test_options_are_read_in_both_spellings(words: tuple[str, ...], expected: Security) -> None:
    assert read(*words) == expected


def test_privileged_is_unconfined_unless_it_says_otherwise() -> None:
    assert read(privileged=True) == Security(seccomp="unconfined", paths_unconfined=True)
    named = read("seccomp=p.json", privileged=True)
    assert named == Security(seccomp="p.json", paths_unconfined=True)


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
    assert reductions.lines == (
        "services.web.security_opt: apparmor=mine: this machine has no AppArmor",
    )


def test_label_is_said_not_to_apply_where_there_is_selinux() -> None:
    reductions = Reductions("web")
    read("label=disable", facts=HostFacts(selinux=True), reductions=reductions)
    assert reductions.lines == ()
    read("label=type:x_t", facts=HostFacts(selinux=True), reductions=reductions)
    assert len(reductions.lines) == 1


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
    assert seccomp_file(Service(name="web", security_opt=words)) == file
