"""Builds every part from the settings and joins them; alone in knowing them all."""

import asyncio
import platform
import signal
import sys
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from structlog.typing import FilteringBoundLogger

from gateway import __version__, systemd
from gateway.access_log import access_log
from gateway.admin.access import Access
from gateway.admin.answers import Handler
from gateway.admin.health import health, readiness
from gateway.admin.metrics import metrics
from gateway.admin.news import News
from gateway.admin.rejections import RejectionsApi, switched_off
from gateway.admin.server import AdminServer
from gateway.config.fingerprint import fingerprint_key
from gateway.config.reach import Reach
from gateway.config.settings import Address, LogFormat, Mode, Settings
from gateway.config.token import admin_token
from gateway.console.routes import routes as console
from gateway.dispatcher import Dispatcher
from gateway.errors import GatewayError, PortTaken
from gateway.exchange import Downstream, Exchange
from gateway.forwarder import Forwarder
from gateway.interceptor import Interceptor
from gateway.listener import Listener
from gateway.log import make_log
from gateway.lookups.breaker import Breaker
from gateway.lookups.cache import IdentityCache
from gateway.lookups.client import Kind, LookupClient
from gateway.lookups.identity import Identities
from gateway.lookups.stored_email import StoredEmails
from gateway.meters import Meters, Snapshot, only
from gateway.outgoing import Rounds
from gateway.proxies import TrustedProxies
from gateway.rejections.reader import AsyncReader, Reader
from gateway.rejections.recorder import Recorder, StoreState
from gateway.rejections.store import Store
from gateway.rejections.writer import StoreStatus
from gateway.systemd import NOTHING_HANDED, Handed, HandedAmiss
from gateway.upstream.pool import Origin, Pool, tls_context
from gateway.vitals import vitals


