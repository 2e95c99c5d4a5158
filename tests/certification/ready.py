"""What every certification imports, for the process from which they are forked; nothing of it is run here."""

import GTC  # noqa: F401
import jinja2  # noqa: F401
import pydantic  # noqa: F401
import pytest  # noqa: F401
import pyvisa  # noqa: F401
import scipy.stats  # noqa: F401
