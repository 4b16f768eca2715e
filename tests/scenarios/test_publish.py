"""`publish`: the files of a project as an OCI artifact, with docker compose's media types."""

import base64
import json

import pytest

from tests.scenarios.conftest import MakeProject
from tests.scenarios.lib import Project, User, assert_refused, wait_until
from tests.scenarios.registry import Registry

pytestmark = pytest.mark.usefixtures("busybox_image")

EMPTY = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
PLAIN = "services:\n  web:\n    image: busybox\n    command: echo ${WHO:-me}\n"


def contents(registry: Registry, repository: str, tag: str) -> dict[str, str]:
    """Return the published files by name."""
    layers = registry.manifest(repository, tag)["layers"]
    return {
        next(value for key, value in layer["annotations"].items() if key.endswith("file")):
        base64.b64decode(layer["data"]).decode()
        for layer in layers
    }  # fmt: skip


def answer(project: Project, text: str, *words: str) -> str:
    """Publish with an answer to the question; return the question."""
    ended = project.compose("publish", *words, stdin=text).ok()
    return ended.stderr


def test_compose_files_become_an_artifact(make_project: MakeProject, registry: Registry) -> None:
    project = make_project(PLAIN, files={"over.yaml": "services: {web: {hostname: h}}\n"})
    name = f"{registry.address}/app/plain"
    dry = project.compose("publish", "--dry-run", f"{name}:1").ok()
    assert f" DRY-RUN MODE -  {name}:1 published \n" in dry.stderr
    assert registry.tags("app/plain") == []

    ended = project.compose("-f", "compose.yaml", "-f", "over.yaml", "publish", f"{name}:1").ok()
    assert f" web Skipped \n {name}:1 publishing \n {name}:1 published \n" in ended.stderr
    manifest = registry.manifest("app/plain", "1")
    assert manifest["artifactType"] == "application/vnd.docker.compose.project"
    assert manifest["config"]["mediaType"] == "application/vnd.oci.empty.v1+json"
    assert manifest["config"]["digest"] == EMPTY
    assert {one["mediaType"] for one in manifest["layers"]} == {
        "application/vnd.docker.compose.file+yaml"
    }
    assert contents(registry, "app/plain", "1") == {
        "compose.yaml": PLAIN, "over.yaml": "services: {web: {hostname: h}}\n",
    }  # fmt: skip

    project.compose("-f", "-", "publish", "-y", f"{name}:stdin", stdin=PLAIN).ok()
    assert contents(registry, "app/plain", "stdin") == {"compose.yaml": PLAIN}
    project.compose("publish", "--oci-version", "1.0", "--insecure-registry", name).ok()
    old = registry.manifest("app/plain", "latest")
    assert "artifactType" not in old
    assert old["config"]["mediaType"] == "application/vnd.docker.compose.config.empty.v1+json"
    assert_refused(
        project.compose("publish", "--oci-version", "2.0", name), "unsupported OCI version: 2.0"
    )
    assert_refused(project.compose("publish", f"{name}/BAD"), "it must be lower case")
    assert_refused(
        project.compose("publish", "127.0.0.1:1/app"), "cannot push image 127.0.0.1:1/app"
    )


def test_what_files_refer_to_goes_with_them(make_project: MakeProject, registry: Registry) -> None:
    project = make_project(
        "services:\n  web: {env_file: ['e.env'], extends: {file: base/b.yaml, service: b}}\n",
        files={
            "e.env": "K=v\n",
            "base/b.yaml": "services: {b: {image: busybox, extends: {file: c.yaml, service: c}}}\n",
            "base/c.yaml": "services: {c: {hostname: h}}\n",
        },
    )
    name = f"{registry.address}/app/parts:1"
    refused = project.compose("publish", name)
    assert_refused(
        refused,
        'service "web" has env_file declared.',
        "environment variable(s) declared",
        "--with-env",
    )
    question = answer(project, "n\n", "--with-env", name)
    assert (
        "Service/Config  web\nK=v\nAre you ok to publish these environment variables?" in question
    )
    assert registry.tags("app/parts") == []
    answer(project, "y\n", "--with-env", name)
    files = contents(registry, "app/parts", "1")
    layers = registry.manifest("app/parts", "1")["layers"]
    extended = [one for one in layers if "com.docker.compose.extends" in one["annotations"]]
    assert len(extended) == 2
    assert layers[-1]["mediaType"] == "application/vnd.docker.compose.envfile"
    [env_name] = [key for key in files if key.endswith(".env")]
    b_name, c_name = (one["annotations"]["com.docker.compose.file"] for one in extended)
    assert files["compose.yaml"] == (
        f"services:\n  web: {{env_file: ['{env_name}'], extends: {{file: {b_name}, service: b}}}}\n"
    )
    assert f"extends: {{file: {c_name}, service: c}}" in files[b_name]
    assert files[env_name] == "K=v\n"


