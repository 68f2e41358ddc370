// Nothing is there yet: how to see the first one.

import { link, PERIODS } from "./address.js";
import { copyable, el } from "./dom.js";

const ANYWHERE = ["0.0.0.0", "::"];

export function gatewayUrl() {
  const url = document.body.dataset.gateway;
  const [, scheme, host, port] = /^(https?):\/\/(.*):(\d+)$/.exec(url) ?? [null];
  if (port === undefined) return url; // by a UNIX socket
  const bare = host.replace(/^\[|\]$/g, "");
  const reached = ANYWHERE.includes(bare) ? location.hostname.replace(/^\[|\]$/g, "") : bare;
  return `${scheme}://${reached.includes(":") ? `[${reached}]` : reached}:${port}`;
}

export function emptyState(since) {
  const curl = [
    `${document.body.dataset.curl} -i -u any_key_will_do: -X POST ${gatewayUrl()}/api/v1/activity/email/ \\`,
    "  -H 'Content-Type: application/json' \\",
    `  -d '{"lead_id": "lead_Example", "to": ["lead@example.net"], "status": "outbox"}'`,
  ].join("\n");
  const all = since === "all";
  return el("div", { class: "empty" },
    el("h3", {}, all ? "Nothing has been rejected yet" : `Nothing was rejected in the ${PERIODS[since]}`),
    el("p", {}, "To see the first one, send an email without a sender through the gateway. It is refused here, before Close sees it, so any key will do:"),
    copyable(curl, "The request that is rejected"),
    el("p", { class: "muted" }, "It shows up here within a second. (In report mode the request goes on to Close, and is listed as reported.)"),
    all ? null : el("p", {}, el("a", { href: link({ since: "all" }) }, "Look at all time")));
}
