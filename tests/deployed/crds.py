"""The custom resources that config/envoy has: what each may hold, as far as it is used there.

Rule    A field that is not here was not looked up in its API, and is a mistake until it is.
Source  envoyproxy/gateway, api/v1alpha1; gateway.networking.k8s.io; networking.istio.io, "Traffic Management".
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

REF: Final = {"group": str, "kind": str, "name": str, "namespace": str, "port": int}
GATEWAY_API: Final = "gateway.networking.k8s.io/v1"
ENVOY_GATEWAY: Final = "gateway.envoyproxy.io/v1alpha1"
ISTIO: Final = "networking.istio.io/v1"

SHAPES: Final[Mapping[tuple[str, str], Any]] = {  # a type, a shape in a list for many of it, or the fields there are
    (ENVOY_GATEWAY, "Backend"): {"endpoints": [{"fqdn": {"hostname": str, "port": int}}]},
    (ENVOY_GATEWAY, "EnvoyExtensionPolicy"): {
        "targetRefs": [REF],
        "extProc": [
            {
                "backendRefs": [REF],
                "failOpen": bool,
                "messageTimeout": str,
                "processingMode": {"request": {"attributes": [str], "body": str}, "allowModeOverride": bool},
            }
        ],
    },
    (ENVOY_GATEWAY, "BackendTrafficPolicy"): {
        "targetRefs": [REF],
        "timeout": {"http": {"requestTimeout": str}},
        "retry": {"numRetries": int, "retryOn": {"triggers": [str]}},
    },
    (ENVOY_GATEWAY, "ClientTrafficPolicy"): {"targetRefs": [REF], "connection": {"bufferLimit": str}},
    (GATEWAY_API, "BackendTLSPolicy"): {
        "targetRefs": [REF],
        "validation": {"hostname": str, "wellKnownCACertificates": str},
    },
    (GATEWAY_API, "HTTPRoute"): {
        "parentRefs": [REF],
        "rules": [
            {
                "matches": [{"method": str, "path": {"type": str, "value": str}}],
                "filters": [{"type": str, "urlRewrite": {"hostname": str}}],
                "backendRefs": [REF],
            }
        ],
    },
    (f"{GATEWAY_API}beta1", "ReferenceGrant"): {"from": [REF], "to": [REF]},
    (ISTIO, "ServiceEntry"): {
        "hosts": [str],
        "location": str,
        "resolution": str,
        "exportTo": [str],
        "ports": [{"number": int, "name": str, "protocol": str, "targetPort": int}],
    },
    (ISTIO, "DestinationRule"): {
        "host": str,
        "exportTo": [str],
        "trafficPolicy": {
            "tls": {"mode": str, "sni": str, "subjectAltNames": [str]},
            "loadBalancer": {"simple": str},
            "connectionPool": {
                "tcp": {"connectTimeout": str},
                "http": {"http2MaxRequests": int, "http1MaxPendingRequests": int},
            },
            "outlierDetection": {
                "splitExternalLocalOriginErrors": bool,
                "consecutiveLocalOriginFailures": int,
                "consecutive5xxErrors": int,
                "consecutiveGatewayErrors": int,
                "baseEjectionTime": str,
                "maxEjectionPercent": int,
            },
        },
    },
    (ISTIO, "VirtualService"): {
        "hosts": [str],
        "exportTo": [str],
        "http": [
            {
                "name": str,
                "match": [{"method": {"regex": str}, "uri": {"regex": str}}],
                "timeout": str,
                "retries": {"attempts": int, "retryOn": str},
                "route": [{"destination": {"host": str, "port": {"number": int}}}],
            }
        ],
    },
    (f"{ISTIO}alpha3", "EnvoyFilter"): {
        "configPatches": [
            {
                "applyTo": str,
                "match": {
                    "context": str,
                    "listener": {"filterChain": {"filter": {"name": str, "subFilter": {"name": str}}}},
                    "routeConfiguration": {"vhost": {"name": str, "route": {"name": str}}},
                },
                "patch": {"operation": str, "value": object},
            }
        ]
    },
}


def mistakes(resource: Mapping[str, Any]) -> list[str]:
    """Name every field of a resource's spec that is unknown there, or of another type."""
    return list(_mistakes(resource["spec"], SHAPES[resource["apiVersion"], resource["kind"]], "spec"))


def _mistakes(value: Any, shape: Any, at: str) -> Iterator[str]:
    match shape:
        case list():
            if not isinstance(value, list):
                yield f"{at} is no list"
                return
            for number, each in enumerate(value):
                yield from _mistakes(each, shape[0], f"{at}[{number}]")
        case dict():
            if not isinstance(value, dict):
                yield f"{at} holds no fields"
                return
            for name, each in value.items():
                if name in shape:
                    yield from _mistakes(each, shape[name], f"{at}.{name}")
                else:
                    yield f"{at}.{name} is unknown"
        case _:
            if not isinstance(value, shape):
                yield f"{at} is no {shape.__name__}"
