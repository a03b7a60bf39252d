// phoenix.js of several ages, as published, over each protocol version and transport: the newest,
// 1.6 (long polling by XMLHttpRequest, one message a post) and 1.2 (it knows version 1 alone).
// PRESENCE_WIRE_CMD names the command that serves spec/e2e/support/wire_app.lua, by default on luv.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, afterEach, before, test } from "node:test";
import WebSocket from "ws";
import * as newest from "phoenix";
import { Client, disconnectAll, reply } from "./support/phoenix_client.mjs";
import { Server } from "./support/server.mjs";
import { until } from "./support/wait.mjs";
import { XMLHttpRequest } from "./support/xhr.mjs";

// Release 1.6 looks for a window when it is loaded; the newest, which came before, polls by fetch.
globalThis.window = { XMLHttpRequest, addEventListener() {} };
const require = createRequire(import.meta.url);
const releases = { "1.8.16": newest, "1.6.16": require("phoenix-1.6") };
const oldest = require("phoenix-1.2");
const options = { timeout: 30_000 };

// Bytes and long polls need an application, and options, of their own.
const command = process.env.PRESENCE_WIRE_CMD || "lua5.4 spec/e2e/support/wire_server.lua";
let server;
let rooms = 0;
const newRoom = () => `room:releases-${++rooms}`;

before(async () => {
  server = await Server.start({ command });
});
afterEach(disconnectAll);
after(() => server?.stop());

const version1 = {
  vsn: "1.0.0",
  codec: {
    encode: (message, done) => done(JSON.stringify(message)),
    decode: (text, done) => done(JSON.parse(text)),
  },
};

async function seesEachOther(one, other) {
  await one.sees("ben");
  assert.deepEqual(other.keys, ["ann", "ben"]);
  assert.deepEqual(await one.push("shout", { body: "hé" }), {});
  assert.deepEqual(await other.next("shout"), { body: "hé" });
  assert.deepEqual(await one.next("shout"), { body: "hé" });
  assert.deepEqual(await other.push("update", { device: "tablet" }), {});
  await until("the update", () => one.metas("ben")[0]?.device === "tablet");
  assert.equal(one.metas("ben").length, 1);
}

async function leavesAreSeen(one, other) {
  await reply(other.channel.leave());
  await one.sees("ben", 0);
  assert.deepEqual(one.keys, ["ann"]);
  // Of the update, and of the leave.
  assert.deepEqual(one.left.map(({ isLast }) => isLast), [false, true]);
}

for (const [release, phoenix] of Object.entries(releases)) {
  const transports = {
    "version 2": {},
    "version 1": version1,
    "long polling": { transport: phoenix.LongPoll },
    "long polling of version 1": { transport: phoenix.LongPoll, ...version1 },
  };
  for (const [name, more] of Object.entries(transports)) {
    test(`${release}, ${name}: presence, events, updates and leaves`, options, async () => {
      const topic = newRoom();
      const ann = await new Client(server, "ann", { phoenix, ...more }).join(topic, { device: "laptop" });
      const ben = await new Client(server, "ben", { phoenix }).join(topic, { device: "phone" });
      await seesEachOther(ann, ben);
      await leavesAreSeen(ann, ben);
    });

    test(`${release}, ${name}: a restart is survived by the same Socket`, options, async () => {
      const topic = newRoom();
      const ann = await new Client(server, "ann", { phoenix, ...more }).join(topic);
      const oldRef = ann.metas("ann")[0].phx_ref;
      const stopped = await server.stop();
      assert.deepEqual([stopped.code, stopped.signal], [0, null]);
      await server.start();
      await until("the return", () => ann.of("presence_state").length >= 2
        && ann.metas("ann").length === 1 && ann.metas("ann")[0].phx_ref !== oldRef, 20_000);
      const ben = await new Client(server, "ben", { phoenix }).join(topic);
      await seesEachOther(ann, ben);
    });
  }

  test(`${release}: bytes are pushed, answered, and broadcast`, options, async () => {
    const topic = newRoom();
    const ann = await new Client(server, "ann", { phoenix }).join(topic);
    const ben = await new Client(server, "ben", { phoenix }).join(topic);
    const old = await new Client(server, "old", { phoenix, ...version1 }).join(topic);
    const sent = new Uint8Array([0, 1, 255, 226, 130]).buffer;
    const response = await ann.push("bytes", sent);
    for (const got of [response, await ann.next("pushed"), await ann.next("shared"), await ben.next("shared")]) {
      assert.deepEqual(new Uint8Array(got), new Uint8Array(sent));
    }
    await ann.push("shout", { after: "bytes" });
    await old.next("shout");
    assert.equal(old.of("shared").length, 0, "version 1 has no bytes");
  });
}

test("1.8.16, long polling: bytes go up", options, async () => {
  const ann = await new Client(server, "ann", { transport: newest.LongPoll }).join(newRoom());
  const sent = new Uint8Array(1000).fill(200).buffer;
  assert.deepEqual(await ann.push("measure", sent), { size: 1000, last: 200 });
});

test("1.8.16, long polling: more pushes at once than one post takes", options, async () => {
  const topic = newRoom();
  const ann = await new Client(server, "ann", { transport: newest.LongPoll }).join(topic);
  const ben = await new Client(server, "ben").join(topic);
  const pushes = [];
  for (let i = 0; i < 250; i++) pushes.push(ann.push("shout", { i }));
  await Promise.all(pushes);
  await ben.next("shout", 250);
  assert.deepEqual(ben.of("shout").map(({ i }) => i), [...Array(250).keys()]);
});