class Gateway:
    """A gateway that can be started and stopped. It belongs to the event loop that it is made in.

    `listen` and `admin` tell the addresses in force once it is started.
    """

    def __init__(self, settings: Settings, log: FilteringBoundLogger) -> None:
        self._settings = settings
        self._log = log
        rounds = Rounds(asyncio.get_running_loop())
        self._pool = _pool(settings, rounds)
        self._meters = Meters()
        self._stopping = False
        self.listen = settings.listener.listen
        self.admin = settings.admin.listen
        self._lookups = _lookup_client(settings, self._pool, self._meters)
        identity, pause = settings.identity, settings.lookups.breaker_pause
        cache = IdentityCache(identity.ttl, identity.max_entries, pause)
        self._identities = Identities(self._lookups, cache, self._meters)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="large-bodies")  # starts with the first of them
        store = None if settings.rejections.store is None else Store(settings.rejections.store)
        self._recorder = None if store is None else _recorder(settings, store, log)
        self._reader = None if store is None or self.admin is None else AsyncReader(Reader(store))
        self._news = None if self._reader is None else News(self._reader)
        dispatcher = self._dispatcher()
        on_end = access_log(log) if settings.log.access else None
        trusted = settings.listener.trusted_proxies
        proxies = TrustedProxies(trusted) if trusted else None
        key = fingerprint_key(settings)
        downstream = Downstream(key, self._meters, proxies, on_end=on_end, on_fault=dispatcher.fault)
        self._listener = Listener(dispatcher.dispatch, settings.listener, downstream, rounds, log)
        self._admin = _admin_server(settings, self._admin_routes(), log)

    def _dispatcher(self) -> Dispatcher:
        """Join the parts that a request goes by."""
        settings = self._settings

        def forget(exchange: Exchange) -> None:
            if exchange.credentials is not None:
                self._identities.forget(exchange.credentials)

        forwarder = Forwarder(self._pool, self._log, forwarded=settings.upstream.forwarded, on_unauthorized=forget)
        if settings.inspect.mode is Mode.OFF:
            return Dispatcher(forwarder, None, self._log)
        interceptor = Interceptor(
            settings.inspect,
            forwarder,
            self._identities,
            StoredEmails(self._lookups),
            self._log,
            self._meters,
            self._recorder,
            self._thread,
            mark=settings.answer.mark,
        )
        return Dispatcher(forwarder, interceptor, self._log)

    def _admin_routes(self) -> Mapping[str, Handler]:
        """Join what the admin listener serves."""
        state = None if self._recorder is None else self._recorder.state
        admin = self._settings.admin
        routes = {
            "/healthz": health(self.counts),
            "/readyz": readiness(lambda: self._stopping, state),
            "/metrics": metrics(self._snapshot),
            **console(lambda: self.reach, login=admin.token is not None or admin.token_file is not None),
        }
        if self._reader is None or self._news is None or state is None:
            return {**routes, **switched_off()}
        api = RejectionsApi(self._reader, self._news, self.counts, state, lambda: self.reach)
        return {**routes, **api.routes()}

    @property
    def reach(self) -> Reach:
        """How clients reach it."""
        return Reach(self.listen, tls=self._settings.listener.tls_certificate is not None)

    @property
    def counts(self) -> Counter[str]:
        """What was done with intercepted requests."""
        return self._meters.counts

    async def _snapshot(self) -> Snapshot:
        return self.snapshot()

    def snapshot(self) -> Snapshot:
        """Read everything that is counted or measured."""
        pool, listener = self._pool, self._listener
        return {
            **self._meters.snapshot(),
            "identity_cache_entries": only(len(self._identities)),
            "upstream_connections": {
                ("idle",): pool.idle,
                ("busy",): pool.open - pool.idle,
                ("opening",): pool.opening,
            },
            "upstream_waiting": only(pool.waiting),
            "client_connections": only(listener.connections),
            "requests_in_flight": only(listener.active),
            **({} if self._recorder is None else _of_store(self._recorder.state())),
            "build_info": {(__version__, platform.python_version()): 1},
            **vitals(),
        }

    async def start(self, handed: Handed = NOTHING_HANDED) -> None:
        """Open the listeners, on the sockets handed over where there are any.

        Raises PortTaken, CertificateUnusable and HandedAmiss, and leaves nothing open then.
        """
        try:
            if self._admin is not None:
                self.admin = await self._admin.open(handed.admin)
            elif handed.admin:
                raise HandedAmiss('A socket named "admin" was handed over, and the setting admin.listen is "off".')
            self.listen = await self._listener.open(handed.clients)
        except GatewayError:
            await self._close()
            raise
        if self._recorder is not None:
            await self._recorder.start(self.reach.instance(platform.node()))
        self._log.info(
            "gateway_started",
            version=__version__,
            listen=str(self.listen),
            tls=self.reach.tls,
            admin=str(self.admin) if self.admin else "off",
            upstream=self._settings.upstream.url,
            mode=self._settings.inspect.mode.value,
            store="off" if self._settings.rejections.store is None else str(self._settings.rejections.store),
            capture=self._settings.rejections.capture.value,
        )

    async def stop(self) -> None:
        """Finish what is in flight, for at most `shutdown.grace` seconds, and close everything."""
        self._stopping = True
        grace = self._settings.shutdown.grace
        self._log.info("gateway_stopping", in_flight=self._listener.active, grace=grace)
        cut_off = await self._listener.drain(grace)
        await self._close()
        log = self._log.warning if cut_off else self._log.info
        log("gateway_stopped", cut_off=cut_off, counts=dict(self.counts))

    async def _close(self) -> None:
        await self._identities.close()
        await self._pool.close()
        self._thread.shutdown(wait=False, cancel_futures=True)
        if self._news is not None:
            self._news.close()
        if self._admin is not None:
            await self._admin.close()
        if self._reader is not None:
            self._reader.close()
        if self._recorder is not None:  # closes the store: nobody asks it any more
            await self._recorder.close()


