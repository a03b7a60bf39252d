// A thousand clients of one room at once: every mirror, kept by phoenix.js's own functions, must end
// exactly as the server tells a newcomer.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Presence } from "phoenix";
import WebSocket from "ws";
import { Server } from "./support/server.mjs";
import { until } from "./support/wait.mjs";

const clients = 1000;
const topic = "room:storm";
const options = { timeout: 240_000 };
const settleWithinMs = 120_000; // the mirrors cost this process far more than they cost the server

let server;
const crowd = [];

// All observers live in this one process: what the server sent to all alike is parsed once, so that
// the figures are about the server.
const parsed = new Map();

function parse(text) {
  let message = parsed.get(text);
  if (!message) {
    message = JSON.parse(text);
    // A state is changed by syncState, a diff is copied by syncDiff first.
    if (message[3] === "presence_diff") {
      if (parsed.size >= 16) parsed.delete(parsed.keys().next().value);
      parsed.set(text, message);
    }
  }
  return message;
}

/** A client with no more than a mirror: one socket, one topic, join_ref "1". */
class Light {
  constructor(userId) {
    this.userId = userId;
    this.state = null;
    this.early = []; // diffs that came before the state
    this.replies = new Map();
    this.lastRef = 1;
    this.closed = null;
    this.forgetTraffic();
  }

  forgetTraffic() {
    this.frames = 0;
    this.bytes = 0;
  }

  open() {
    const url = `${server.socketUrl}/websocket?vsn=2.0.0&user_id=${encodeURIComponent(this.userId)}`;
    this.socket = new WebSocket(url, { perMessageDeflate: false });
    this.socket.on("message", (data) => this.hear(String(data), data.length));
    this.socket.on("close", (code) => {
      this.closed = code;
    });
    return new Promise((accept, refuse) => this.socket.once("open", accept).once("error", refuse));
  }

  send(ref, event, payload) {
    this.socket.send(JSON.stringify(["1", ref, topic, event, payload]));
    return new Promise((accept) => this.replies.set(ref, accept));
  }

  join() {
    return this.send("1", "phx_join", { device: "storm", online_at: 1700000000 });
  }

  push(event, payload) {
    this.lastRef += 1;
    return this.send(String(this.lastRef), event, payload);
  }

  beat() {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send('[null,"beat","phoenix","heartbeat",{}]');
  }

  hear(text, bytes) {
    const [, ref, , event, payload] = parse(text);
    if (event === "phx_reply") {
      this.replies.get(ref)?.(payload);
      this.replies.delete(ref);
      return;
    }
    if (event === "presence_state") {
      this.state = Presence.syncState(this.state ?? Object.create(null), payload);
      for (const diff of this.early) this.state = Presence.syncDiff(this.state, diff);
      this.early = [];
    } else if (event === "presence_diff") {
      if (this.state) this.state = Presence.syncDiff(this.state, payload);
      else this.early.push(payload);
    } else {
      return;
    }
    this.frames += 1;
    this.bytes += bytes;
  }

  close() {
    this.socket?.terminate();
  }
}

/** What an entry says, as text; the order of metas is presentation. */
const entryText = ({ metas }) => metas.map((meta) => `${meta.phx_ref} ${meta.status ?? ""}`).sort().join("\n");

const contentOf = (state) =>
  new Map(Object.getOwnPropertyNames(state).map((key) => [key, entryText(state[key])]));

function equals(state, truth) {
  const keys = Object.getOwnPropertyNames(state ?? {});
  return keys.length === truth.size && keys.every((key) => entryText(state[key]) === truth.get(key));
}

