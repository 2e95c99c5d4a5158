"""What all of our own tests share."""

import os

# Many tests start processes of ours. Where the environment forbids compiled modules beside the sources, each of them
# would compile everything again, which takes longer than what it is started for. Git ignores what is compiled; a
# folder elsewhere would leave what pip has compiled unused, and every library would be compiled once more.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
