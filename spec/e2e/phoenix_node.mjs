// phoenix.js, as it is published, against the demo's server.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import WebSocket from "ws";
import { Client, disconnectAll, reply } from "./support/phoenix_client.mjs";
import { Server } from "./support/server.mjs";
import { sleep, until } from "./support/wait.mjs";

const options = { timeout: 30_000 };
let server;
let rooms = 0;
const newRoom = () => `room:phoenix-${++rooms}`;

before(async () => {
  server = await Server.start();
});
afterEach(disconnectAll);
after(() => server?.stop());

/** A WebSocket without phoenix.js: frames as text. */
async function rawSocket(query) {
  const socket = new WebSocket(`${server.socketUrl}/websocket?vsn=2.0.0&${query}`);
  const texts = [];
  socket.on("message", (data) => texts.push(String(data)));
  await new Promise((accept, refuse) => socket.once("open", accept).once("error", refuse));
  return { socket, texts, close: () => socket.terminate() };
}

test("a join is answered, then comes presence_state with the joiner in it", options, async () => {
  const topic = newRoom();
  const client = new Client(server, "ann");
  const ann = await client.join(topic, { device: "laptop", online_at: 1700000000 });
  assert.deepEqual(ann.response, {});
  const events = client.frames.filter((frame) => frame.topic === topic).map((frame) => frame.event);
  assert.deepEqual(events, ["phx_reply", "presence_state"]);
  assert.deepEqual(ann.keys, ["ann"]);
  const [meta, ...others] = ann.metas("ann");
  assert.equal(others.length, 0);
  assert.equal(meta.device, "laptop");
  assert.equal(meta.online_at, 1700000000);
  assert.equal(typeof meta.phx_ref, "string");
  assert.deepEqual(Object.keys(meta).sort(), ["device", "online_at", "phx_ref"]);
  assert.deepEqual(ann.joined, [{ key: "ann", isFirst: true }], "a joiner is told of itself once");
});

test("another's join and leave come as one presence_diff each", options, async () => {
  const topic = newRoom();
  const ann = await new Client(server, "ann").join(topic);
  const ben = await new Client(server, "ben").join(topic, { device: "phone" });
  assert.deepEqual(ben.keys, ["ann", "ben"]);
  await ann.sees("ben");
  const [meta] = ann.metas("ben");
  assert.deepEqual(ann.of("presence_diff"), [{ joins: { ben: { metas: [meta] } }, leaves: {} }]);

  await reply(ben.channel.leave());
  const diff = await ann.next("presence_diff", 2);
  assert.deepEqual(diff, { joins: {}, leaves: { ben: { metas: [meta] } } });
  assert.deepEqual(ann.keys, ["ann"]);
  assert.deepEqual(ann.left, [{ key: "ben", isLast: true }]);
});

test("a connection that closes or just breaks leaves", options, async () => {
  const topic = newRoom();
  const ann = await new Client(server, "ann").join(topic);
  const closing = new Client(server, "closing");
  const breaking = new Client(server, "breaking");
  await closing.join(topic);
  await breaking.join(topic);
  await ann.sees("closing");
  await ann.sees("breaking");
  closing.disconnect();
  await ann.sees("closing", 0);
  breaking.cut();
  await ann.sees("breaking", 0);
  assert.deepEqual(ann.keys, ["ann"]);
});

test("two devices of one user are two metas; each leaves alone", options, async () => {
  const topic = newRoom();
  const ann = await new Client(server, "ann").join(topic);
  const laptop = await new Client(server, "ben").join(topic, { device: "laptop" });
  await ann.sees("ben", 1);
  const phone = await new Client(server, "ben").join(topic, { device: "phone" });
  await ann.sees("ben", 2);
  assert.deepEqual(ann.metas("ben").map((meta) => meta.device), ["laptop", "phone"], "oldest first");
  assert.deepEqual(phone.metas("ben").map((meta) => meta.device), ["laptop", "phone"]);
  await reply(laptop.channel.leave());
  await ann.sees("ben", 1);
  assert.deepEqual(ann.metas("ben").map((meta) => meta.device), ["phone"]);
  await reply(phone.channel.leave());
  await ann.sees("ben", 0);
  assert.deepEqual(ann.joined.filter(({ key }) => key === "ben").map(({ isFirst }) => isFirst), [true, false]);
  assert.deepEqual(ann.left.map(({ isLast }) => isLast), [false, true]);
});

