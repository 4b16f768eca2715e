"""`user` and `group_add` to ids."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cntnr_compose.containers.spec.users import IdNotMapped, ProcessUser, UserUnknown, resolve_user
from cntnr_compose.core.errors import CntnrError

PASSWD = """\
root:x:0:0:root:/root:/bin/sh
# a comment
broken
app:x:100:101:App:/srv/app:/bin/sh
odd:x:102::odd
1234:x:55:56:a name of digits:/:/bin/sh
"""
GROUP = """\
root:x:0:
wheel:x:10:root,app
app:x:101:
audio:x:29:app
high:x:70000:app
broken
"""


def resolve(user: str, id_count: int = 65537, group_add: tuple[str, ...] = ()) -> ProcessUser:
    return resolve_user(user, passwd=PASSWD, group=GROUP, id_count=id_count, group_add=group_add)


@pytest.mark.parametrize(
    ("user", "uid", "gid", "groups"),
    [
        ("", 0, 0, (0, 10)),
        ("root", 0, 0, (0, 10)),
        ("app", 100, 101, (101, 10, 29)),
        ("100", 100, 101, (101, 10, 29)),
        ("00100", 100, 101, (101, 10, 29)),
        ("app:audio", 100, 29, (29,)),
        ("app:29", 100, 29, (29,)),
        ("app:777", 100, 777, (777,)),
        ("4000", 4000, 0, (0,)),
        ("4000:4001", 4000, 4001, (4001,)),
        (":audio", 0, 29, (29,)),
        ("odd", 102, 0, (0,)),
        ("1234", 55, 56, (56,)),
        ("65536", 65536, 0, (0,)),
    ],
)
def test_user_is_looked_up_in_the_image(
    user: str, uid: int, gid: int, groups: tuple[int, ...]
) -> None:
    assert resolve(user) == ProcessUser(uid=uid, gid=gid, groups=groups)


def test_image_without_account_files_knows_numbers_and_root() -> None:
    assert resolve_user("", passwd="", group="", id_count=65537) == ProcessUser(groups=(0,))
    assert resolve_user("7:8", passwd="", group="", id_count=65537) == ProcessUser(
        uid=7, gid=8, groups=(8,)
    )


def test_added_groups_are_names_or_numbers() -> None:
    assert resolve("app:app", group_add=("audio", "4000", "29")).groups == (101, 29, 4000)


@pytest.mark.parametrize(
    ("user", "group_add", "message"),
    [
        ("bob", (), "unable to find user bob: no matching entries in passwd file"),
        ("-1", (), "unable to find user -1: no matching entries in passwd file"),
        ("app:nope", (), "unable to find group nope: no matching entries in group file"),
        ("app", ("nope",), "unable to find group nope: no matching entries in group file"),
    ],
)
def test_unknown_name_is_refused_in_dockers_words(
    user: str, group_add: tuple[str, ...], message: str
) -> None:
    with pytest.raises(UserUnknown) as caught:
        resolve(user, group_add=group_add)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("user", "id_count", "message"),
    [
        ("65537", 65537, "cannot use user 65537: the highest id here is 65536"),
        ("0:65537", 65537, "cannot use group 65537: the highest id here is 65536"),
        ("app:high", 65537, "cannot use group high (70000): the highest id here is 65536"),
        ("app", 1, "cannot use user app (100): only root exists without subordinate ids"),
        ("9" * 5000, 65537, f"cannot use user {'9' * 5000}: uids and gids must be in range 0-2147483647"),
    ],
)  # fmt: skip
def test_id_that_is_not_mapped_is_refused(user: str, id_count: int, message: str) -> None:
    with pytest.raises(IdNotMapped) as caught:
        resolve(user, id_count=id_count)
    assert str(caught.value) == message


def test_added_group_that_is_not_mapped_is_refused() -> None:
    with pytest.raises(IdNotMapped, match="cannot use group 70000"):
        resolve("", group_add=("70000",))


def test_group_of_the_image_that_is_not_mapped_is_left_out() -> None:
    assert 70000 not in resolve("app").groups


def test_groups_cannot_be_set_where_only_root_exists() -> None:
    assert resolve("root", id_count=1).groups == ()
    assert "additionalGids" not in resolve("root", id_count=1).to_oci()


WORDS = st.text(alphabet="ar0189:-,x\n²", max_size=30)


@given(user=WORDS, passwd=WORDS, group=WORDS)
def test_any_text_gives_mapped_ids_or_a_plain_answer(user: str, passwd: str, group: str) -> None:
    with contextlib.suppress(CntnrError):
        user_ids = resolve_user(user, passwd=passwd, group=group, id_count=65537, group_add=(user,))
        assert all(0 <= number < 65537 for number in (user_ids.uid, user_ids.gid, *user_ids.groups))
