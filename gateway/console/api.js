// Asks the gateway. Who has to log in first is led there, and comes back to the view that was asked for.

export class Refused extends Error {
  constructor(message, fields = {}, status = 0) {
    super(message);
    this.fields = fields;
    this.status = status;
  }
}

export async function ask(path, params = {}, signal = undefined) {
  const query = new URLSearchParams(params);
  let answer;
  try {
    answer = await fetch(`${path}${query.size ? `?${query}` : ""}`, { signal, cache: "no-store" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused("The gateway does not answer. Is it running?");
  }
  if (answer.status === 401) {
    location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
    return new Promise(() => {}); // this page is over
  }
  const body = await answer.json().catch(() => ({}));
  if (answer.ok) return body;
  const fields = body["field-errors"] ?? {};
  const texts = new Set([...(body.errors ?? []), ...Object.values(fields)]);
  throw new Refused([...texts].join(" ") || `The gateway answered ${answer.status}.`, fields, answer.status);
}

export const streamUrl = (params) => `/api/stream?${new URLSearchParams(params)}`;
