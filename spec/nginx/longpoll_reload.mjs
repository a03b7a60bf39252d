// nginx -s reload under 200 clients that long poll: phoenix.js of two ages, mirrors kept by it.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, test } from "node:test";
import * as newest from "phoenix";
import { Client, disconnectAll } from "../e2e/support/phoenix_client.mjs";
import { Server } from "../e2e/support/server.mjs";
import { sleep, until } from "../e2e/support/wait.mjs";
import { XMLHttpRequest } from "../e2e/support/xhr.mjs";

globalThis.window = { XMLHttpRequest, addEventListener() {} };
const old = createRequire(import.meta.url)("phoenix-1.6");

const command = "lua5.4 spec/nginx/wire_server.lua";
const clientCount = 200;
const reloadCount = 3;
const topic = "room:reload";
let server;
after(() => server?.stop());

/** phx_refs of a mirror, by key. */
const refsOf = (member) => Object.fromEntries(Object.entries(member.presence.state)
  .map(([key, { metas }]) => [key, metas.map((meta) => meta.phx_ref)]));

test("all come back by themselves, every mirror is exact, nginx has no complaint", { timeout: 120_000 }, async (t) => {
  server = await Server.start({ command });
  const members = await Promise.all(Array.from({ length: clientCount }, (_, i) => {
    const phoenix = i % 2 ? old : newest;
    return new Client(server, `user-${i}`, { phoenix, transport: phoenix.LongPoll }).join(topic);
  }));
  const everybody = members.map((_, i) => `user-${i}`).sort();
  const isWhole = (member) => member.keys.length === clientCount
    && everybody.every((key) => member.metas(key).length === 1);
  await until("everybody", () => members.every(isWhole), 20_000);
  let refs = refsOf(members[0]);

  for (let round = 1; round <= reloadCount; round++) {
    const started = performance.now();
    server.child.kill("SIGHUP");
    const isNew = (member, i) => isWhole(member) && member.channel.state === "joined"
      && member.metas(`user-${i}`)[0].phx_ref !== refs[`user-${i}`][0];
    await until("everybody's return", () => members.every(isNew), 40_000);
    t.diagnostic(`reload ${round}: all back after ${Math.round(performance.now() - started)} ms`);
    await sleep(300); // what is on its way arrives
    const witness = await new Client(server, "witness").join(topic);
    refs = refsOf(witness);
    await until("the witness", () => members.every((member) => member.metas("witness").length === 1));
    for (const member of members) assert.deepEqual(refsOf(member), refs);
    await Promise.all([0, 1].map((i) => members[i].push("shout", { round })));
    await until("the shouts", () => members.every((member) =>
      member.of("shout").filter((payload) => payload.round === round).length === 2));
    await new Promise((done) => witness.channel.leave().receive("ok", done));
    await until("the witness' leave", () => members.every((member) => member.metas("witness").length === 0));
  }
  disconnectAll();
  await server.stop();
  assert.equal(server.output.trim(), server.url);
});
