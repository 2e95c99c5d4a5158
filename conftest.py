"""Make a plain `pytest` in the checkout work, installed or not.

Where hil is installed its entry point has loaded the plugin already, under this very name, and pytest does not
load it again.
"""

pytest_plugins = ["hil.plugin"]
