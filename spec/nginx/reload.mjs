// nginx -s reload under clients that keep their Socket: phoenix.js in Node, and the chat's page.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { after, afterEach, before, test } from "node:test";
import { enter, launch, personSelector, say } from "../e2e/support/browser.mjs";
import { Client, disconnectAll } from "../e2e/support/phoenix_client.mjs";
import { Server } from "../e2e/support/server.mjs";
import { sleep, until } from "../e2e/support/wait.mjs";

process.env.PRESENCE_SERVER_CMD ||= "scripts/demo-nginx.sh";
const options = { timeout: 90_000 };
const clientCount = 20;
const reloadCount = 3;
// Longer than the page waits before it says that somebody left.
const graceMs = 3500;

let server;
let chromium;
before(async () => {
  server = await Server.start();
});
afterEach(disconnectAll);
after(async () => {
  await chromium?.close();
  await server?.stop();
});

const childrenOf = (pid) => execFileSync("ps", ["-o", "pid=", "--ppid", String(pid)])
  .toString().split(/\s+/).filter(Boolean).map(Number);
const nameOf = (pid) => {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  } catch {
    return ""; // it has just ended
  }
};
const master = () => childrenOf(server.child.pid).find((pid) => nameOf(pid) === "nginx");

/** Reloads, and resolves with the new worker once it is alone. */
async function reload() {
  const nginx = master();
  const [old] = childrenOf(nginx);
  process.kill(nginx, "SIGHUP");
  return until("the old worker's end", () => {
    const workers = childrenOf(nginx);
    return workers.length === 1 && workers[0] !== old && workers[0];
  }, 15_000);
}

test("phoenix.js comes back by itself, every mirror is exact", options, async (t) => {
  const topic = "room:reload";
  const members = [];
  for (let i = 0; i < clientCount; i++) {
    members.push(await new Client(server, `user-${i}`).join(topic, { device: "node" }));
  }
  const sockets = members.map((member) => member.channel.socket);
  const closes = sockets.map(() => []);
  sockets.forEach((socket, i) => socket.onClose((event) => closes[i].push(event.code)));
  const everybody = members.map((_, i) => `user-${i}`).sort();
  const isExact = (member) => JSON.stringify(member.keys) === JSON.stringify(everybody)
    && everybody.every((key) => member.metas(key).length === 1);

  for (let round = 1; round <= reloadCount; round++) {
    const started = performance.now();
    await reload();
    await until("everybody's return", () => members.every((member) =>
      member.channel.state === "joined" && member.of("presence_state").length >= round + 1
      && isExact(member)), 20_000);
    t.diagnostic(`reload ${round}: all back after ${Math.round(performance.now() - started)} ms`);
    assert.deepEqual(await members[0].push("shout", { round }), {});
    assert.deepEqual(await members[clientCount - 1].next("shout", round), { round });
  }
  assert.deepEqual(closes, sockets.map(() => Array(reloadCount).fill(1012)));
  await Promise.all(members.slice(1).map((member) =>
    new Promise((done) => member.channel.leave().receive("ok", done))));
  await until("everybody's leave", () => members[0].keys.length === 1);
});

test("a page needs no reload of its own, and nobody seems to leave", options, async () => {
  chromium = await launch();
  const ann = await enter(chromium.browser, server, "Ann", { room: "reload" });
  const ben = await enter(chromium.browser, server, "Ben", { room: "reload" });
  await ann.waitForSelector(personSelector("Ben"));
  await ann.evaluate(() => {
    window.isSamePage = true;
  });
  await reload();
  await say(ann, "After the reload");
  await ben.waitForFunction(() => document.querySelector(".log").textContent.includes("After the reload"));
  await sleep(graceMs);
  for (const page of [ann, ben]) {
    assert.equal(await page.locator(".person:not(.going)").count(), 2);
    const said = await page.locator(".notice span").allTextContents();
    assert.deepEqual(said.filter((text) => text.includes("left")), []);
    assert.deepEqual(page.complaints, []);
  }
  assert.equal(await ann.evaluate(() => window.isSamePage), true);
});

test("nginx has nothing to complain of", options, () => {
  assert.deepEqual(server.output.split("\n").filter((line) => /\[(warn|error|crit|alert|emerg)\]/.test(line)), []);
});
