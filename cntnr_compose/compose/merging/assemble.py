"""Add one compose file to the tree: interpolate, resolve `extends` and `include`, merge."""

from functools import partial

from cntnr_compose.compose.merging.extends import apply_extends
from cntnr_compose.compose.merging.layers import Layers


class FileLayers(Layers):
    """Layers that take whole files, with what these extend and include."""

    def add_file(self, file: str, included: tuple[str, ...] = ()) -> None:
        """Merge a file into the tree; ``included`` are the files whose `include` lead to it.

        Raises `ComposeFileInvalid` and the errors of files that it names.
        """
        for document in self.documents(file):
            source = self.context.source_text(file)
            tree = self.interpolate_document(document, source)
            if "services" in tree:
                step = partial(apply_extends, file, document.reset_paths, self)
                tree = self.run_pass(step, tree)
            if document.reset_paths:
                from cntnr_compose.compose.merging.reset import remove_paths

                remove_paths(self.tree, document.reset_paths)
            if tree.get("include") is not None:
                from cntnr_compose.compose.merging.include import apply_includes

                apply_includes(tree, self, (*included, file))
            tree.pop("include", None)
            self.source_map.add(source)
            self.add_tree(tree, file)
