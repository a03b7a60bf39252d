// The left side: the rooms, with what was missed in them, and who we are.
import { avatar, byId, el, icon } from "./dom.js";
import { cleanRoomName } from "./names.js";

const suggested = ["lobby", "music", "ideas", "random"];

export class Rail {
  /** @param {{onOpen: (name: string) => void}} options */
  constructor({ onOpen }) {
    this.onOpen = onOpen;
    this.list = byId("room-list");
    const input = byId("room-name");
    byId("room-add").addEventListener("submit", (event) => {
      event.preventDefault();
      const name = cleanRoomName(input.value);
      if (!name) {
        input.focus();
        return;
      }
      input.value = "";
      onOpen(name);
    });
  }

  /** The names in the order in which they are shown. */
  names(session) {
    return [...new Set([...suggested, ...session.rooms.keys()])];
  }

  draw(session, current) {
    const focused = this.list.contains(document.activeElement) ? document.activeElement.dataset.room : null;
    this.list.replaceChildren(...this.names(session).map((name) => this.#row(session, name, current)));
    if (focused) this.list.querySelector(`[data-room="${CSS.escape(focused)}"]`)?.focus();
  }

  #row(session, name, current) {
    const room = session.rooms.get(name);
    const isCurrent = room === current;
    const unread = room?.unread ?? 0;
    const button = el("button", {
      class: room ? "room" : "room closed",
      type: "button",
      "data-room": name,
      "aria-current": isCurrent ? "true" : null,
    }, el("span", { class: "hash", "aria-hidden": "true" }, "#"), el("bdi", { class: "room-label" }, name));
    if (unread > 0) {
      button.append(el("span", { class: "badge" }, unread > 99 ? "99+" : String(unread), el("span", { class: "sr" }, " unread")));
    } else if (room && room.people.size > 0) {
      button.append(el("span", { class: "room-count" }, icon("people"), String(room.people.size), el("span", { class: "sr" }, " people")));
    }
    button.addEventListener("click", () => this.onOpen(name));
    return el("li", {}, button);
  }

  drawMe(session) {
    const { status = "available", status_text: statusText } = session.status;
    const words = { available: "Available", busy: "Busy", away: "Away" };
    byId("me-avatar").replaceChildren(avatar(session.name, status));
    byId("me-name").textContent = session.name;
    byId("me-status").textContent = statusText || words[status];
  }
}
