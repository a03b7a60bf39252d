// The list of who is in the room: one row a person, opened to show the devices.
import { avatar, byId, el, icon, nameOf, oncePerFrame } from "./dom.js";
import { since } from "./names.js";

const maxShown = 150;
const filterFrom = 12;
const fadeMs = 260;
const collator = new Intl.Collator(undefined, { sensitivity: "base", numeric: true });

function detailOf(person) {
  const words = [];
  if (person.status !== "available") words.push(person.status === "busy" ? "Busy" : "Away");
  if (person.since !== null) words.push(since(person.since));
  return [
    el("span", { class: "person-detail" }, words.join(" · ")),
    person.statusText ? el("bdi", { class: "person-status", title: person.statusText }, person.statusText) : null,
  ];
}

function deviceList(person) {
  const rows = person.devices.map((device) => el("li", {},
    el("bdi", {}, device.name),
    device.since === null ? null : el("span", { class: "person-since" }, since(device.since))));
  return el("ul", { class: "device-list" }, ...rows);
}

/** What a row shows, as text: an equal one need not be drawn again. */
const signature = (person, now) => JSON.stringify([person, person.since === null ? 0 : since(person.since, now)]);

export class People {
  /** @param {() => import("./session.js").Session} currentSession */
  constructor(currentSession) {
    this.currentSession = currentSession;
    this.room = null;
    this.rows = new Map(); // name → {element, signature}
    this.list = byId("people-list");
    this.filter = byId("people-filter");
    this.drawSoon = oncePerFrame(() => this.draw());
    this.filter.addEventListener("input", () => this.draw());
    this.onPeople = () => this.drawSoon();
    setInterval(() => this.drawSoon(), 30_000);
  }

  show(room) {
    this.room?.removeEventListener("people", this.onPeople);
    this.room = room;
    this.filter.value = "";
    this.list.replaceChildren();
    this.rows.clear();
    room.addEventListener("people", this.onPeople);
    this.draw();
  }

  draw() {
    const { room } = this;
    if (!room) return;
    const everybody = this.#sorted();
    const wanted = this.filter.value.trim().toLocaleLowerCase();
    const found = wanted ? everybody.filter((p) => p.key.toLocaleLowerCase().includes(wanted)) : everybody;
    const shown = found.slice(0, maxShown);
    byId("people-count").textContent = everybody.length > 0 ? String(everybody.length) : "";
    this.filter.hidden = everybody.length < filterFrom && !wanted;
    this.#drawRows(shown);
    const more = byId("people-more");
    more.hidden = found.length <= shown.length && found.length > 0;
    if (found.length > shown.length) more.textContent = `and ${found.length - shown.length} more`;
    else if (found.length === 0) more.textContent = wanted ? "Nobody of that name." : "Waiting for the list …";
  }

  #sorted() {
    const own = this.currentSession()?.name;
    return [...this.room.people.values()].sort((a, b) =>
      (b.key === own) - (a.key === own) || collator.compare(a.key, b.key) || (a.key < b.key ? -1 : 1));
  }

  #drawRows(shown) {
    const now = Date.now();
    const names = new Set(shown.map((person) => person.key));
    for (const [name, row] of this.rows) {
      if (!names.has(name)) this.#fade(name, row);
    }
    let previous = null;
    for (const person of shown) {
      let row = this.rows.get(person.key);
      const wantedSignature = signature(person, now);
      if (!row) {
        row = { element: el("li", { class: "person" }), signature: "" };
        this.rows.set(person.key, row);
      }
      if (row.signature !== wantedSignature) {
        this.#fill(row.element, person);
        row.signature = wantedSignature;
      }
      const place = previous ? previous.nextSibling : this.list.firstChild;
      if (place !== row.element) this.list.insertBefore(row.element, place);
      previous = row.element;
    }
  }

  #fade(name, row) {
    this.rows.delete(name);
    row.element.classList.add("going");
    row.element.inert = true;
    setTimeout(() => row.element.remove(), fadeMs);
  }

  #fill(element, person) {
    const isOpen = element.querySelector("details")?.open ?? false;
    const hasFocus = element.contains(document.activeElement);
    const count = person.devices.length;
    const isOwn = person.key === this.currentSession()?.name;
    const summary = el("summary", {},
      avatar(person.key, person.status),
      el("span", { class: "person-text" },
        el("span", { class: "person-name" }, nameOf(person.key), isOwn ? el("span", { class: "you" }, "you") : null),
        ...detailOf(person)),
      person.status === "available" ? el("span", { class: "sr" }, ", available") : null,
      count > 1
        ? el("span", { class: "devices", title: `${count} devices` }, icon("devices"), String(count), el("span", { class: "sr" }, " devices"))
        : null);
    const details = el("details", {}, summary, deviceList(person));
    details.open = isOpen;
    element.dataset.name = person.key;
    element.dataset.devices = count;
    element.replaceChildren(details);
    if (hasFocus) summary.focus();
  }
}