test("a status is one diff, and the mirror keeps one meta", options, async () => {
  const topic = newRoom();
  const ann = await new Client(server, "ann").join(topic);
  const ben = await new Client(server, "ben").join(topic, { device: "phone", online_at: 5 });
  await ann.sees("ben");
  const [old] = ann.metas("ben");
  assert.deepEqual(await ben.push("status", { status: "away", status_text: "lunch" }), {});
  const diff = await ann.next("presence_diff", 2);
  const [meta] = ann.metas("ben");
  assert.deepEqual(diff, { joins: { ben: { metas: [meta] } }, leaves: { ben: { metas: [old] } } });
  assert.equal(ann.metas("ben").length, 1);
  assert.notEqual(meta.phx_ref, old.phx_ref);
  assert.deepEqual(meta, {
    device: "phone", online_at: 5, status: "away", status_text: "lunch",
    phx_ref: meta.phx_ref, phx_ref_prev: old.phx_ref,
  });
});

test("an equal status is no news", options, async () => {
  const topic = newRoom();
  const ann = await new Client(server, "ann").join(topic);
  const ben = await new Client(server, "ben").join(topic);
  await ben.push("status", { status: "busy" });
  await until("the status", () => ann.metas("ben")[0]?.status === "busy");
  const seen = ann.of("presence_diff").length;
  await ben.push("status", { status: "busy" });
  // What comes after it is the next that is heard.
  await new Client(server, "cho").join(topic);
  await ann.sees("cho");
  const diffs = ann.of("presence_diff").slice(seen);
  assert.deepEqual(diffs.map((diff) => [Object.keys(diff.joins), diff.leaves]), [[["cho"], {}]]);
});

test("bad statuses and joins are refused in words, and change nothing", options, async () => {
  const topic = newRoom();
  const ann = await new Client(server, "ann").join(topic, { device: "laptop" });
  const before = ann.metas("ann");
  for (const bad of [{ status: { deep: 1 } }, { status: "x".repeat(600) }, [1, 2], "text"]) {
    await assert.rejects(ann.push("status", bad), (error) => typeof error.response?.reason === "string");
  }
  for (const bad of [{ device: 7 }, { online_at: {} }, { device: "x".repeat(600) }]) {
    await assert.rejects(new Client(server, "ben").join(topic, bad),
      (error) => typeof error.response?.reason === "string");
  }
  disconnectAll();
  const cho = await new Client(server, "cho").join(topic);
  assert.deepEqual(cho.keys, ["cho"]);
  assert.equal(ann.metas("ann"), before);
});

test("a client cannot choose its phx_ref", options, async () => {
  const topic = newRoom();
  const ann = await new Client(server, "ann").join(topic);
  const ben = await new Client(server, "ben").join(topic, { phx_ref: "mine", device: "phone" });
  await ann.sees("ben");
  assert.notEqual(ann.metas("ben")[0].phx_ref, "mine");
  await ben.push("status", { phx_ref: "mine", phx_ref_prev: "mine", status: "away" });
  await until("the status", () => ann.metas("ben")[0]?.status === "away");
  assert.notEqual(ann.metas("ben")[0].phx_ref, "mine");
  assert.notEqual(ann.metas("ben")[0].phx_ref_prev, "mine");
});

test("a shout is answered {} and reaches everybody, its sender too", options, async () => {
  const topic = newRoom();
  const ann = await new Client(server, "ann").join(topic);
  const ben = await new Client(server, "ben").join(topic);
  const elsewhere = await new Client(server, "cho").join(newRoom());
  const message = { body: "hello — ¿qué tal? 👩‍🚀 <b>", list: [], nested: { deep: [null, true, 1.5] } };
  assert.deepEqual(await ann.push("shout", message), {});
  assert.deepEqual(await ann.next("shout"), message);
  assert.deepEqual(await ben.next("shout"), message);
  assert.equal(elsewhere.of("shout").length, 0);
});

test("a shout keeps its bytes", options, async () => {
  const topic = newRoom();
  const raw = await rawSocket("user_id=raw");
  try {
    raw.socket.send(`["1","1","${topic}","phx_join",{}]`);
    await until("the join", () => raw.texts.length >= 2);
    const payload = '{ "n":12345678901234567890, "e":[], "u":"\\u00e9" }';
    raw.socket.send(`["1","2","${topic}","shout",${payload}]`);
    await until("the shout", () => raw.texts.some((text) => text.includes('"shout"')));
    const text = raw.texts.find((one) => one.includes('"shout"'));
    assert.ok(text.includes(payload), text);
  } finally {
    raw.close();
  }
});

test("typing reaches the others only, by the name that the server knows", options, async () => {
  const topic = newRoom();
  const ann = await new Client(server, "ann").join(topic);
  const ben = await new Client(server, "ben").join(topic);
  // It is never answered; phoenix.js would wait its ten seconds for that.
  ann.channel.push("typing", { typing: true, user: "somebody else" }, 200);
  assert.deepEqual(await ben.next("typing"), { user: "ann", typing: true });
  await ann.push("shout", { after: true });
  await ann.next("shout");
  assert.equal(ann.of("typing").length, 0);
  const cho = await new Client(server, "cho").join(topic);
  assert.equal(cho.of("typing").length, 0, "typing is kept nowhere");
});

