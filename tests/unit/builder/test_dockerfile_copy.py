"""COPY and ADD to a step."""

from cntnr_compose.builder.dockerfile.steps import CopyStep, InlineFile
from tests.unit.builder.test_dockerfile_instructions import apply_body, work


def test_copy_takes_paths_from_the_root_of_the_context_to_the_working_directory() -> None:
    body = "WORKDIR /w\nENV d=sub o=me\nCOPY --chown=$o:7 --chmod=0640 ./a/../b /c/ ../../e ${d}/"
    assert apply_body(body)[1][1] == CopyStep(
        sources=("b", "c", "e"), target="/w/sub/", chown="me:7", chmod="0640"
    )
    assert work('COPY ["a b", "/c d"]') == CopyStep(sources=("a b",), target="/c d")
    assert work("COPY . .") == CopyStep(sources=(".",), target="/")


def test_copy_from_elsewhere() -> None:
    assert work("COPY --from=first --link --exclude=*.md --exclude=b a /") == CopyStep(
        sources=("a",), target="/", origin="stage:0", exclude=("*.md", "b")
    )
    assert work("COPY --from=busybox:1 a /").origin == "image:busybox:1"  # type: ignore[union-attr]
    assert work("COPY --from=lib a /", contexts=("lib",)).origin == "context:lib"  # type: ignore[union-attr]


def test_copied_texts_have_their_variables_filled_in_unless_quoted() -> None:
    body = "COPY <<a <<'b' /to/\n$G \"q\" 'it'\na\n$G\nb"
    assert work(f"ARG G\n{body}") == CopyStep(
        sources=(), target="/to/",
        texts=(InlineFile(name="a", content="global \"q\" 'it'\n"), InlineFile(name="b", content="$G\n")),
    )  # fmt: skip


def test_add_unpacks_and_downloads() -> None:
    url = "https://example.test/x.tgz"
    assert work(f"ADD --checksum=sha256:aa {url} b.tar /d/") == CopyStep(
        sources=("b.tar",), target="/d/", urls=(url,), checksum="sha256:aa", extract=True
    )
