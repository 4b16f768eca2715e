"""A missing env file stops only what creates containers of the service that needs it."""

from tests.scenarios.conftest import MakeProject


def test_services_without_their_env_file_stop_no_others(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(f"""
        x-common: &common
          image: {busybox_image}
          command: sleep 1000
          stop_signal: KILL
        services:
          whole: {{<<: *common}}
          lacking: {{<<: *common, env_file: missing.env}}
          dependent: {{<<: *common, depends_on: [lacking]}}
        """)
    project.up("whole")
    message = f"env file {project.folder}/missing.env not found"
    for words in (
        ["up", "-d"],
        ["up", "-d", "dependent"],
        ["create"],
        ["run", "--rm", "lacking", "true"],
        ["run", "--rm", "dependent", "true"],
        ["scale", "lacking=1"],
        ["config"],
        ["config", "--hash", "lacking"],
    ):
        refused = project.compose(*words)
        assert refused.returncode == 1, refused
        assert message in refused.stderr, refused
    assert list(project.states()) == [f"{project.name}-whole-1"]

    for words in (
        ["ps"], ["logs"], ["images"], ["top"], ["volumes"], ["exec", "-T", "whole", "true"],
        ["stop", "-t", "0"], ["start"], ["restart", "-t", "0"], ["pause"], ["unpause"], ["kill"],
        ["run", "--rm", "whole", "true"], ["run", "--rm", "--no-deps", "dependent", "true"],
        ["up", "-d", "--no-deps", "dependent"], ["scale", "whole=2"], ["config", "--services"],
        ["config", "--hash", "whole"], ["build"], ["rm", "-fs"], ["down", "-t", "0"],
    ):  # fmt: skip
        project.compose(*words).ok()

    project.write("missing.env", "WORD=there\n")
    project.up("lacking")
    assert project.exec("lacking", "sh", "-c", "echo $WORD").stdout == "there\n"
