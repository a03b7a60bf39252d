// The demo as people use it: windows of a real browser on the real server.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { enter, launch, personSelector, say, whenSeen } from "./support/browser.mjs";
import { Server } from "./support/server.mjs";
import { sleep } from "./support/wait.mjs";

const options = { timeout: 90_000 };
// Longer than the page waits before it says that somebody left.
const graceMs = 3500;

let server;
let chromium;
let rooms = 0;
const newRoom = () => `e2e-${++rooms}`;

before(async () => {
  server = await Server.start();
  chromium = await launch();
});
afterEach(async () => {
  for (const context of chromium.browser.contexts()) {
    const complaints = context.pages().flatMap((page) => page.complaints ?? []);
    await context.close();
    assert.deepEqual(complaints, [], "no page had errors");
  }
});
after(async () => {
  await chromium?.close();
  await server?.stop();
});

const window = (name, more) => enter(chromium.browser, server, name, more);
const devices = (page, name) => page.locator(personSelector(name)).getAttribute("data-devices");
const notices = (page) => page.locator(".notice span").allTextContents();
const names = (page) => page.locator(".person:not(.going)").evaluateAll((rows) =>
  rows.map((row) => row.dataset.name));

test("two windows see each other come and go", options, async (t) => {
  const room = newRoom();
  const ann = await window("Ann", { room });
  const seen = whenSeen(ann, "Ben");
  const page = await chromium.browser.newContext().then((context) => context.newPage());
  await page.goto(`${server.url}/#${room}`);
  await page.fill("#name", "Ben");
  const clicked = await page.evaluate(() => {
    const now = performance.timeOrigin + performance.now();
    document.getElementById("name-go").click();
    return now;
  });
  const benSeesAnn = await whenSeen(page, "Ann");
  const annSeesBen = await seen;
  t.diagnostic(`from the click of one: the other saw it after ${(annSeesBen - clicked).toFixed(0)} ms, `
    + `it saw the other after ${(benSeesAnn - clicked).toFixed(0)} ms`);
  t.diagnostic(`between the two: ${Math.abs(annSeesBen - benSeesAnn).toFixed(0)} ms`);
  assert.ok(annSeesBen - clicked < 3000 && benSeesAnn - clicked < 3000, "within any patience");
  assert.deepEqual(await names(ann), ["Ann", "Ben"]);
  assert.deepEqual(await names(page), ["Ben", "Ann"]);
  await ann.waitForFunction(() => document.querySelector(".notice")?.textContent.includes("Ben joined"));
  assert.equal(await ann.textContent("#room-subtitle"), "2 people here");

  const gone = whenSeen(ann, "Ben", false);
  const closing = performance.timeOrigin + performance.now();
  await page.close();
  t.diagnostic(`a closed window was seen after ${((await gone) - closing).toFixed(0)} ms`);
  assert.deepEqual(await names(ann), ["Ann"]);
  await ann.waitForFunction(() => document.querySelector("#chat .log").textContent.includes("Ben left"));
});

test("a second tab is a second device, and neither it nor a reload is a leave", options, async () => {
  const room = newRoom();
  const ann = await window("Ann", { room });
  const ben = await window("Ben", { room });
  const tab = await window("Ben", { room, sameStorageAs: ben });
  await ann.waitForSelector(`${personSelector("Ben")}[data-devices="2"]`);
  assert.equal(await ann.locator(`${personSelector("Ben")} .devices`).textContent(), "2 devices");
  await ann.click(`${personSelector("Ben")} summary`);
  assert.equal(await ann.locator(`${personSelector("Ben")} .device-list li`).count(), 2);
  await tab.close();
  await ann.waitForSelector(`${personSelector("Ben")}[data-devices="1"]`);
  await ben.reload();
  await ben.waitForSelector(personSelector("Ann"));
  await ann.waitForSelector(personSelector("Ben"));
  await sleep(graceMs);
  assert.equal(await devices(ann, "Ben"), "1");
  assert.deepEqual(await notices(ann), ["Ben joined"]);
});

test("a browser that is killed leaves", options, async (t) => {
  const room = newRoom();
  const ann = await window("Ann", { room });
  const doomed = await launch();
  try {
    await enter(doomed.browser, server, "Mallory", { room });
    await ann.waitForSelector(personSelector("Mallory"));
    const gone = whenSeen(ann, "Mallory", false);
    const killing = performance.timeOrigin + performance.now();
    await doomed.killHard();
    t.diagnostic(`kill -9 was seen after ${((await gone) - killing).toFixed(0)} ms`);
  } finally {
    await doomed.close();
  }
  assert.deepEqual(await names(ann), ["Ann"]);
});

test("messages, typing and a status reach the other window", options, async () => {
  const room = newRoom();
  const ann = await window("Ann", { room });
  const ben = await window("Ben", { room });
  await ann.locator("#message").pressSequentially("Hel");
  await ben.waitForFunction(() => document.getElementById("typing").textContent === "Ann is typing");
  await say(ann, "Hello, have you seen https://example.org/a?");
  await ben.waitForSelector(".bubble");
  assert.equal(await ben.textContent(".bubble"), "Hello, have you seen https://example.org/a?");
  assert.equal(await ben.getAttribute(".bubble a", "href"), "https://example.org/a");
  await ben.waitForFunction(() => document.getElementById("typing").textContent === "");
  await ann.waitForSelector('.own .message[data-state="sent"]');
  assert.equal(await ann.locator(".bubble").count(), 1, "the echo is no second message");
  await say(ann, "And another");
  await ben.waitForFunction(() => document.querySelectorAll(".message").length === 2);
  assert.equal(await ben.locator(".group").count(), 1, "messages of one person in a row are one group");

  await ann.click("#me");
  await ann.click(".choices label:has(.busy)");
  await ann.fill("#status-text", "Baking bread");
  await ann.press("#status-text", "Enter");
  await ben.waitForSelector(`${personSelector("Ann")} .dot.busy`);
  assert.equal(await ben.textContent(`${personSelector("Ann")} .person-status`), "Baking bread");
  assert.equal(await devices(ben, "Ann"), "1");
  await ann.waitForFunction(() => document.getElementById("me-status").textContent === "Baking bread");
});

