// Asks the gateway's API. Who has to log in first is led there, and comes back to the view that was asked for.

const VIEW = "close-gateway-view";

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
    answer = await fetch(`/api/${path}${query.size ? `?${query}` : ""}`, { signal, cache: "no-store" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused("The gateway does not answer. Is it running?");
  }
  if (answer.status === 401) {
    sessionStorage.setItem(VIEW, location.search);
    location.assign("/login");
    return new Promise(() => {}); // this page is over
  }
  const body = await answer.json().catch(() => ({}));
  if (answer.ok) return body;
  const fields = body["field-errors"] ?? {};
  const texts = [...(body.errors ?? []), ...Object.values(fields)];
  throw new Refused(texts.join(" ") || `The gateway answered ${answer.status}.`, fields, answer.status);
}

export const streamUrl = (params) => `/api/stream?${new URLSearchParams(params)}`;

export function restoreView() {
  const view = sessionStorage.getItem(VIEW);
  sessionStorage.removeItem(VIEW);
  if (view && !location.search) history.replaceState(null, "", view);
}
