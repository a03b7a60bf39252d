// Elements without markup in strings: text from people can only ever become text.
import { hue, initials } from "./names.js";

export const byId = (id) => document.getElementById(id);

/** el("p", { class: "notice", title: "…" }, "text", child): attributes, then children. */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

/** A name's face: initials on its colour, with a dot for the status when one is given. */
export function avatar(name, status = null) {
  const face = el("span", { class: "avatar", "aria-hidden": "true" }, initials(name));
  face.style.setProperty("--hue", hue(name));
  if (status === null) return face;
  const holder = el("span", { class: "avatar-holder", "aria-hidden": "true" }, face, el("i", { class: `dot ${status}` }));
  return holder;
}

/** A stranger's name inside a sentence: its writing direction is its own affair. */
export function nameOf(name) {
  return el("bdi", {}, name);
}

const addresses = /https?:\/\/[^\s<>"]+[^\s<>"'.,;:!?)\]}]/g;

/** Text with its web addresses made links. */
export function linked(body) {
  const parts = [];
  let end = 0;
  for (const match of body.matchAll(addresses)) {
    parts.push(body.slice(end, match.index));
    parts.push(el("a", { href: match[0], target: "_blank", rel: "noopener noreferrer nofollow" }, match[0]));
    end = match.index + match[0].length;
  }
  parts.push(body.slice(end));
  return parts;
}

/** Runs `draw` at most once a frame, however often it is asked to. */
export function oncePerFrame(draw) {
  let isAsked = false;
  return () => {
    if (isAsked) return;
    isAsked = true;
    // A hidden page gets no frames; it is drawn all the same, so that it is right when it shows.
    const later = document.hidden ? (run) => setTimeout(run, 50) : requestAnimationFrame;
    later(() => {
      isAsked = false;
      draw();
    });
  };
}

/** Storage that may be forbidden or full: then nothing is remembered, and nothing breaks. */
export const memory = {
  get(area, key) {
    try {
      return window[area].getItem(`presence.${key}`);
    } catch {
      return null;
    }
  },
  set(area, key, value) {
    try {
      if (value === null) window[area].removeItem(`presence.${key}`);
      else window[area].setItem(`presence.${key}`, value);
    } catch {
      // Not remembered.
    }
  },
};
