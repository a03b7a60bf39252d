// Long polls over HTTP/2, as browsers send them to an nginx that speaks TLS.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, constants } from "node:http2";
import { after, afterEach, before, test } from "node:test";
import { Server, freePort } from "../e2e/support/server.mjs";
import { sleep } from "../e2e/support/wait.mjs";

const options = { timeout: 30_000 };
const beat = '[null,"b","phoenix","heartbeat",{}]';
const beatReply = '[null,"b","phoenix","phx_reply",{"status":"ok","response":{}}]';
let server;
let session;

before(async () => {
  const port = await freePort();
  server = await Server.start({ command: `env HTTP2_PORT=${port} lua5.4 spec/nginx/wire_server.lua` });
  session = connect(`http://127.0.0.1:${port}`);
});
const streams = new Set();
afterEach(() => streams.forEach((stream) => stream.close()));
after(async () => {
  session?.close();
  await server?.stop();
  assert.equal(server.output.trim(), server.url, "nginx has no complaint");
});

function open(method, query, headers = {}) {
  const stream = session.request({
    ":method": method, ":path": `/socket/longpoll?vsn=2.0.0&user_id=ann&${query}`, ...headers,
  });
  streams.add(stream);
  stream.once("close", () => streams.delete(stream));
  return stream;
}

/** What the answer is, its body decoded when it is JSON. */
async function answerOf(stream) {
  const [headers] = await once(stream, "response");
  let text = "";
  for await (const chunk of stream.setEncoding("utf8")) text += chunk;
  const isJson = headers["content-type"].startsWith("application/json");
  return { status: headers[":status"], body: isJson ? JSON.parse(text) : text };
}

function post(token, body, headers = { "content-length": Buffer.byteLength(body) }) {
  const stream = open("POST", `token=${token}`, headers);
  stream.end(body);
  return answerOf(stream);
}

async function newToken() {
  const { body } = await answerOf(open("GET", "").end());
  assert.equal(body.status, 410);
  return body.token;
}

const poll = (token) => answerOf(open("GET", `token=${token}`).end());

test("a session polls and posts", options, async () => {
  const token = await newToken();
  const waiting = poll(token);
  await sleep(50);
  assert.deepEqual(await post(token, beat), { status: 200, body: { status: 200 } });
  assert.deepEqual((await waiting).body, { status: 200, token, messages: [beatReply] });
  assert.equal((await poll(token)).body.status, 204);
});

test("a large body comes in pieces", options, async () => {
  const token = await newToken();
  const body = beat.slice(0, -1) + " ".repeat(60_000) + "]";
  const stream = open("POST", `token=${token}`, { "content-length": body.length });
  const answer = answerOf(stream);
  for (let at = 0; at < body.length; at += 10_000) {
    stream.write(body.slice(at, at + 10_000));
    await sleep(2);
  }
  stream.end();
  assert.deepEqual((await answer).body, { status: 200 });
  assert.deepEqual((await poll(token)).body.messages, [beatReply]);
});

test("a body whose length is not told is refused, 411, and one that is too large, 413", options, async () => {
  const token = await newToken();
  assert.equal((await post(token, beat, {})).status, 411);
  const tooLarge = open("POST", `token=${token}`, { "content-length": 2_000_000 });
  tooLarge.write("x");
  assert.deepEqual(await answerOf(tooLarge), { status: 200, body: { status: 413 } });
  assert.deepEqual((await post(token, beat)).body, { status: 200 });
});

test("a poll that is reset loses nothing", options, async () => {
  const token = await newToken();
  const stream = open("GET", `token=${token}`);
  stream.end();
  stream.on("error", () => {});
  await sleep(50);
  stream.close(constants.NGHTTP2_CANCEL);
  await sleep(50);
  assert.deepEqual((await post(token, beat)).body, { status: 200 });
  assert.deepEqual((await poll(token)).body.messages, [beatReply]);
});
