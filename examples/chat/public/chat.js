// The page: puts the parts together and says which room is shown.
import { Composer } from "./composer.js";
import { avatar, byId, el, oncePerFrame } from "./dom.js";
import { Logs } from "./log.js";
import { cleanRoomName, joinNames } from "./names.js";
import { People } from "./people.js";
import { Rail } from "./rail.js";
import { Session } from "./session.js";
import { Drawers, setUpStatusDialog, setUpTheme } from "./shell.js";
import { Welcome } from "./welcome.js";

const home = "lobby";
const bannerAfterMs = 400;
const backBannerMs = 1800;
const maxFaces = 4;

let session = null;
let room = null;

const logs = new Logs();
const composer = new Composer();
const people = new People(() => session);
const drawers = new Drawers();
const rail = new Rail({ onOpen: (name) => goTo(name) });
const welcome = new Welcome({ onPick: start });

function addressedRoom() {
  try {
    return cleanRoomName(decodeURIComponent(location.hash.slice(1))) || home;
  } catch {
    return home;
  }
}

function goTo(name) {
  if (addressedRoom() === name) enter(name);
  else location.hash = encodeURIComponent(name);
}

// Drawing.

const drawRail = oncePerFrame(() => {
  if (!session) return;
  rail.draw(session, room);
  rail.drawMe(session);
  const unread = [...session.rooms.values()].reduce((sum, one) => sum + one.unread, 0);
  byId("elsewhere").hidden = ![...session.rooms.values()].some((one) => one !== room && one.unread > 0);
  document.title = `${unread > 0 ? `(${unread}) ` : ""}#${room.name} · presence`;
});

const drawHead = oncePerFrame(() => {
  if (!room) return;
  byId("room-title").textContent = room.name;
  byId("leave-room").hidden = room.name === home;
  const count = room.people.size;
  byId("people-pill").textContent = String(count);
  const others = [...room.people.keys()].filter((name) => name !== session.name);
  let subtitle = "Joining …";
  if (room.refusal) subtitle = "Not joined";
  else if (count > 0) subtitle = others.length === 0 ? "Only you, for now" : `${count} people here`;
  byId("room-subtitle").textContent = subtitle;
  const faces = others.slice(0, maxFaces).map((name) => avatar(name));
  if (others.length > maxFaces) faces.push(el("span", { class: "avatar more" }, `+${others.length - maxFaces}`));
  byId("faces").replaceChildren(...faces);
});

const drawTyping = oncePerFrame(() => {
  const names = room ? [...room.typing.keys()] : [];
  const line = byId("typing");
  line.classList.toggle("shown", names.length > 0);
  if (names.length === 0) {
    line.replaceChildren();
    return;
  }
  const dots = el("span", { class: "typing-dots", "aria-hidden": "true" }, el("i"), el("i"), el("i"));
  const verb = names.length === 1 ? " is typing" : " are typing";
  line.replaceChildren(dots, el("span", { class: "typing-names" }, el("bdi", {}, joinNames(names)), verb));
});

// The banner: said only when it lasts, so that a short break is not news.

let bannerTimer = null;

function setBanner(kind, ...content) {
  const banner = byId("banner");
  banner.className = kind ? `banner shown ${kind}` : "banner";
  if (kind) banner.replaceChildren(...content);
}

function drawConnection() {
  const { connection } = session;
  clearTimeout(bannerTimer);
  document.body.dataset.connection = connection;
  const isShown = byId("banner").classList.contains("shown");
  if (connection === "online") {
    if (!isShown) return;
    setBanner("back", el("i", { class: "dot available" }), "You are back.");
    bannerTimer = setTimeout(() => setBanner(null), backBannerMs);
    return;
  }
  const text = connection === "lost"
    ? "Reconnecting … what you write is sent as soon as the server is back."
    : "The server does not answer yet. Trying again …";
  bannerTimer = setTimeout(
    () => setBanner("lost", el("span", { class: "spinner", "aria-hidden": "true" }), text),
    isShown ? 0 : bannerAfterMs);
}

// Rooms.

function isRead(one) {
  return one === room && document.visibilityState === "visible";
}

function watch(one) {
  logs.add(one);
  one.addEventListener("row", (event) => {
    const { kind, isOwn, user, body } = event.detail;
    if (kind === "message" && !isOwn && !isRead(one)) {
      one.unread += 1;
      if (one !== room) byId("announcer").textContent = `${user} in ${one.name}: ${body.slice(0, 200)}`;
      drawRail();
    }
  });
  one.addEventListener("people", () => {
    drawRail();
    if (one === room) drawHead();
  });
  one.addEventListener("state", () => {
    if (one !== room) return;
    composer.setEnabled(!one.refusal);
    drawHead();
  });
  one.addEventListener("typing", () => {
    if (one === room) drawTyping();
  });
}

function enter(name) {
  room = session.open(name);
  logs.show(room);
  room.unread = 0;
  people.show(room);
  composer.show(room);
  composer.setEnabled(!room.refusal);
  drawers.close(false);
  drawHead();
  drawTyping();
  drawRail();
  if (matchMedia("(hover: hover)").matches) composer.focus();
}

function leaveRoom() {
  const left = room;
  goTo(home);
  enter(home);
  session.close(left.name);
  logs.remove(left);
  drawRail();
}

// A person.

function start(name) {
  session = new Session(name);
  session.addEventListener("connection", drawConnection);
  session.addEventListener("open", (event) => watch(event.detail));
  byId("app").hidden = false;
  enter(addressedRoom());
}

function changeName() {
  for (const one of session.rooms.values()) logs.remove(one);
  session.end();
  session = null;
  room = null;
  setBanner(null);
  byId("app").hidden = true;
  welcome.show(addressedRoom());
}

setUpTheme();
setUpStatusDialog({
  currentSession: () => session,
  onSave(status, text) {
    session.setStatus(status, text);
    drawRail();
  },
  onChangeName: changeName,
});
byId("leave-room").addEventListener("click", leaveRoom);
addEventListener("hashchange", () => {
  if (session && room?.name !== addressedRoom()) enter(addressedRoom());
});
document.addEventListener("visibilitychange", () => {
  if (room && document.visibilityState === "visible" && room.unread > 0) {
    room.unread = 0;
    drawRail();
  }
});
document.addEventListener("keydown", (event) => {
  if (!session || !event.altKey || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
  event.preventDefault();
  const names = rail.names(session).filter((name) => session.rooms.has(name));
  const step = event.key === "ArrowUp" ? -1 : 1;
  goTo(names[(names.indexOf(room.name) + step + names.length) % names.length]);
});

const remembered = Welcome.remembered();
if (remembered) start(remembered);
else welcome.show(addressedRoom());