test("rooms are apart, and what is missed is counted", options, async () => {
  const [first, second] = [newRoom(), newRoom()];
  const ann = await window("Ann", { room: first });
  const ben = await window("Ben", { room: first });
  await ann.fill("#room-name", second);
  await ann.press("#room-name", "Enter");
  await ann.waitForFunction((name) => document.getElementById("room-title").textContent === name, second);
  await ann.waitForFunction(() => document.getElementById("room-subtitle").textContent === "Only you, for now");
  await say(ben, "Anybody?");
  await say(ben, "Hello?");
  await ann.waitForFunction((name) =>
    document.querySelector(`[data-room="${name}"] .badge`)?.textContent === "2 unread", first);
  assert.equal(await ann.locator(".bubble").count(), 0);
  await ann.click(`[data-room="${first}"]`);
  await ann.waitForSelector(".divider");
  assert.equal(await ann.locator(".bubble").count(), 2);
  assert.equal(await ann.locator(`[data-room="${first}"] .badge`).count(), 0);
  await ann.click(`[data-room="${second}"]`);
  await ann.click("#leave-room");
  await ann.waitForFunction(() => document.getElementById("room-title").textContent === "lobby");
  assert.deepEqual(await names(ben), ["Ben", "Ann"], "who leaves one room stays in the others");
});

for (const name of ["<img src=x onerror=alert(1)>", "__proto__", "Zoë 👩‍🚀 日本", "W".repeat(48)]) {
  test(`${name.slice(0, 30)} is a name like any other`, options, async () => {
    const room = newRoom();
    const ann = await window("Ann", { room });
    const odd = await window(name, { room });
    await ann.waitForSelector(personSelector(name));
    assert.equal(await ann.textContent(`${personSelector(name)} .person-name bdi`), name);
    await say(odd, "</p><img src=x onerror=alert(2)>");
    await ann.waitForSelector(".bubble");
    assert.equal(await ann.textContent(".group-name"), name);
    assert.equal(await ann.textContent(".bubble"), "</p><img src=x onerror=alert(2)>");
    assert.equal(await ann.locator("#app img[src=x]").count(), 0);
    const isWithin = () => document.documentElement.scrollWidth <= innerWidth;
    assert.ok(await ann.evaluate(isWithin), "nothing sticks out");
    await odd.close();
    await whenSeen(ann, name, false);
    assert.deepEqual(await names(ann), ["Ann"]);
  });
}

test("on a phone the people are a drawer", options, async () => {
  const room = newRoom();
  const ann = await window("Ann", { room, viewport: { width: 390, height: 844 } });
  assert.equal(await ann.isVisible(personSelector("Ann")), false);
  await ann.click("#show-people");
  await ann.waitForSelector(personSelector("Ann"));
  assert.equal(await ann.getAttribute("#show-people", "aria-expanded"), "true");
  await ann.keyboard.press("Escape");
  await ann.waitForSelector(personSelector("Ann"), { state: "hidden" });
  assert.equal(await ann.evaluate(() => document.activeElement.id), "show-people");
  await ann.click("#show-rooms");
  await ann.click('[data-room="music"]');
  await ann.waitForFunction(() => document.getElementById("room-title").textContent === "music");
  await ann.waitForSelector("#rooms", { state: "hidden" });
  assert.ok(await ann.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
});

test("a restart of the server needs no reload", options, async (t) => {
  const room = newRoom();
  const ann = await window("Ann", { room });
  const ben = await window("Ben", { room });
  await ann.waitForSelector(personSelector("Ben"));
  await ann.evaluate(() => {
    window.isSamePage = true;
  });
  await server.stop();
  await ann.waitForSelector(".banner.lost.shown");
  await say(ann, "Written while the server was gone");
  await ann.waitForSelector('.message[data-state="sending"]');
  await server.start();
  const started = performance.now();
  await ann.waitForFunction(() => document.body.dataset.connection === "online");
  await ann.waitForSelector('.message[data-state="sent"]');
  await ben.waitForFunction(() => document.body.dataset.connection === "online");
  await ann.waitForSelector(personSelector("Ben"));
  await ben.waitForSelector(personSelector("Ann"));
  t.diagnostic(`both windows were back ${Math.round(performance.now() - started)} ms after the server`);
  await ann.waitForSelector(".banner.lost", { state: "detached" });
  assert.equal(await ann.evaluate(() => window.isSamePage), true);
  await say(ben, "And after");
  await ann.waitForFunction(() => document.querySelector(".log").textContent.includes("And after"));
  await sleep(graceMs);
  const said = (await notices(ann)).concat(await notices(ben));
  assert.deepEqual(said.filter((text) => text.includes("left")), [], "a restart is nobody's leave");
});