for (const name of ["__proto__", "constructor", "Zoë 👩‍🚀", "a\u0000b"]) {
  test(`1.8.16, long polling: a user may be called ${JSON.stringify(name)}`, options, async () => {
    const topic = newRoom();
    const ann = await new Client(server, "ann", { transport: newest.LongPoll }).join(topic);
    const odd = new Client(server, name, { transport: newest.LongPoll });
    const member = await odd.join(topic, { device: "phone" });
    await ann.sees(name);
    assert.deepEqual([ann.keys, member.keys], [["ann", name].sort(), ["ann", name].sort()]);
    assert.deepEqual(await member.push("update", { device: "tablet" }), {});
    await until("the update", () => ann.metas(name)[0]?.device === "tablet");
    assert.equal(ann.metas(name).length, 1);
    await reply(member.channel.leave());
    await ann.sees(name, 0);
    assert.deepEqual(ann.keys, ["ann"]);
    assert.equal({}.device, undefined);
  });
}

test("1.8.16: falls back to long polling when no WebSocket gets through", options, async () => {
  class Blocked extends WebSocket {
    constructor(url, protocols) {
      super(url.replace(/:\d+\//, ":1/"), protocols);
    }
  }
  const topic = newRoom();
  const client = new Client(server, "ann", {
    transport: Blocked, longPollFallbackMs: 200,
    sessionStorage: { getItem: () => null, setItem: () => {}, removeItem: () => {} },
  });
  const ann = await client.join(topic);
  assert.equal(client.socket.transport, newest.LongPoll);
  const ben = await new Client(server, "ben").join(topic);
  await seesEachOther(ann, ben);
});

test("1.6.16: replaces its transport by long polling after an error", options, async () => {
  const phoenix = releases["1.6.16"];
  class Blocked extends WebSocket {
    constructor(url) {
      super(url.replace(/:\d+\//, ":1/"));
    }
  }
  const client = new Client(server, "ann", { phoenix, transport: Blocked });
  client.socket.onError((_, transport, established) => {
    if (transport !== Blocked || established > 0) return;
    client.socket.replaceTransport(phoenix.LongPoll);
    client.socket.connect();
  });
  const ann = await client.join(newRoom());
  assert.deepEqual(ann.keys, ["ann"]);
});

for (const [name, transport] of Object.entries({ WebSocket, "long polling": newest.LongPoll })) {
  test(`1.8.16, ${name}: the auth token reaches connect`, options, async () => {
    const client = new Client(server, "ann", { transport, authToken: "secret/token+1>?" });
    const ann = await client.join(newRoom());
    assert.deepEqual(await ann.push("whoami", {}), { token: "secret/token+1>?" });
  });
}

test("1.8.16, long polling: a connect that is refused is 403, and tried again", options, async () => {
  const client = new Client(server, undefined, { transport: newest.LongPoll, reconnectAfterMs: () => 50 });
  await until("two refusals", () => client.closes.filter((code) => code === 1008).length >= 2);
});

const oldestTransports = {
  WebSocket: { transport: WebSocket },
  "long polling": {
    transport: oldest.LongPoll,
    // The one thing that has changed since: messages come as text, Phoenix 1.3 has it so too.
    shim: (socket) => {
      const { onConnMessage } = socket;
      socket.onConnMessage = ({ data }) => onConnMessage.call(socket, { data: JSON.parse(data) });
    },
  },
};
for (const [name, { transport, shim }] of Object.entries(oldestTransports)) {
  test(`1.2.1, ${name}: joins, speaks, survives a restart, leaves`, options, async () => {
    const topic = newRoom();
    const events = [];
    const socket = new oldest.Socket(server.socketUrl, {
      transport, params: { user_id: "ann" }, reconnectAfterMs: () => 50,
    });
    shim?.(socket);
    globalThis.XMLHttpRequest = XMLHttpRequest; // only here: the newest would no longer poll by fetch
    socket.connect();
    try {
      const channel = socket.channel(topic, { device: "laptop" });
      channel.on("presence_state", (state) => events.push(["state", Object.keys(state)]));
      channel.on("presence_diff", ({ joins, leaves }) => events.push(["diff", Object.keys(joins), Object.keys(leaves)]));
      channel.on("shout", (payload) => events.push(["shout", payload]));
      assert.deepEqual(await reply(channel.join()), {});
      await until("presence_state", () => events.length === 1);
      const ben = new Client(server, "ben");
      await ben.join(topic);
      await until("a diff", () => events.length === 2);
      assert.deepEqual(await reply(channel.push("shout", { a: [1, "é"] })), {});
      await until("a shout", () => events.length === 3);
      await ben.disconnect();
      await until("another diff", () => events.length === 4);
      await server.restart();
      await until("the return", () => events.length === 5, 20_000);
      assert.deepEqual(events, [
        ["state", ["ann"]], ["diff", ["ben"], []], ["shout", { a: [1, "é"] }], ["diff", [], ["ben"]],
        ["state", ["ann"]],
      ]);
      assert.deepEqual(await reply(channel.leave()), {});
    } finally {
      socket.disconnect();
      clearInterval(socket.heartbeatTimer); // it would go on for ever
      delete globalThis.XMLHttpRequest;
    }
  });
}
