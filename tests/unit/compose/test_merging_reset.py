"""`!reset` and `!override` across files."""

from pathlib import Path

from tests.unit.compose.world import rendered_service

FILES = {
    "compose.yaml": """
    services:
      a:
        image: i
        environment: {ONE: "1", TWO: "2"}
        labels: [one=1, two=2, three]
        depends_on: [b, c]
        extra_hosts: ["here:10.0.0.1", "there=10.0.0.2"]
        ports: ["80:80"]
      b: {image: i}
      c: {image: i}
    """,
    "more.yaml": "services: {a: {environment: {THREE: '3'}, labels: {four: '4'}, ports: ['81:81']}}",
    "less.yaml": """
    services:
      a:
        environment: {ONE: !reset null, THREE: !override other}
        labels: {one: !reset null, three: !reset null, four: !reset null, tw: !reset null}
        depends_on: {b: !reset null}
        extra_hosts: {here: !reset null, there: !reset null}
        ports: !override ["82:82"]
    """,
    "again.yaml": "services: {a: {environment: {ONE: new}, ports: !reset []}}",
}


def test_keys_are_removed_from_what_several_files_wrote(tmp_path: Path) -> None:
    names = ("compose.yaml", "more.yaml", "less.yaml")
    service = rendered_service(tmp_path, FILES, files=names)
    assert [port["published"] for port in service.pop("ports")] == ["82"]
    assert service.pop("depends_on").keys() == {"c"}
    assert service == {
        "image": "i",
        "environment": {"TWO": "2", "THREE": "other"},
        "labels": {"two": "2"},
    }


def test_a_later_file_may_set_again_what_was_removed(tmp_path: Path) -> None:
    service = rendered_service(tmp_path, FILES, files=tuple(FILES))
    assert service["environment"] == {"ONE": "new", "TWO": "2", "THREE": "other"}
    assert "ports" not in service
