"""A hook that fails: the error has the end of what it wrote."""

from tests.scenarios.conftest import MakeProject


def test_the_error_of_a_hook_has_its_last_lines(
    make_project: MakeProject, busybox_image: str
) -> None:
    project = make_project(f"""
        x-common: &common
          image: {busybox_image}
          command: sleep 1000
          stop_signal: KILL
        services:
          starts:
            <<: *common
            post_start:
              - command: sh -c 'seq 1 5; echo no database >&2; exit 3'
          much:
            <<: *common
            post_start:
              - command: sh -c 'head -c 3000000 /dev/zero | tr "\\0" x; echo; echo the end; exit 4'
          stops:
            <<: *common
            pre_stop:
              - command: sh -c 'echo cannot flush; test -e /tmp/ok'
        """)
    failed = project.compose("up", "-d", "starts")
    assert failed.returncode == 1
    container = f"container {project.name}-starts-1"
    assert (
        f"post_start hook of {container} exited with code 3: 4 / 5 / no database" in failed.stderr
    )
    failed = project.compose("up", "-d", "much")
    assert failed.returncode == 1
    error = next(line for line in failed.stderr.splitlines() if line.startswith("error: "))
    assert error.endswith("x / the end")
    assert len(error) < 1500

    project.up("stops")
    failed = project.compose("stop", "stops")
    assert failed.returncode == 1
    assert "exited with code 1: cannot flush" in failed.stderr
    project.exec("stops", "touch", "/tmp/ok").ok()
