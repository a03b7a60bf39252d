// phoenix.js in Node: the published classes over the package `ws`, with a record of what came.
import * as newest from "phoenix";
import WebSocket from "ws";
import { until } from "./wait.mjs";

const open = new Set();

/** Disconnects every client a test has left. */
export function disconnectAll() {
  for (const client of open) client.disconnect();
}

class Member {
  constructor(client, topic, params) {
    this.frames = []; // {event, payload} in the order in which they came
    this.joined = []; // what onJoin and onLeave of Presence were called with
    this.left = [];
    this.channel = client.socket.channel(topic, params);
    this.channel.onMessage = (event, payload) => {
      this.frames.push({ event, payload: structuredClone(payload) });
      return payload;
    };
    this.presence = new client.phoenix.Presence(this.channel);
    this.presence.onJoin((key, current) => this.joined.push({ key, isFirst: !current }));
    this.presence.onLeave((key, current) => this.left.push({ key, isLast: current.metas.length === 0 }));
  }

  of(event) {
    return this.frames.filter((frame) => frame.event === event).map((frame) => frame.payload);
  }

  get keys() {
    return Object.getOwnPropertyNames(this.presence.state).sort();
  }

  metas(key) {
    return this.presence.state[key]?.metas ?? [];
  }

  /** Resolves with the reply's response; fails with one that is not ok. */
  push(event, payload) {
    return reply(this.channel.push(event, payload));
  }

  sees(key, devices = 1) {
    return until(`${JSON.stringify(key)} with ${devices} metas`, () => this.metas(key).length === devices);
  }

  next(event, count = 1) {
    return until(`${event} number ${count}`, () => this.of(event)[count - 1]);
  }
}

export function reply(push) {
  return new Promise((accept, refuse) => {
    push.receive("ok", accept)
      .receive("error", (response) => refuse(Object.assign(new Error("error reply"), { response })))
      .receive("timeout", () => refuse(new Error("no reply in time")));
  });
}

export class Client {
  /**
   * `phoenix` in the options is another release's classes, `codec` what its Socket encodes and decodes
   * by, with long polling too, where it ignores such options; the rest is the Socket's.
   */
  constructor(server, userId, { phoenix = newest, codec, ...options } = {}) {
    this.phoenix = phoenix;
    this.frames = [];
    this.closes = [];
    this.errors = [];
    this.socket = new phoenix.Socket(server.socketUrl, {
      transport: WebSocket,
      params: userId === undefined ? {} : { user_id: userId },
      ...options,
    });
    Object.assign(this.socket, codec);
    this.socket.onMessage((message) => this.frames.push(message));
    this.socket.onClose((event) => this.closes.push(event.code));
    this.socket.onError((error) => this.errors.push(error?.message ?? String(error)));
    this.socket.connect();
    open.add(this);
  }

  async join(topic, params = {}) {
    const member = new Member(this, topic, params);
    member.response = await reply(member.channel.join());
    await until("presence_state", () => member.of("presence_state").length > 0);
    return member;
  }

  disconnect() {
    open.delete(this);
    return new Promise((done) => this.socket.disconnect(done));
  }

  /** The connection ends without a goodbye. */
  cut() {
    open.delete(this);
    const { conn } = this.socket;
    this.socket.reconnectTimer.reset();
    this.socket.connect = () => {};
    conn.terminate();
  }
}
