// What was said in a room, as it is read: messages of one person in a row belong together.
import { avatar, byId, el, linked, nameOf } from "./dom.js";
import { clockTime, joinNames } from "./names.js";

const groupedWithinMs = 5 * 60_000;
const nearBottomPx = 80;
const maxDrawn = 500;
const foldedFrom = 1200;

class Log {
  constructor(room) {
    this.room = room;
    this.drawn = new Map(); // row → element
    this.group = null;
    this.unseen = 0;
    this.element = el("div", { class: "log", role: "log", tabindex: "0", "aria-label": `Messages in ${room.name}` });
    this.empty = el("div", { class: "empty" });
    this.element.append(this.empty);
    this.#drawEmpty();
    room.addEventListener("row", (event) => this.#add(event.detail));
    room.addEventListener("change", (event) => this.#change(event.detail));
    room.addEventListener("state", () => this.#drawEmpty());
    this.element.addEventListener("scroll", () => this.#scrolled(), { passive: true });
  }

  get isAtBottom() {
    const { scrollHeight, scrollTop, clientHeight } = this.element;
    return scrollHeight - scrollTop - clientHeight < nearBottomPx;
  }

  toBottom(isSmooth = false) {
    this.element.scrollTo({ top: this.element.scrollHeight, behavior: isSmooth ? "smooth" : "auto" });
    this.unseen = 0;
    this.onScrolled?.();
  }

  /** A line above what came while nobody looked. */
  markUnread(count) {
    this.divider?.remove();
    this.divider = null;
    const messages = this.room.rows.filter((row) => row.kind === "message");
    const first = messages[messages.length - count];
    const element = first && this.drawn.get(first);
    if (!element) return;
    this.divider = el("p", { class: "divider" }, el("span", {}, count === 1 ? "1 new message" : `${count} new messages`));
    element.closest(".group").before(this.divider);
  }

  #scrolled() {
    if (this.isAtBottom) this.unseen = 0;
    this.onScrolled?.();
  }

  #drawEmpty() {
    const { room } = this;
    const [title, body] = room.refusal
      ? [`You cannot enter #${room.name}`, `The server answered: ${room.refusal}.`]
      : [`This is #${room.name}`, "Nothing is kept here: you see what is said while you are around. Say hello, or send somebody the address of this page."];
    this.empty.replaceChildren(
      el("div", { class: "empty-mark", "aria-hidden": "true" }, "#"),
      el("h2", {}, el("bdi", {}, title)),
      el("p", {}, body));
  }

  #add(row) {
    const isFollowing = this.isAtBottom;
    if (row.kind === "message") this.#addMessage(row);
    else this.#addNotice(row);
    this.#trim();
    if (isFollowing || row.isOwn) this.toBottom();
    else if (row.kind === "message") this.unseen += 1;
    this.onScrolled?.();
  }

  #addNotice(row) {
    this.group = null;
    const element = el("p", { class: "notice" });
    this.drawn.set(row, element);
    this.#fillNotice(row, element);
    this.element.append(element);
  }

  #fillNotice(row, element) {
    element.replaceChildren(
      el("i", { class: `notice-mark ${row.kind}`, "aria-hidden": "true" }),
      el("span", { title: row.names.join(", ").slice(0, 600) }, el("bdi", {}, joinNames(row.names)), ` ${row.kind}`),
      el("time", {}, clockTime(row.at)));
  }

  #addMessage(row) {
    const { group } = this;
    const continues = group && group.user === row.user && row.at - group.at < groupedWithinMs;
    if (!continues) this.group = this.#newGroup(row);
    this.group.at = row.at;
    const element = el("div", { class: "message", title: clockTime(row.at) });
    this.drawn.set(row, element);
    this.#fillMessage(row, element);
    this.group.body.append(element);
  }

  #newGroup(row) {
    const body = el("div", { class: "group-body" },
      el("header", { class: "group-head" },
        row.isOwn ? el("span", { class: "sr" }, "You") : el("span", { class: "group-name" }, nameOf(row.user)),
        el("time", {}, clockTime(row.at))));
    this.element.append(el("section", { class: row.isOwn ? "group own" : "group" }, row.isOwn ? null : avatar(row.user), body));
    return { user: row.user, body, at: row.at };
  }

  #fillMessage(row, element) {
    element.dataset.state = row.state;
    const bubble = el("p", { class: "bubble", dir: "auto" }, ...linked(row.body));
    const isLong = row.body.length > foldedFrom;
    if (isLong) bubble.classList.add("folded");
    element.replaceChildren(bubble);
    if (isLong) {
      const more = el("button", { class: "link", type: "button" }, "Show all");
      more.addEventListener("click", () => {
        bubble.classList.remove("folded");
        more.remove();
      });
      element.append(more);
    }
    if (row.state === "failed") {
      const again = el("button", { class: "link", type: "button" }, "Try again");
      again.addEventListener("click", () => this.room.sayAgain(row));
      element.append(el("p", { class: "failed" }, "Not sent. ", again));
    }
  }

  #change(row) {
    const element = this.drawn.get(row);
    if (!element) return;
    if (row.kind !== "message") this.#fillNotice(row, element);
    else if (row.state === "failed" || element.dataset.state === "failed") this.#fillMessage(row, element);
    else element.dataset.state = row.state;
  }

  #trim() {
    while (this.drawn.size > maxDrawn) {
      const [row, element] = this.drawn.entries().next().value;
      const group = element.closest(".group");
      this.drawn.delete(row);
      element.remove();
      if (group && !group.querySelector(".message")) group.remove();
    }
  }
}

/** Shows the log of one room at a time; each keeps its place. */
export class Logs {
  constructor() {
    this.logs = new Map(); // room → Log
    this.current = null;
    this.frame = byId("log-frame");
    this.jump = byId("jump");
    this.jump.addEventListener("click", () => this.current?.toBottom(true));
    new ResizeObserver(() => {
      if (this.wasAtBottom) this.current?.toBottom();
    }).observe(this.frame);
  }

  add(room) {
    const log = new Log(room);
    this.logs.set(room, log);
    return log;
  }

  show(room) {
    const log = this.logs.get(room);
    if (this.current) this.current.onScrolled = null;
    this.current?.element.remove();
    this.current = log;
    this.frame.prepend(log.element);
    if (room.unread > 0) log.markUnread(room.unread);
    log.onScrolled = () => this.#drawJump(log);
    log.toBottom();
  }

  remove(room) {
    if (this.current?.room === room) {
      this.current.element.remove();
      this.current = null;
    }
    this.logs.delete(room);
  }

  #drawJump(log) {
    this.wasAtBottom = log.isAtBottom;
    this.jump.hidden = log.isAtBottom;
    byId("jump-text").textContent = log.unseen > 0 ? `${log.unseen} new` : "Latest";
  }
}
