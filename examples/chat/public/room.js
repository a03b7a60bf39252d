// One room: its channel, who is in it, and what was said while we were there. No DOM.
import { Presence } from "/vendor/phoenix.mjs";
import { Notices } from "./notices.js";

const maxRows = 500;
const typingShownMs = 4500;
const typingSentEveryMs = 2500;
const reconnectGraceMs = 9000;

function text(value, maxLength) {
  return typeof value === "string" ? value.slice(0, maxLength) : "";
}

/** `online_at` as other programs may write it (seconds, milliseconds, a date) in milliseconds. */
function milliseconds(value) {
  const number = typeof value === "string" && Number.isNaN(Number(value)) ? Date.parse(value) : Number(value);
  if (!Number.isFinite(number) || number <= 0) return null;
  return number < 1e11 ? number * 1000 : number;
}

/** What the metas of one user say together. The status that was set last counts for all devices. */
function person(key, metas) {
  const devices = metas.map((meta) => ({
    name: text(meta.device, 80) || "unknown device",
    since: milliseconds(meta.online_at),
  }));
  const known = devices.map((device) => device.since).filter((since) => since !== null);
  const statusOf = (meta) => Number(meta.status_at) || 0;
  const latest = metas.reduce((best, meta) => (statusOf(meta) > statusOf(best) ? meta : best), metas[0] ?? {});
  return {
    key,
    devices,
    since: known.length > 0 ? Math.min(...known) : null,
    status: ["busy", "away"].includes(latest.status) ? latest.status : "available",
    statusText: text(latest.status_text, 200),
    statusAt: statusOf(latest),
  };
}

export class Room extends EventTarget {
  constructor(session, name) {
    super();
    this.session = session;
    this.name = name;
    this.people = new Map();
    this.rows = [];
    this.unread = 0;
    this.typing = new Map(); // name → timer
    this.refusal = null;
    this.isSynced = false;
    this.onlineAt = Math.floor(Date.now() / 1000);
    this.lastTypingAt = 0;
    this.lastRejoinAt = 0;
    this.notices = new Notices({ tell: (kind, names) => this.#notice(kind, names) });
  }

  join() {
    const channel = this.session.socket.channel(`room:${this.name}`, () => ({
      device: this.session.device,
      online_at: this.onlineAt,
      ...this.session.status,
    }));
    this.channel = channel;
    this.#watchPeople(channel);
    channel.on("shout", (message) => this.#hear(message));
    channel.on("typing", (message) => this.#seeTyping(message));
    channel.onError(() => {
      this.lastRejoinAt = Date.now();
    });
    channel.join()
      .receive("ok", () => this.#settle(null))
      .receive("error", (reply) => this.#settle(text(reply?.reason, 200) || "the server said no"));
  }

  leave() {
    this.notices.stop();
    for (const timer of this.typing.values()) clearTimeout(timer);
    this.channel.leave();
  }

  /** Say something. The row is there at once and marked when the server has it. */
  say(body) {
    const row = {
      kind: "message", id: crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`,
      user: this.session.name, body, at: Date.now(), isOwn: true, state: "sending",
    };
    this.#addRow(row);
    this.#send(row);
    this.setTyping(false);
  }

  sayAgain(row) {
    row.state = "sending";
    this.#emit("change", row);
    this.#send(row);
  }

  setTyping(isTyping) {
    if (!this.channel.isJoined()) return;
    if (isTyping) {
      if (Date.now() - this.lastTypingAt < typingSentEveryMs) return;
      this.lastTypingAt = Date.now();
    } else {
      if (this.lastTypingAt === 0) return;
      this.lastTypingAt = 0;
    }
    this.channel.push("typing", { typing: isTyping });
  }

  pushStatus(status) {
    if (this.channel.isJoined()) this.channel.push("status", status);
  }

  #send(row) {
    const settle = (state) => () => {
      if (row.state === "sending") {
        row.state = state;
        this.#emit("change", row);
      }
    };
    this.channel.push("shout", { id: row.id, user: row.user, body: row.body })
      .receive("ok", settle("sent"))
      .receive("error", settle("failed"))
      .receive("timeout", settle("failed"));
  }

  #watchPeople(channel) {
    const presence = new Presence(channel);
    // The first state is who was here before us: nobody came.
    presence.onJoin((key, current) => {
      if (this.isSynced && !current && key !== this.session.name) this.notices.join(key);
    });
    presence.onLeave((key, current) => {
      if (current.metas.length > 0 || key === this.session.name) return;
      this.#stopTyping(key);
      const isReturning = Date.now() - this.lastRejoinAt < 2 * reconnectGraceMs;
      if (this.isSynced) this.notices.leave(key, isReturning ? reconnectGraceMs : undefined);
    });
    presence.onSync(() => {
      this.isSynced = true;
      this.people = new Map(presence.list((key, { metas }) => [key, person(key, metas)]));
      this.#emit("people");
    });
  }

  #settle(refusal) {
    this.refusal = refusal;
    // A refused join is repeated by phoenix.js for ever; here it is an answer.
    if (refusal) this.channel.leave();
    this.#emit("state");
  }

  #hear(message) {
    const body = text(message?.body, 4000);
    const user = text(message?.user, 200);
    if (!body || !user) return;
    this.#stopTyping(user);
    this.notices.acts(user);
    const own = this.rows.findLast((row) => row.isOwn && row.id === message.id);
    if (own && user === this.session.name) {
      own.state = "sent";
      this.#emit("change", own);
      return;
    }
    const isOwn = user === this.session.name;
    this.#addRow({ kind: "message", id: message.id, user, body, at: Date.now(), isOwn, state: "sent" });
  }

  #seeTyping(message) {
    const user = text(message?.user, 200);
    if (!user || user === this.session.name) return;
    this.#stopTyping(user);
    if (message.typing !== false) {
      this.typing.set(user, setTimeout(() => this.#stopTyping(user), typingShownMs));
    }
    this.#emit("typing");
  }

  #stopTyping(user) {
    if (!this.typing.has(user)) return;
    clearTimeout(this.typing.get(user));
    this.typing.delete(user);
    this.#emit("typing");
  }

  #notice(kind, names) {
    const last = this.rows[this.rows.length - 1];
    if (last?.kind === kind && Date.now() - last.at < 60_000) {
      last.names = [...new Set([...last.names, ...names])];
      this.#emit("change", last);
      return;
    }
    this.#addRow({ kind, names, at: Date.now() });
  }

  #addRow(row) {
    this.rows.push(row);
    if (this.rows.length > maxRows) this.rows.shift();
    this.#emit("row", row);
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