def test_what_others_had_better_not_see_is_asked(
    make_project: MakeProject, registry: Registry
) -> None:
    project = make_project(
        "services:\n  web: {image: busybox, volumes: ['./data:/data:ro', 'v:/v2']}\nvolumes: {v: }\n",
        files={
            "secret.yaml": "services: {web: {image: busybox, environment: {DB_PASSWORD: hunter2, X: 1}}}\n",
            "build.yaml": "services: {web: {build: .}}\n",
            "include.yaml": "include: [secret.yaml]\n",
        },
    )
    name = f"{registry.address}/app/asked:1"
    question = answer(project, "n\n", name)
    assert (
        f"web\n{project.folder}/data:/data:ro\nAre you ok to publish these bind mount" in question
    )
    assert registry.tags("app/asked") == []
    asked = project.compose("-f", "secret.yaml", "publish", "--with-env", name, stdin="n\n").ok()
    assert 'Keyword Detector\n"services.web.environment.DB_PASSWORD": hunt…\n' in asked.stderr
    assert "hunter2" not in asked.stderr
    assert registry.tags("app/asked") == []
    project.compose("-f", "secret.yaml", "publish", "-y", name).ok()
    assert registry.tags("app/asked") == ["1"]
    project.compose("publish", "--yes", name).ok()
    assert_refused(
        project.compose("-f", "build.yaml", "publish", name),
        'it only contains a build section for service(s):\n- "web"',
    )
    assert_refused(
        project.compose("-f", "include.yaml", "publish", name),
        "cannot publish compose file with local includes",
    )


def test_images_are_named_by_digest_and_go_along(
    make_project: MakeProject, registry: Registry, user: User
) -> None:
    image = f"{registry.address}/app/image:1"
    project = make_project(
        f"services:\n  web:\n    image: {image}\n"
        "    build: {context: ., dockerfile_inline: FROM busybox}\n"
    )
    project.compose("build").ok()
    name = f"{registry.address}/app/pinned"
    project.compose("publish", "-y", "--resolve-image-digests", f"{name}:1").ok()
    assert registry.tags("app/image") == ["1"]  # it was built, so it was pushed
    pinned = contents(registry, "app/pinned", "1")["image-digests.yaml"]
    assert f"image: {image}@sha256:" in pinned

    project.compose("publish", "-y", "--app", f"{name}:2").ok()
    digest = user.run(
        "skopeo", "--insecure-policy", "inspect", "--raw", "--tls-verify=false", f"docker://{name}:2"
    ).ok().stdout  # fmt: skip
    assert "image-digests.yaml" in digest
    index = json.loads((user.data / "images/index.json").read_text())
    manifests = [
        entry["digest"] for entry in index["manifests"]
        if entry["annotations"].get("org.opencontainers.image.ref.name") == image
    ]  # fmt: skip
    # The image can be had from the repository of the artifact.
    user.run(
        "skopeo", "--insecure-policy", "inspect", "--tls-verify=false", f"docker://{name}@{manifests[0]}"
    ).ok()  # fmt: skip


def test_the_experimental_name_works_too(make_project: MakeProject, registry: Registry) -> None:
    project = make_project(PLAIN)
    name = f"{registry.address}/app/alpha:1"
    words = ("--app", "--with-env", "--resolve-image-digests", "--oci-version", "1.1", "--yes")
    project.compose("alpha", "publish", "--dry-run", *words, name).ok()
    assert registry.tags("app/alpha") == []
    project.compose("alpha", "publish", name).ok()
    assert contents(registry, "app/alpha", "1") == {"compose.yaml": PLAIN}


def test_a_published_project_is_read_and_brought_up(
    make_project: MakeProject, registry: Registry, user: User
) -> None:
    source = make_project(
        "services:\n"
        "  web:\n    env_file: e.env\n    extends: {file: base.yaml, service: b}\n"
        "    command: sh -c 'echo $$K $$WHO; sleep 1000'\n    stop_signal: KILL\n"
        "    environment: {WHO: '${WHO:-me}'}\n    volumes: ['./seen:/seen']\n",
        files={
            "e.env": "K=v\n",
            "base.yaml": "services: {b: {image: busybox}}\n",
            "over.yaml": "services: {web: {hostname: h}}\n",
        },
    )
    name = f"{registry.address}/app/whole:1"
    source.compose(
        "-f", "compose.yaml", "-f", "over.yaml", "publish", "-y", "--with-env", name
    ).ok()

    target = make_project(
        f"include: ['oci://{name}']\nservices: {{mine: {{image: busybox}}}}\n",
        files={
            "extends.yaml": f"services: {{e: {{extends: {{file: 'oci://{name}', service: web}}}}}}\n"
        },
    )
    remote = ("-f", f"oci://{name}")
    config = target.compose(*remote, "config", "--format", "json").ok().json
    web = config["services"]["web"]
    assert config["name"] == target.name  # of the current directory, as in docker compose
    assert (web["image"], web["hostname"]) == ("busybox", "h")
    assert web["environment"] == {"K": "v", "WHO": "me"}
    assert web["volumes"][0]["source"].startswith(f"{user.data}/artifacts/")
    told = target.compose(*remote, "up", "-d", env={"WHO": "you"}).ok().stderr
    assert f'Your compose stack is stored in \\"{user.data}/artifacts/' in told
    assert 'it reads these variables from here: WHO"' in told
    wait_until(lambda: "v you" in target.compose(*remote, "logs").ok().stdout)
    assert [
        row["Service"] for row in target.compose(*remote, "ps", "--format", "json").ok().json_lines
    ] == ["web"]
    target.compose(*remote, "down", "-t", "0").ok()

    assert target.compose("config", "--services").ok().stdout.split() == ["mine", "web"]
    extended = target.compose("-f", "extends.yaml", "config", "--format", "json").ok().json
    assert extended["services"]["e"]["environment"]["K"] == "v"

    missing = target.compose("-f", f"oci://{registry.address}/app/nothing", "config")
    assert_refused(missing, "cannot get image", "app/nothing")
    image = target.compose("-f", f"oci://{registry.address}/library/busybox", "config")
    assert_refused(image, "is not a published Compose project: it is something else")
