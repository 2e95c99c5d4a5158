"""What all of our own tests share."""

import os
import tempfile
from pathlib import Path

# Many tests start processes of ours. Where the environment forbids compiled modules beside the sources, each of them
# would compile everything again, which takes longer than what it is started for.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
os.environ.setdefault("PYTHONPYCACHEPREFIX", str(Path(tempfile.gettempdir()) / f"hil-tests-compiled-{os.getuid()}"))
