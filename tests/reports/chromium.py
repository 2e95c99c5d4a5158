"""A page in headless Chromium: what it shows, what it asks of the network, what it says on its console.

The DevTools protocol over two pipes, messages of JSON that end in a zero byte; no library, nothing listens.
"""

import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
DEADLINE_S = 60.0  # of one answer; a loaded machine starts Chromium in tens of seconds
# Chromium wants its pipes at 3 and 4
_AT_3_AND_4 = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.dup2(int(sys.argv[2]), 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


def find():
    """Return the path of a Chromium, or None."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Chromium:
    """One page of one browser; leave it to end both."""

    def __init__(self, command):
        self._home = tempfile.TemporaryDirectory(prefix="hil-chromium-", ignore_cleanup_errors=True)
        theirs_in, self._to = os.pipe()
        self._from, theirs_out = os.pipe()
        flags = (
            "--headless=new",
            "--no-sandbox",  # tests of a container run as root
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--host-resolver-rules=MAP * ~NOTFOUND",  # a page that asks the network is found out, and gets nothing
            f"--user-data-dir={self._home.name}",
            "--remote-debugging-pipe",
        )
        # two digits or more, so that moving one pipe to its place does not close the other
        high = [os.dup(one) for one in (theirs_in, theirs_out)]
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-c", _AT_3_AND_4, *map(str, high), command, *flags, "about:blank"],
            pass_fds=high,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for one in (theirs_in, theirs_out, *high):
            os.close(one)
        self._number, self._rest, self._session, self._events = 0, b"", None, []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")
        self.ask("Emulation.setDeviceMetricsOverride", width=1400, height=1000, deviceScaleFactor=1, mobile=False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait(DEADLINE_S)
        os.close(self._to)
        os.close(self._from)
        self._home.cleanup()

    def ask(self, method, **params):
        """Send one message and return its answer; what happens meanwhile is kept."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while (answer := self._read()).get("id") != self._number:
            self._events.append(answer)
        assert "error" not in answer, answer
        return answer["result"]

    def _read(self):
        while b"\0" not in self._rest:
            assert select.select([self._from], [], [], DEADLINE_S)[0], "Chromium does not answer"
            piece = os.read(self._from, 1 << 20)
            assert piece, "Chromium has ended"
            self._rest += piece
        message, _, self._rest = self._rest.partition(b"\0")
        return json.loads(message)

    def open(self, url):
        """Go to an address."""
        self.ask("Page.navigate", url=url)

    def script(self, text):
        """Return the value of an expression in the page."""
        answer = self.ask("Runtime.evaluate", expression=text, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait_for(self, text):
        """Wait until the page shows text, and return all that it shows."""
        end_s = time.monotonic() + DEADLINE_S
        while text not in (shown := self.script("document.body ? document.body.innerText : ''")):
            assert time.monotonic() < end_s, f"no {text!r} in: {shown[:2000]}"
            time.sleep(0.05)
        return shown

    def click(self, selector):
        """Click the first element that the selector finds, once it is there."""
        end_s = time.monotonic() + DEADLINE_S
        find = f"document.querySelector({json.dumps(selector)})"
        while not self.script(f"Boolean({find})"):
            assert time.monotonic() < end_s, f"no {selector}"
            time.sleep(0.05)
        self.script(f"{find}.click()")

    def trouble(self):
        """Return the addresses asked for that are no file and no data, and every error of the console."""
        found = []
        for one in self._events:
            method, params = one.get("method"), one.get("params", {})
            if method == "Network.requestWillBeSent":
                url = params["request"]["url"]
                found += [url] if not url.startswith(("file:", "data:", "blob:", "about:")) else []
            elif method == "Network.webSocketCreated":
                found.append(params["url"])
            elif method == "Runtime.exceptionThrown":
                found.append(params["exceptionDetails"]["text"] + json.dumps(params["exceptionDetails"])[:4000])
            elif method == "Runtime.consoleAPICalled" and params["type"] in {"error", "assert", "warning"}:
                found.append(json.dumps(params["args"])[:500])
            elif method == "Log.entryAdded" and params["entry"]["level"] in {"error", "warning"}:
                found.append(params["entry"]["text"])
        return found
