"""`python -m services.notifications api | worker | resend | rebuild | dead-letters`."""

import sys

from infra.cli import main

if __name__ == "__main__":
    sys.exit(main("notifications"))
