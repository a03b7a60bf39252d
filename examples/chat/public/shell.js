// The frame around the chat: drawers on a narrow window, the theme, the status dialog.
import { byId, memory } from "./dom.js";

const narrow = matchMedia("(max-width: 60rem)");

/** The rooms and the people are columns on a wide window and drawers on a narrow one. */
export class Drawers {
  constructor() {
    this.open = null;
    this.openers = { rooms: byId("show-rooms"), people: byId("show-people") };
    for (const [name, button] of Object.entries(this.openers)) {
      button.addEventListener("click", () => this.show(name));
    }
    for (const button of document.querySelectorAll("[data-closes]")) {
      button.addEventListener("click", () => this.close());
    }
    byId("scrim").addEventListener("click", () => this.close());
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.open && !document.querySelector("dialog[open]")) this.close();
    });
    narrow.addEventListener("change", () => this.close(false));
    this.#draw();
  }

  show(name) {
    this.open = name;
    this.#draw();
    byId(name).querySelector("[data-closes]").focus();
  }

  close(returnsFocus = true) {
    const was = this.open;
    this.open = null;
    this.#draw();
    if (was && returnsFocus) this.openers[was].focus();
  }

  #draw() {
    byId("scrim").hidden = this.open === null;
    byId("chat").inert = this.open !== null;
    for (const [name, button] of Object.entries(this.openers)) {
      const isOpen = this.open === name;
      byId(name).classList.toggle("open", isOpen);
      byId(name).inert = narrow.matches && !isOpen;
      button.setAttribute("aria-expanded", String(isOpen));
    }
  }
}

const themes = ["system", "light", "dark"];

/** The system's theme, or one that was chosen; remembered. */
export function setUpTheme() {
  const button = byId("theme");
  let theme = document.documentElement.dataset.theme ?? "system";
  const draw = () => {
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    button.querySelector("use").setAttribute("href", `#i-theme-${theme}`);
    button.title = `Theme: ${theme}`;
    byId("theme-label").textContent = `Theme: ${theme}`;
  };
  button.addEventListener("click", () => {
    theme = themes[(themes.indexOf(theme) + 1) % themes.length];
    memory.set("localStorage", "theme", theme === "system" ? null : theme);
    draw();
  });
  draw();
}

/** @param {{currentSession: () => object, onSave: (status: string, text: string) => void, onChangeName: () => void}} options */
export function setUpStatusDialog({ currentSession, onSave, onChangeName }) {
  const dialog = byId("status-dialog");
  const form = byId("status-form");
  const text = byId("status-text");
  byId("me").addEventListener("click", () => {
    const { status = "available", status_text: statusText = "" } = currentSession().status;
    form.elements.status.value = status;
    text.value = statusText;
    dialog.returnValue = "";
    dialog.showModal();
  });
  // Enter in the text would press the first button, which is the one that closes.
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.isComposing) {
      event.preventDefault();
      dialog.close("save");
    }
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  dialog.addEventListener("close", () => {
    if (dialog.returnValue === "save") onSave(form.elements.status.value, text.value.trim());
  });
  byId("change-name").addEventListener("click", () => {
    dialog.close();
    onChangeName();
  });
}
