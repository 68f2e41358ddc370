"""The command with traces on, as an operator runs it, and off."""

import asyncio
import json
import os
import signal
import subprocess
import sys

from tests.collector import Collector
from tests.forwarding.emails import DRAFT, write
from tests.raw import ask
from tests.recording import recording
from tests.test_commands import START


async def test_the_standard_variables_are_heeded(collector: Collector) -> None:
    """Name, attributes and headers for the collector come from OTEL_…; what waits is sent at the end."""
    environ = os.environ | {
        "CLOSE_GATEWAY_TRACES__ENDPOINT": collector.endpoint,
        "CLOSE_GATEWAY_LISTENER__LISTEN": "127.0.0.1:0",
        "CLOSE_GATEWAY_ADMIN__LISTEN": "off",
        "CLOSE_GATEWAY_REJECTIONS__STORE": "off",
        "OTEL_SERVICE_NAME": "our-gateway",
        "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test,service.version=7",
        "OTEL_EXPORTER_OTLP_HEADERS": "x-api-key=canary",
    }
    async with recording() as upstream:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "gateway", "serve", "--upstream", upstream.url),
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        try:
            assert process.stdout is not None
            assert process.stderr is not None
            line = await asyncio.wait_for(process.stdout.readline(), START)
            assert line, await process.stderr.read()
            started = json.loads(line)
            port = int(started["listen"].rpartition(":")[2])
            assert started["traces"] == collector.endpoint
            assert (await ask(port, write(DRAFT))).status == 200
            process.send_signal(signal.SIGTERM)
            out, err = await asyncio.wait_for(process.communicate(), START)
        finally:
            if process.returncode is None:
                process.kill()
    assert (process.returncode, err) == (0, b"")
    assert b"canary" not in out
    resource = collector.spans[0].resource
    assert (resource["service.name"], resource["service.version"]) == ("our-gateway", "7")
    assert resource["deployment.environment.name"] == "test"
    assert resource["service.instance.id"]
    assert collector.headers[0]["x-api-key"] == "canary"


def test_off_imports_nothing_of_it() -> None:
    """The start is as quick as it was: neither OpenTelemetry nor what it sends by is loaded."""
    program = (
        "import asyncio, sys\n"
        "from gateway.app import Gateway\n"
        "from gateway.config.settings import RejectionsSettings, Settings\n"
        "from gateway.log import make_log\n"
        "async def main():\n"
        "    Gateway(Settings(rejections=RejectionsSettings(store=None)), make_log('error', console=False))\n"
        "asyncio.run(main())\n"
        "print(sorted({'opentelemetry', 'requests', 'urllib3'} & {name.partition('.')[0] for name in sys.modules}))\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603 - ours
    assert ran.stdout == "[]\n"