test("a connect without a user is refused with 403", options, async () => {
  const client = new Client(server, undefined, { reconnectAfterMs: () => 60_000 });
  await until("an error", () => client.errors.length > 0);
  assert.match(client.errors[0], /403/);
  const queries = { "": 403, "user_id=": 403, [`user_id=${"x".repeat(300)}`]: 403, "user_id=%ff": 400 };
  for (const [query, expected] of Object.entries(queries)) {
    const socket = new WebSocket(`${server.socketUrl}/websocket?vsn=2.0.0&${query}`);
    const status = await new Promise((accept) => {
      socket.on("unexpected-response", (_, response) => accept(response.statusCode));
      socket.on("open", () => accept("open"));
      socket.on("error", () => {});
    });
    socket.terminate();
    assert.equal(status, expected, query.slice(0, 20));
  }
});

test("a topic that nobody serves is refused", options, async () => {
  const client = new Client(server, "ann");
  await assert.rejects(client.join("nowhere:1"), (error) => {
    assert.deepEqual(error.response, { reason: "unmatched topic" });
    return true;
  });
});

test("an unknown event ends its channel alone, and phoenix.js rejoins", options, async () => {
  const client = new Client(server, "ann", { rejoinAfterMs: () => 50 });
  const one = await client.join(newRoom());
  const other = await client.join(newRoom());
  const before = one.metas("ann")[0].phx_ref;
  one.channel.push("no_such_event", {}, 200);
  await until("the rejoin", () => one.of("presence_state").length === 2);
  await until("the new ref", () => one.metas("ann").length === 1 && one.metas("ann")[0].phx_ref !== before);
  assert.equal(one.of("phx_error").length, 1);
  assert.deepEqual(await other.push("shout", {}), {});
  assert.equal(other.of("phx_error").length, 0);
});

test("heartbeats are answered and keep the socket", options, async () => {
  const client = new Client(server, "ann", { heartbeatIntervalMs: 60 });
  const beats = () => client.frames.filter((frame) => frame.topic === "phoenix");
  await until("five heartbeats", () => beats().length >= 5);
  assert.deepEqual(beats()[0].payload, { status: "ok", response: {} });
  assert.equal(beats()[0].join_ref, null);
  assert.deepEqual(client.closes, []);
});

for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty", "Zoë 👩‍🚀", "日本", "a\u0000b", " ", "\u202egnp"]) {
  test(`a user may be called ${JSON.stringify(name)}`, options, async () => {
    const topic = newRoom();
    const ann = await new Client(server, "ann").join(topic);
    const odd = new Client(server, name);
    const member = await odd.join(topic, { device: "phone" });
    await ann.sees(name);
    assert.deepEqual(ann.keys, ["ann", name].sort());
    assert.deepEqual(member.keys, ["ann", name].sort());
    assert.equal(Object.getPrototypeOf(ann.presence.state), null);
    await member.push("status", { status: "away" });
    await until("the status", () => ann.metas(name)[0]?.status === "away");
    assert.equal(ann.metas(name).length, 1);
    odd.disconnect();
    await ann.sees(name, 0);
    assert.deepEqual(ann.keys, ["ann"]);
  });
}

test("a restart of the server is survived by the same Socket", options, async (t) => {
  const topic = newRoom();
  const [annSocket, benSocket] = [new Client(server, "ann"), new Client(server, "ben")];
  const ann = await annSocket.join(topic);
  const ben = await benSocket.join(topic);
  await ann.sees("ben");
  const oldRef = ann.metas("ben")[0].phx_ref;

  const stopped = await server.stop();
  t.diagnostic(`stopped in ${stopped.ms} ms`);
  assert.deepEqual([stopped.code, stopped.signal], [0, null]);
  await until("the close", () => annSocket.closes.length > 0 && benSocket.closes.length > 0);
  assert.equal(annSocket.closes[0], 1012);
  assert.equal(benSocket.closes[0], 1012);

  await server.start();
  const started = performance.now();
  await until("everybody's return", () =>
    ann.of("presence_state").length === 2 && ben.of("presence_state").length === 2
    && ann.metas("ben").length === 1 && ben.metas("ann").length === 1, 20_000);
  t.diagnostic(`both back ${Math.round(performance.now() - started)} ms after the server`);
  assert.notEqual(ann.metas("ben")[0].phx_ref, oldRef, "refs are never used twice");
  assert.deepEqual(ann.keys, ["ann", "ben"]);
  assert.deepEqual(ben.keys, ["ann", "ben"]);
  assert.deepEqual(await ann.push("shout", { again: true }), {});
  assert.deepEqual(await ben.next("shout"), { again: true });
  await sleep(100);
  assert.deepEqual(ann.metas("ann").length, 1);
});
