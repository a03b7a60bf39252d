// What browsers have and Node has not, as far as long polling of older phoenix.js uses it.

export class XMLHttpRequest {
  constructor() {
    this.readyState = 0;
    this.responseText = "";
    this.status = 0;
    this.timeout = 0;
    this.headers = {};
    this.controller = new AbortController();
  }

  open(method, url) {
    this.method = method;
    this.url = url;
  }

  setRequestHeader(name, value) {
    this.headers[name] = value;
  }

  abort() {
    this.isAborted = true;
    this.controller.abort();
  }

  async send(body) {
    const timer = this.timeout && setTimeout(() => {
      this.abort();
      this.ontimeout?.();
    }, this.timeout);
    try {
      const { controller: { signal }, method, headers } = this;
      const response = await fetch(this.url, { method, headers, body: body ?? undefined, signal });
      this.responseText = await response.text();
      this.status = response.status;
    } catch {
      if (!this.isAborted) this.onerror?.();
    } finally {
      clearTimeout(timer);
    }
    if (this.isAborted) return;
    this.readyState = 4;
    this.onreadystatechange?.();
  }
}
