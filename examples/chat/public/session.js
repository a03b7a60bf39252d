// A person in this window: the socket, the rooms that are open, the status. No DOM.
import { Socket } from "/vendor/phoenix.mjs";
import { Room } from "./room.js";
import { deviceName } from "./names.js";

export class Session extends EventTarget {
  constructor(name) {
    super();
    this.name = name;
    this.device = deviceName(navigator.userAgent);
    this.rooms = new Map();
    this.status = {}; // members of our meta; empty until a status is set
    this.connection = "connecting"; // then "online", "lost", or "unreachable" from the start
    this.wasOnline = false;
    this.socket = new Socket("/socket", { params: { user_id: name } });
    this.socket.onOpen(() => this.#setConnection("online"));
    this.socket.onClose(() => this.#setConnection("lost"));
    this.socket.onError(() => this.#setConnection("lost"));
    this.socket.connect();
  }

  /** The room of that name, joined when it was not. */
  open(name) {
    const known = this.rooms.get(name);
    if (known) return known;
    const room = new Room(this, name);
    this.rooms.set(name, room);
    room.addEventListener("people", () => this.#adoptStatus(room));
    room.join();
    this.dispatchEvent(new CustomEvent("open", { detail: room }));
    return room;
  }

  close(name) {
    this.rooms.get(name)?.leave();
    this.rooms.delete(name);
  }

  setStatus(status, statusText) {
    this.status = { status, status_text: statusText, status_at: Date.now() };
    for (const room of this.rooms.values()) room.pushStatus(this.status);
  }

  end() {
    for (const room of this.rooms.values()) room.leave();
    this.rooms.clear();
    this.socket.disconnect();
  }

  /** Another device of ours has set a newer status: it is ours too, also after a reconnect. */
  #adoptStatus(room) {
    const own = room.people.get(this.name);
    if (own && own.statusAt > (this.status.status_at ?? 0)) {
      this.status = { status: own.status, status_text: own.statusText, status_at: own.statusAt };
    }
  }

  #setConnection(connection) {
    this.wasOnline ||= connection === "online";
    this.connection = connection === "lost" && !this.wasOnline ? "unreachable" : connection;
    this.dispatchEvent(new Event("connection"));
  }
}
