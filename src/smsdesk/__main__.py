"""`smsdesk` and `python -m smsdesk`: the command line."""

from smsdesk.cli.app import app


def main() -> None:
    """Runs the command that was typed."""
    app()


if __name__ == "__main__":
    main()
