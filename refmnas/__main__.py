"""`python -m refmnas` is the program `refmnas`."""

import sys

from .cli import main

sys.exit(main())
