"""`python -m services.sessions api | worker | rebuild | resend | dead-letters`."""

import sys

from infra.cli import main

sys.exit(main("sessions"))
