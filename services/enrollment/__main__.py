"""`python -m services.enrollment api | worker | rebuild | resend | dead-letters`."""

import sys

from infra.cli import main

sys.exit(main("enrollment"))
