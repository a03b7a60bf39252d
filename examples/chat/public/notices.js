// Who came and who went, as people want to hear it: once a person whatever the number of devices,
// many at once in one line, and nothing at all when somebody was only gone for a moment.

export class Notices {
  /**
   * @param {object} options
   * @param {(kind: "joined"|"left", names: string[]) => void} options.tell
   * @param {number} [options.graceMs] how long somebody may be gone unmentioned
   * @param {number} [options.batchMs] how long names are gathered into one line
   * @param {{setTimeout: Function, clearTimeout: Function}} [options.clock]
   */
  constructor({ tell, graceMs = 2500, batchMs = 250, clock = globalThis }) {
    this.tell = tell;
    this.graceMs = graceMs;
    this.batchMs = batchMs;
    this.clock = clock;
    this.going = new Map(); // name → timer
    this.joined = new Set();
    this.left = new Set();
    this.flushTimer = null;
  }

  join(name) {
    if (this.going.has(name)) {
      this.clock.clearTimeout(this.going.get(name));
      this.going.delete(name);
      return;
    }
    if (!this.left.delete(name)) this.joined.add(name);
    this.#flushSoon();
  }

  /** @param {number} [graceMs] longer after a reconnect, when everybody is on the way back */
  leave(name, graceMs = this.graceMs) {
    if (this.joined.delete(name) || this.going.has(name)) return;
    const timer = this.clock.setTimeout(() => {
      this.going.delete(name);
      this.left.add(name);
      this.#flushSoon();
    }, graceMs);
    this.going.set(name, timer);
  }

  stop() {
    this.clock.clearTimeout(this.flushTimer);
    for (const timer of this.going.values()) this.clock.clearTimeout(timer);
    this.going.clear();
  }

  /** Somebody acts: that they came is told before what they do. */
  acts(name) {
    if (this.joined.has(name)) this.#flush();
  }

  #flushSoon() {
    this.flushTimer ??= this.clock.setTimeout(() => this.#flush(), this.batchMs);
  }

  #flush() {
    this.clock.clearTimeout(this.flushTimer);
    this.flushTimer = null;
    for (const kind of ["joined", "left"]) {
      const names = [...this[kind]];
      this[kind].clear();
      if (names.length > 0) this.tell(kind, names);
    }
  }
}