/** A newcomer's presence_state is the truth; every mirror must come to be it. */
async function assertExact(t, name, observers, people) {
  const fresh = new Light(name);
  await fresh.open();
  assert.equal((await fresh.join()).status, "ok");
  await until("presence_state", () => fresh.state);
  const truth = contentOf(fresh.state);
  await until("exact mirrors", forAll(observers, (one) => equals(one.state, truth)), settleWithinMs)
    .catch(() => {}); // which ones differ is said below
  const wrong = observers.filter((one) => !equals(one.state, truth));
  const detail = wrong.slice(0, 3).map((one) =>
    `${one.userId}: ${Object.keys(one.state ?? {}).length} keys, closed ${one.closed}`).join("; ");
  fresh.close();
  await until("farewell of the newcomer",
    forAll(observers, (one) => !Object.hasOwn(one.state ?? {}, name)), settleWithinMs);
  assert.equal(Object.getOwnPropertyNames(fresh.state).length, people + 1);
  assert.equal(wrong.length, 0, `${wrong.length} mirrors differ: ${detail}`);
  t.diagnostic(`${observers.length} mirrors exact, ${people} people`);
}

/** Starts to measure; the result tells the test what it took. */
function measure(t, what, observers) {
  for (const one of observers) one.forgetTraffic();
  const started = performance.now();
  const cpuBefore = server.cpuMs();
  return () => reportTraffic(t, what, observers, performance.now() - started, server.cpuMs() - cpuBefore);
}

function reportTraffic(t, what, observers, ms, serverCpuMs) {
  const spread = (pick, unit) => {
    const values = observers.map(pick).sort((a, b) => a - b);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return `${values[0]} to ${values[values.length - 1]} ${unit}, mean ${mean.toFixed(1)}`;
  };
  t.diagnostic(`${what}: ${Math.round(ms)} ms, of which the server computed ${serverCpuMs} ms; an observer got ${spread((one) => one.frames, "frames")}; `
    + `${spread((one) => one.bytes, "bytes")}`);
}

/** A probe for what, once true of an observer, stays true: nobody is asked again. */
function forAll(observers, holds) {
  let next = 0;
  return () => {
    while (next < observers.length && holds(observers[next])) next += 1;
    return next === observers.length;
  };
}

const everybodySees = (observers, people) => forAll(observers,
  (one) => Object.getOwnPropertyNames(one.state ?? {}).length === people);

// As phoenix.js does: a socket that says nothing for a minute is closed.
const heartbeats = setInterval(() => crowd.forEach((one) => one.beat()), 20_000);

before(async () => {
  server = await Server.start();
});
after(async () => {
  clearInterval(heartbeats);
  for (const one of crowd) one.close();
  await server?.stop();
});

test(`${clients} clients join one room at once`, options, async (t) => {
  for (let i = 0; i < clients; i++) crowd.push(new Light(`user-${i}`));
  for (let i = 0; i < clients; i += 100) {
    await Promise.all(crowd.slice(i, i + 100).map((one) => one.open()));
  }
  const report = measure(t, "storm of joins", crowd);
  const started = performance.now();
  const replies = await Promise.all(crowd.map((one) => one.join()));
  t.diagnostic(`all joins answered after ${Math.round(performance.now() - started)} ms`);
  assert.ok(replies.every((reply) => reply.status === "ok"));
  await until("view of everybody with everybody", everybodySees(crowd, clients), settleWithinMs);
  report();
  await assertExact(t, "newcomer", crowd, clients);
});

test("a quarter of them set a status at once", options, async (t) => {
  const busy = crowd.slice(0, clients / 4);
  const report = measure(t, "storm of statuses", crowd);
  const replies = await Promise.all(busy.map((one) => one.push("status", { status: "busy" })));
  assert.ok(replies.every((reply) => reply.status === "ok"));
  const isBusy = (one) => busy.every(({ userId }) => one.state[userId]?.metas[0]?.status === "busy");
  await until("view of the statuses with everybody", forAll(crowd, isBusy), settleWithinMs);
  report();
  await assertExact(t, "second newcomer", crowd, clients);
});

test("half of them break off at once", options, async (t) => {
  const leaving = crowd.splice(0, clients / 2);
  const report = measure(t, "storm of leaves", crowd);
  for (const one of leaving) one.close();
  await until("view of those who stay", everybodySees(crowd, clients / 2), settleWithinMs);
  report();
  await assertExact(t, "third newcomer", crowd, clients / 2);
  assert.ok(crowd.every((one) => one.closed === null), "nobody who stayed was thrown out");
});
