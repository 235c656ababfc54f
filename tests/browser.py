"""A headless Chromium that opens a page and tells what a person would read of it.

It speaks the DevTools protocol over websockets, which Airflow brings along, so that any Chromium or
Chrome of the machine will do, without a driver of just its version.
"""

import base64
import itertools
import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
START_S, WAIT_S = 60.0, 60.0
FLAGS = (
    "--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars", "--remote-debugging-port=0", "--window-size=1280,1000",
    # As root, in a container, there is no sandbox to be had; the pages are ours.
    "--no-sandbox",
)  # fmt: skip


def chromium() -> str:
    """Return the browser; skip the test where there is none."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip("no Chromium is on PATH: apt install chromium, then make browser-test")
    return found


class Page:
    """One tab."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket, self._numbers = socket, itertools.count(1)
        self.said: list[str] = []
        """What scripts wrote to the console or opened as a dialog, and errors that they raised."""
        self.asked: list[str] = []
        """Every address that was asked for."""
        for domain in ("Page", "Runtime", "Network"):
            self._call(f"{domain}.enable")

    def open(self, address: str | Path) -> None:
        """Go to an address, or a file, and wait until it is loaded."""
        url = address.as_uri() if isinstance(address, Path) else address
        failed = self._call("Page.navigate", url=url).get("errorText")
        assert not failed, f"{url}: {failed}"
        self.until("document.readyState == 'complete'", f"{url} to be loaded")

    def run(self, script: str) -> Any:
        """Return the value of a JavaScript expression."""
        told = self._call("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in told, told["exceptionDetails"]
        return told["result"].get("value")

    def until(self, script: str, what: str, patience_s: float = WAIT_S) -> None:
        """Wait until an expression is true."""
        deadline = time.monotonic() + patience_s
        while not self.run(script):
            assert time.monotonic() < deadline, f"waited in vain for {what}; there is: {self.text}"
            time.sleep(0.2)

    @property
    def text(self) -> str:
        """What a person reads: the text that is shown, one line for each on the screen."""
        return self.run("document.body.innerText")

    def texts(self, selector: str) -> list[str]:
        """Return what is shown of each element that a CSS selector finds."""
        found = f"[...document.querySelectorAll({json.dumps(selector)})]"
        return self.run(f"{found}.map(one => one.innerText.trim())")

    def picture(self, path: Path) -> None:
        """Write the whole page as PNG, for a person who wants to see what a test saw."""
        shot = self._call("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    def _call(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            told = json.loads(self._socket.recv(timeout=WAIT_S))
            if told.get("id") == number:
                assert "error" not in told, f"{method}: {told['error']}"
                return told["result"]
            self._note(told)

    def _note(self, told: dict[str, Any]) -> None:
        about = told.get("params", {})
        match told.get("method"):
            case "Network.requestWillBeSent":
                self.asked.append(about["request"]["url"])
            case "Runtime.consoleAPICalled" | "Runtime.exceptionThrown":
                self.said.append(json.dumps(about))
            case "Page.javascriptDialogOpening":
                self.said.append(about["message"])
                number = next(self._numbers)
                close = {"id": number, "method": "Page.handleJavaScriptDialog"}
                self._socket.send(json.dumps(close | {"params": {"accept": False}}))


@contextmanager
def browser(folder: Path) -> Iterator[Page]:
    """Give a tab of a browser whose profile is a folder; end the browser after it."""
    command = [chromium(), *FLAGS, f"--user-data-dir={folder}", "about:blank"]
    with (folder.parent / f"{folder.name}.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        with connect(_tab(folder, process), max_size=None, open_timeout=START_S) as socket:
            yield Page(socket)
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        process.wait()


def _tab(folder: Path, process: subprocess.Popen) -> str:
    """Return the address of the first tab, once the browser has told its port."""
    told, deadline = folder / "DevToolsActivePort", time.monotonic() + START_S
    while not (told.exists() and told.read_text().count("\n")):
        assert process.poll() is None, f"Chromium ended: {folder}.log"
        assert time.monotonic() < deadline, f"Chromium told no port: {folder}.log"
        time.sleep(0.1)
    port = told.read_text().splitlines()[0]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=START_S) as answer:
        return next(t for t in json.load(answer) if t["type"] == "page")["webSocketDebuggerUrl"]
