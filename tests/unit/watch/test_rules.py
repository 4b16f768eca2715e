"""Which changed files take which actions."""

import pytest

from cntnr_compose.model.project import Project
from cntnr_compose.model.service import Build, Hook, Mount, Service, WatchRule
from cntnr_compose.watch.rules import (
    Actions,
    CannotRebuild,
    CompiledRule,
    NothingToWatch,
    RebuildForbidden,
    Rules,
    Sync,
    check_rules,
    is_bind_mounted,
    relative_path,
    with_builds,
)

HOOK = Hook(command=("true",))


def rule(path="/p/src", action="sync", target="/app", **more):
    return WatchRule(path=path, action=action, target=target, **more)


def compiled(*rules, service="web", context="", ignored=()):
    return Rules(CompiledRule(service, each, context, ignored) for each in rules)


def synced(rules, *paths):
    return [each.target for each in rules.decide_actions(paths).sync.get("web", ())]


def test_a_changed_file_is_synced_to_its_place_below_the_target():
    actions = compiled(rule()).decide_actions(["/p/src/a/b.py", "/p/src", "/p/srcx", "/q"])
    assert actions.sync == {"web": (Sync("/p/src", "/app"), Sync("/p/src/a/b.py", "/app/a/b.py"))}
    assert not actions.rebuild
    assert not actions.restart


def test_a_path_that_is_a_file_is_synced_to_the_target_itself():
    assert synced(compiled(rule("/p/one.txt", target="/two/three.txt")), "/p/one.txt") == [
        "/two/three.txt"
    ]


def test_targets_are_absolute_and_normal():
    assert synced(compiled(rule(target="app/../x/")), "/p/src/a") == ["/x/a"]


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("rebuild", Actions(rebuild=("web",))),
        ("restart", Actions(restart=("web",))),
        ("sync", Actions(sync={"web": (Sync("/p/src/a", "/app/a"),)})),
        (
            "sync+restart",
            Actions(sync={"web": (Sync("/p/src/a", "/app/a"),)}, restart=("web",)),
        ),
        (
            "sync+exec",
            Actions(sync={"web": (Sync("/p/src/a", "/app/a"),)}, exec=(("web", HOOK),)),
        ),
    ],
)
def test_actions(action, expected):
    rules = compiled(rule(action=action, exec=HOOK if action == "sync+exec" else None))
    assert rules.decide_actions(["/p/src/a"]) == expected
    assert not rules.decide_actions(["/p/other"])


def test_each_action_is_taken_once_a_batch():
    rules = compiled(rule(action="rebuild"), rule(action="sync+exec", exec=HOOK))
    actions = rules.decide_actions(["/p/src/a", "/p/src/b"])
    assert actions.rebuild == ("web",)
    assert actions.exec == (("web", HOOK),)
    assert len(actions.sync["web"]) == 2


def test_ignored_files_take_no_action():
    rules = compiled(rule(ignore=("*.tmp", "node_modules/", "!keep.tmp")))
    paths = ["/p/src/a.tmp", "/p/src/node_modules/x/y", "/p/src/keep.tmp", "/p/src/sub/b.tmp"]
    assert synced(rules, *paths) == ["/app/keep.tmp", "/app/sub/b.tmp"]


def test_include_narrows():
    rules = compiled(rule(include=("*.py", "lib"), ignore=("x.py",)))
    paths = [
        "/p/src/a.py",
        "/p/src/a.txt",
        "/p/src/x.py",
        "/p/src/lib/z",
        "/p/src/d/b.py",
        "/p/src",
    ]
    assert synced(rules, *paths) == ["/app/a.py", "/app/lib/z"]


def test_the_dockerignore_of_the_build_context_holds():
    rules = compiled(rule(), context="/p", ignored=("src/secret", "**/*.log"))
    assert synced(rules, "/p/src/secret", "/p/src/a/b.log", "/p/src/a") == ["/app/a"]


@pytest.mark.parametrize(
    "name",
    [
        ".git/HEAD", "sub/.git/index", ".a.py.swp", "a.py~", "4913", ".#a", "#a#", ".idea/w.xml",
        "x___jb_tmp___", "d/x-go-tmp-umask", ".a.kate-swp", ".a.swx",
    ],
)  # fmt: skip
def test_files_of_git_and_of_editors_are_ignored(name):
    assert synced(compiled(rule()), f"/p/src/{name}") == []


@pytest.mark.parametrize("name", [".gitignore", "a.swf", "foo.swp", "~a", "a#b", "49130", ".ideas"])
def test_similar_names_are_not(name):
    assert synced(compiled(rule()), f"/p/src/{name}") == [f"/app/{name}"]


def test_folders_in_which_everything_is_ignored_are_not_watched():
    rules = compiled(
        rule(ignore=("node_modules", "data", "!data/x")), context="/p", ignored=("src/log",)
    )
    assert rules.may_match_below("/p/src")
    assert rules.may_match_below("/p/src/lib")
    assert rules.may_match_below("/p/src/data")  # something in it is included again
    for folder in ("node_modules", "node_modules/a", ".git", "log"):
        assert not rules.may_match_below(f"/p/src/{folder}")
    assert not rules.may_match_below("/p")


def test_what_one_rule_ignores_another_may_watch():
    rules = compiled(rule(ignore=("lib",)), rule("/p/src/lib", action="restart"))
    assert rules.may_match_below("/p/src/lib")
    actions = rules.decide_actions(["/p/src/lib/a"])
    assert actions == Actions(restart=("web",))


def test_initial_syncs_are_of_rules_that_ask_for_them():
    rules = compiled(rule(initial_sync=True, ignore=("b",)), rule("/p/conf", target="/conf"))
    paths = ["/p/src/b", "/p/src/a", "/p/conf/c"]
    assert rules.initial_syncs(paths) == {"web": (Sync("/p/src/a", "/app/a"),)}
    assert rules.initial_syncs(paths, {"other"}) == {}


def test_relative_paths():
    assert relative_path("/a", "/a") == ""
    assert relative_path("/a", "/a/b") == "b"
    assert relative_path("/", "/a") == "a"
    assert relative_path("/a", "/ab") is None


def test_bind_mounts_see_changes_anyway():
    mounts = (Mount(type="bind", source="/p/src/", target="/x"), Mount(type="volume", target="/y"))
    service = Service(name="web", volumes=mounts)
    assert is_bind_mounted("/p/src/a", service)
    assert not is_bind_mounted("/p", service)


def project(**services):
    return Project(name="p", working_dir="/p", services=services)


def test_checks():
    rebuilt = Service(name="b", build=Build(), develop=(rule(action="rebuild"),))
    plain = Service(name="a", image="x")
    with pytest.raises(NothingToWatch, match="none of the selected services is configured for"):
        check_rules(project(a=plain))
    check_rules(project(a=plain, b=rebuilt))
    with pytest.raises(RebuildForbidden, match="--no-build is incompatible with watch action"):
        check_rules(project(b=rebuilt), no_build=True)
    unbuilt = Service(name="c", image="x", develop=(rule(action="rebuild"),))
    with pytest.raises(CannotRebuild, match='can\'t watch service "c" with action rebuild'):
        check_rules(project(c=unbuilt))


def test_what_is_watched_is_built_of_the_files_as_they_are_now():
    watched = Service(name="a", build=Build(), develop=(rule(),))
    services = with_builds(
        project(
            a=watched, b=Service(name="b", build=Build()), c=Service(name="c", develop=(rule(),))
        )
    ).services
    assert {name: each.pull_policy for name, each in services.items()} == {
        "a": "build", "b": "", "c": "",
    }  # fmt: skip
