"""`smsdesk` and `python -m smsdesk`: the command line."""

from smsdesk.cli.app import main

if __name__ == "__main__":
    main()
