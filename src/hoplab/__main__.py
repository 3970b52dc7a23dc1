"""Where the command begins: signals are taken before anything that takes long to import."""

from hoplab.system import interrupts


def main() -> None:
    """The console script."""
    interrupts.install()
    from hoplab import cli  # noqa: PLC0415 - after the line above, on purpose

    cli.main()


if __name__ == "__main__":
    main()
