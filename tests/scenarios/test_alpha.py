"""`alpha generate` prints a file that makes containers as those that exist; `alpha viz` draws a project."""

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import free_port

TEXT = """
services:
  web:
    image: {image}
    command: sh -c "echo $$A > /data/a; sleep 1000"
    environment: {{A: b}}
    hostname: h
    stop_signal: KILL
    networks: {{front: {{aliases: [www]}}}}
    ports: ["127.0.0.1:{port}:80"]
    volumes: [data:/data, ./src:/src:ro]
    depends_on: [db]
    scale: 2
  db: {{image: {image}, command: sleep 1000, stop_signal: KILL, network_mode: none}}
networks: {{front: {{}}}}
volumes: {{data: {{}}}}
"""


def test_a_file_of_containers_makes_such_containers(
    make_project: MakeProject, busybox_image: str
) -> None:
    port = free_port()
    text = TEXT.format(image=busybox_image, port=port)
    project = make_project(text.replace("scale: 2", "scale: 1"), files={"src/a": ""})
    project.up()
    names = sorted(project.states())
    shown = project.compose("alpha", "generate", "--name", "again", *names).ok()
    assert shown.stderr == "generate command is EXPERIMENTAL\n"
    ids = [row["ID"][:12] for row in project.ps()]
    made = project.compose("alpha", "generate", "--format", "json", *ids).ok().json
    web = made["services"]["web"]
    assert web["image"] == busybox_image
    assert web["environment"] == {"A": "b"}
    assert web["ports"][0]["published"] == str(port)
    assert [it["source"] for it in web["volumes"]] == [
        f"{project.name}_data",
        str(project.folder / "src"),
    ]
    assert list(made["volumes"]) == [f"{project.name}_data"]
    folder = str(project.folder)
    relative = project.compose("alpha", "generate", "--project-dir", folder, names[1]).ok().stdout
    assert "source: ./src\n" in relative
    project.down()
    other = make_project(files={"again.yaml": shown.stdout})
    other.compose("-f", "again.yaml", "up", "-d").ok()
    try:
        named = other.compose("-p", "again", "ps", "--format", "json").ok().json_lines
        assert sorted(row["Service"] for row in named) == ["db", "web"]
        asked = other.compose("-p", "again", "exec", "-T", "web", "cat", "/data/a", "/etc/hostname")
        assert asked.ok().stdout == "b\nh\n"
    finally:
        other.compose("-p", "again", "down", "-v", "-t", "0").ok()


def test_mistakes_of_generate_are_told(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(TEXT.format(image=busybox_image, port=80))
    for words, sentence in (
        ((), "at least one container must be specified"),
        (("nothing",), "no container(s) found with the following name(s): nothing"),
        (("--format", "xml", "a"), 'unsupported format "xml"'),
    ):
        ran = project.compose("alpha", "--dry-run", "generate", *words)
        assert ran.returncode == 1
        assert sentence in ran.stderr


def test_the_services_of_a_project_are_drawn(make_project: MakeProject, busybox_image: str) -> None:
    project = make_project(TEXT.format(image=busybox_image, port=8080))
    bare = project.compose("alpha", "viz", "--dry-run").ok().stdout
    assert '\t"web" -> "db";\n' in bare
    assert "Networks:" not in bare
    shown = project.compose(
        "alpha", "viz", "--image", "--networks", "--ports", "--spaces", "--indentation-size", "2"
    ).ok()
    assert "<b>Networks:</b><br/>front</font>" in shown.stdout
    assert "<br/>127.0.0.1:8080:80 (tcp, ingress)</font>" in shown.stdout
    assert f"<b>Image:</b><br/>{busybox_image}</font>" in shown.stdout
    assert '\n  "web" -> "db";\n' in shown.stdout
