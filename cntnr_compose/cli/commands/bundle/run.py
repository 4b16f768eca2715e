"""`cntnr bundle run`: run a bundle in the foreground, also one that others made."""

from cntnr_compose.cli.parser.options import argument, command, flag, option


@command("BUNDLE", of_project=False)
@argument("bundle", metavar="BUNDLE")
@flag("-i", "--interactive", help="Pass standard input on to it.")
@option("--name", metavar="ID", help="Id of the container, instead of the bundle's name.")
@flag("--no-new-keyring", help="Let it have the session's keyring.")
@flag("--no-pivot", help="Change its root by chroot, for a machine whose root is a ramdisk.")
@option("--runtime", metavar="RUNTIME", help="runc, crun, or the path of one of them.")
def run(
    bundle: str,
    *,
    interactive: bool,
    name: str | None,
    no_new_keyring: bool,
    no_pivot: bool,
    runtime: str | None,
) -> int:
    """Run a bundle, by name or folder, to its end.

    The exit code is that of its program; 127 where that does not exist, 126 where it cannot be executed, 125
    where it was not started for another reason. What a bundle of somebody else asks
    for and an ordinary user may not do is left out, and told. Its mounts and hooks have your rights.
    """
    from cntnr_compose.cli.flows.bundles.run import BundleRunOptions, run_bundle

    options = BundleRunOptions(
        interactive=interactive,
        container=name or "",
        runtime=runtime or "",
        no_new_keyring=no_new_keyring,
        no_pivot=no_pivot,
    )
    return run_bundle(bundle, options)
