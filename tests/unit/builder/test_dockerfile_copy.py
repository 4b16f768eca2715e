"""COPY and ADD to a step."""

from cntnr_compose.builder.dockerfile.steps import CopyStep, InlineFile
from cntnr_compose.builder.dockerfile.values.git_url import GitSource
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
        sources=("a",), target="/", origin="stage:0", exclude=("*.md", "b"), link=True
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
    url, digest = "https://example.test/x.tgz", f"sha256:{'a' * 64}"
    assert work(f"ADD {url} b.tar /d/") == CopyStep(
        sources=("b.tar",), target="/d/", urls=(url,), extract=True
    )
    assert work(f"ARG C={digest}\nADD --checksum=$C --unpack {url} /d/") == CopyStep(
        sources=(), target="/d/", urls=(url,), checksum=digest, extract=True, extract_urls=True
    )
    assert work("ADD --unpack=false b.tar /d/") == CopyStep(sources=("b.tar",), target="/d/")


def test_add_takes_trees_of_git() -> None:
    step = work("ADD --keep-git-dir --checksum=abcdef1 https://h.test/r.git?branch=b#:sub /d")
    source = GitSource(
        remote="https://h.test/r.git",
        ref="refs/heads/b",
        subdir="sub",
        checksum="abcdef1",
        keep_git_dir=True,
    )
    assert step == CopyStep(sources=(), target="/d", git=(source,), extract=True)
    short = work("ADD git@h.test:r.git /d")
    assert short == CopyStep(
        sources=(),
        target="/d",
        git=(GitSource(remote="git@h.test:r.git", keep_git_dir=False),),
        extract=True,
    )


def test_with_parents_a_source_has_a_pivot() -> None:
    assert work("COPY --parents a/b c/./d/*/e ./f/. /g") == CopyStep(
        sources=("././a/b", "c/./d/*/e", "././f"), target="/g/", parents=True
    )


def test_modes_are_octal_or_symbolic_and_may_be_a_variable() -> None:
    assert work("ARG M=u=rwX,go=rX\nCOPY --chmod=$M --link a b") == CopyStep(
        sources=("a",), target="/b", chmod="u=rwX,go=rX"
    )
