// Where messages are written.
import { byId } from "./dom.js";

const maxLength = 2000;
const counterFrom = 1700;
const idleMs = 4000;

export class Composer {
  constructor() {
    this.room = null;
    this.drafts = new Map(); // room → text
    this.input = byId("message");
    this.button = byId("send");
    this.idleTimer = null;
    byId("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    this.input.addEventListener("input", () => this.#edited());
    this.input.addEventListener("blur", () => this.room?.setTyping(false));
    this.input.addEventListener("keydown", (event) => {
      // While an input method composes, Enter belongs to it.
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        this.#send();
      }
    });
  }

  show(room) {
    if (this.room && this.room !== room) {
      this.room.setTyping(false);
      this.drafts.set(this.room, this.input.value);
    }
    this.room = room;
    this.input.value = this.drafts.get(room) ?? "";
    this.input.placeholder = `Message #${room.name}`;
    this.#draw();
  }

  focus() {
    this.input.focus({ preventScroll: true });
  }

  setEnabled(isEnabled) {
    this.input.disabled = !isEnabled;
    this.#draw();
  }

  #edited() {
    this.#draw();
    clearTimeout(this.idleTimer);
    const hasText = this.input.value.trim() !== "";
    this.room?.setTyping(hasText);
    if (hasText) this.idleTimer = setTimeout(() => this.room?.setTyping(false), idleMs);
  }

  #send() {
    const body = this.input.value.trim();
    if (!body || !this.room || this.input.disabled) return;
    clearTimeout(this.idleTimer);
    this.room.say(body);
    this.input.value = "";
    this.#draw();
    this.focus();
  }

  #draw() {
    const { input } = this;
    this.button.disabled = input.disabled || input.value.trim() === "";
    input.style.height = "auto";
    input.style.height = `${Math.min(input.scrollHeight, 160)}px`;
    const counter = byId("counter");
    counter.hidden = input.value.length < counterFrom;
    counter.textContent = `${maxLength - input.value.length} left`;
  }
}