def _pool(settings: Settings, rounds: Rounds) -> Pool:
    upstream = settings.upstream
    origin = Origin.of(upstream.url)
    return Pool(
        origin,
        tls_context(upstream.ca_file) if origin.scheme == "https" else None,
        rounds,
        timeout=upstream.timeout,
        connect_timeout=upstream.connect_timeout,
        max_connections=upstream.max_connections,
        idle_timeout=upstream.idle_timeout,
    )


def _recorder(settings: Settings, store: Store, log: FilteringBoundLogger) -> Recorder:
    return Recorder(settings.rejections, store, log, enforced=settings.inspect.mode is Mode.ENFORCE)


def _of_store(state: StoreState) -> Snapshot:
    return {
        "rejections_recorded": only(state.written),
        "rejections_folded": only(state.folded),
        "store_backlog": only(state.waiting),
        "store_up": only(state.status is not StoreStatus.DOWN),
    }


def _lookup_client(settings: Settings, pool: Pool, meters: Meters) -> LookupClient:
    lookups = settings.lookups
    breakers = {kind: Breaker(lookups.breaker_failures, lookups.breaker_pause) for kind in Kind}
    return LookupClient(pool, f"close-gateway/{__version__}", meters, timeout=lookups.timeout, breakers=breakers)


def _admin_server(settings: Settings, routes: Mapping[str, Handler], log: FilteringBoundLogger) -> AdminServer | None:
    admin = settings.admin
    if admin.listen is None:
        return None
    return AdminServer(routes, admin.listen, admin.hosts, Access(admin_token(admin), admin.open), log)


def serve(settings: Settings) -> None:
    """Run a gateway until SIGINT or SIGTERM. Raises PortTaken."""
    _run(_serve(settings))


async def _serve(settings: Settings) -> None:
    handed = systemd.handed()
    gateway = Gateway(settings, _log(settings))
    await gateway.start(handed)
    systemd.ready(f"Serves on {gateway.listen}")
    await _until_signal()
    systemd.stopping("Finishes what is in flight")
    await gateway.stop()


def dev(settings: Settings, *, sandbox: bool) -> None:
    """Run a gateway for a developer, in front of a sandbox of its own or of the upstream in the settings.

    Raises PortTaken.
    """
    _run(_dev(settings, sandbox=sandbox))


async def _dev(settings: Settings, *, sandbox: bool) -> None:
    from gateway.sandbox import Sandbox
    from gateway.welcome import welcome

    close = Sandbox() if sandbox else None
    if close is not None:
        await close.start()
        settings = replace(settings, upstream=replace(settings.upstream, url=close.url))
    gateway = Gateway(settings, _log(settings))
    try:
        await gateway.start()
        _say(welcome(gateway.reach, gateway.admin, settings.upstream.url, close))
        await _until_signal()
        await gateway.stop()
    finally:
        if close is not None:
            await close.stop()


def run_sandbox(listen: Address) -> None:
    """Run the sandbox alone until SIGINT or SIGTERM. Raises PortTaken."""
    _run(_run_sandbox(listen))


async def _run_sandbox(listen: Address) -> None:
    from gateway.sandbox import Sandbox
    from gateway.welcome import welcome_to_sandbox

    close = Sandbox()
    try:
        await close.start(listen.host, listen.port)
    except OSError as error:
        raise PortTaken(None, "--listen", str(listen), error) from None
    _say(welcome_to_sandbox(close))
    await _until_signal()
    await close.stop()


def _log(settings: Settings) -> FilteringBoundLogger:
    return make_log(settings.log.level.value, console=settings.log.format is LogFormat.CONSOLE)


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


async def _until_signal() -> None:
    """Wait for SIGINT or SIGTERM. A second one ends the process as if nobody had listened to it."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.remove_signal_handler(number)
        signal.signal(number, signal.SIG_DFL)


def _run(main: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(main)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:  # not built for this system: asyncio's own loop serves too
        return None
    return uvloop.new_event_loop
