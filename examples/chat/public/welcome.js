// Picking a name.
import { byId, memory } from "./dom.js";
import { cleanName, hue, initials, suggestName } from "./names.js";

export class Welcome {
  /** @param {{onPick: (name: string) => void}} options */
  constructor({ onPick }) {
    this.input = byId("name");
    this.input.addEventListener("input", () => this.#draw());
    byId("name-dice").addEventListener("click", () => {
      this.input.value = suggestName();
      this.#draw();
    });
    byId("welcome-form").addEventListener("submit", (event) => {
      event.preventDefault();
      const name = cleanName(this.input.value);
      byId("name-problem").textContent = name ? "" : "A name needs at least one letter.";
      if (!name) {
        this.input.focus();
        return;
      }
      // The window keeps its name through a reload; the next window starts from the last one.
      memory.set("sessionStorage", "name", name);
      memory.set("localStorage", "name", name);
      byId("welcome").hidden = true;
      onPick(name);
    });
  }

  /** The name this window had before it was reloaded. */
  static remembered() {
    return cleanName(memory.get("sessionStorage", "name") ?? "");
  }

  show(roomName) {
    memory.set("sessionStorage", "name", null);
    this.input.value = cleanName(memory.get("localStorage", "name") ?? "");
    byId("welcome-room").textContent = `#${roomName}`;
    byId("welcome").hidden = false;
    this.#draw();
    this.input.focus();
    this.input.select();
  }

  #draw() {
    const name = cleanName(this.input.value);
    const face = byId("name-avatar");
    face.textContent = name ? initials(name) : "";
    face.classList.toggle("blank", !name);
    face.style.setProperty("--hue", hue(name));
    if (name) byId("name-problem").textContent = "";
  }
}
