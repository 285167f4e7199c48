"""`python -m services.reporting api | worker | rebuild | resend | dead-letters`."""

import sys

from infra.cli import main

if __name__ == "__main__":
    sys.exit(main("reporting"))
