// What is refused from now on, as it happens. The browser takes a broken stream up again where it broke off.

import { streamUrl } from "./api.js";

const AGAIN = 3000; // after an answer that ends it: the browser would not try again

export class Live {
  #source = null;
  #timer = 0;
  #params = null; // null: nothing is to be heard

  // `opened` is told each time a stream begins, and `missing` that none does: what came meanwhile is not in it.
  constructor({ arrived, opened, missing }) {
    this.arrived = arrived;
    this.opened = opened;
    this.missing = missing;
    // A browser has few connections to one host, and a tab that nobody sees should not take one.
    document.addEventListener("visibilitychange", () => (document.hidden ? this.#silence() : this.#params && this.start(this.#params)));
  }

  start(params) {
    this.#silence();
    this.#params = params;
    const source = new EventSource(streamUrl(params));
    this.#source = source;
    source.addEventListener("open", () => this.opened());
    source.addEventListener("rejection", (event) => this.arrived(JSON.parse(event.data)));
    source.addEventListener("error", () => {
      this.missing();
      if (source.readyState === EventSource.CLOSED) this.#timer = setTimeout(() => this.start(params), AGAIN);
    });
  }

  stop() {
    this.#params = null;
    this.#silence();
  }

  #silence() {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
  }
}
