// The parts of the page that need neither a browser nor a server.
import assert from "node:assert/strict";
import { test } from "node:test";
import { cleanName, cleanRoomName, hue, initials, joinNames } from "../../examples/chat/public/names.js";
import { Notices } from "../../examples/chat/public/notices.js";

/** A clock that stands until it is told to go on. */
class Clock {
  constructor() {
    this.now = 0;
    this.timers = [];
  }

  setTimeout(run, ms) {
    const timer = { run, at: this.now + ms };
    this.timers.push(timer);
    return timer;
  }

  clearTimeout(timer) {
    this.timers = this.timers.filter((other) => other !== timer);
  }

  pass(ms) {
    const end = this.now + ms;
    for (;;) {
      const [next] = this.timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (!next) break;
      this.clearTimeout(next);
      this.now = next.at;
      next.run();
    }
    this.now = end;
  }
}

function newNotices() {
  const clock = new Clock();
  const told = [];
  const notices = new Notices({
    graceMs: 1000, batchMs: 100, clock, tell: (kind, names) => told.push(`${names.join("+")} ${kind}`),
  });
  return { notices, told, pass: (ms) => clock.pass(ms) };
}

test("who comes is told soon, who goes after a grace", () => {
  const { notices, told, pass } = newNotices();
  notices.join("ann");
  assert.deepEqual(told, []);
  pass(100);
  assert.deepEqual(told, ["ann joined"]);
  notices.leave("ann");
  pass(999);
  assert.deepEqual(told, ["ann joined"]);
  pass(1);
  pass(100);
  assert.deepEqual(told, ["ann joined", "ann left"]);
});

test("who is back within the grace was never gone", () => {
  const { notices, told, pass } = newNotices();
  for (let i = 0; i < 10; i++) {
    notices.leave("ann");
    pass(50);
    notices.join("ann");
    pass(300);
  }
  pass(5000);
  assert.deepEqual(told, []);
});

test("a visit too short to be told is no news", () => {
  const { notices, told, pass } = newNotices();
  notices.join("ann");
  notices.leave("ann");
  pass(5000);
  assert.deepEqual(told, []);
});

test("many at once are one line", () => {
  const { notices, told, pass } = newNotices();
  for (const name of ["ann", "ben", "cho"]) notices.join(name);
  notices.leave("dan", 0);
  pass(100);
  assert.deepEqual(told, ["ann+ben+cho joined", "dan left"]);
});

test("who says something at once is announced first", () => {
  const { notices, told, pass } = newNotices();
  notices.join("ann");
  notices.acts("ben");
  assert.deepEqual(told, []);
  notices.acts("ann");
  assert.deepEqual(told, ["ann joined"]);
  pass(5000);
  assert.deepEqual(told, ["ann joined"]);
});

test("nothing is told after the end", () => {
  const { notices, told, pass } = newNotices();
  notices.join("ann");
  notices.leave("ben");
  notices.stop();
  pass(5000);
  assert.deepEqual(told, []);
});

test("names are cleaned of what cannot be seen or sent, and bounded", () => {
  assert.equal(cleanName("  Ann \t\n Lindqvist  "), "Ann Lindqvist");
  assert.equal(cleanName("e\u0301"), "\u00e9");
  assert.equal(cleanName("a\ud800b\udc00"), "ab", "halves of pairs cannot be sent");
  assert.equal(cleanName("\u202egnp"), "gnp", "a name must not turn the text around it");
  assert.equal(cleanName(" \u0000 "), "");
  assert.equal(cleanName("👩‍🚀"), "👩‍🚀");
  assert.equal(cleanName("x".repeat(500)).length, 48);
  assert.ok(Buffer.byteLength(cleanName(`a${"\u0301".repeat(500)}`)) <= 256);
  assert.doesNotThrow(() => encodeURIComponent(cleanName("👍".repeat(48))));
  assert.equal(cleanName("__proto__"), "__proto__");
});

test("room names suit an address", () => {
  assert.equal(cleanRoomName(" #Big  Room "), "big-room");
  assert.equal(cleanRoomName("###"), "");
  assert.equal(cleanRoomName("日本"), "日本");
});

test("initials stand for a name", () => {
  assert.equal(initials("Ann Maria Lindqvist"), "AL");
  assert.equal(initials("ben"), "B");
  assert.equal(initials("👩‍🚀 Zoë"), "👩‍🚀");
  assert.equal(initials("__proto__"), "P");
  assert.equal(initials("<>"), "<");
  assert.equal(initials(""), "?");
});

test("a colour depends on the name alone", () => {
  assert.equal(hue("Ann"), hue("Ann"));
  const hues = new Set(Array.from({ length: 200 }, (_, i) => hue(`user ${i}`)));
  assert.ok(hues.size > 10, "names spread over the colours");
});

test("lists of names stay short", () => {
  assert.equal(joinNames(["Ann"]), "Ann");
  assert.equal(joinNames(["Ann", "Ben"]), "Ann and Ben");
  assert.equal(joinNames(["Ann", "Ben", "Cho"]), "Ann, Ben and Cho");
  assert.equal(joinNames(["Ann", "Ben", "Cho", "Dan"]), "Ann, Ben and 2 others");
});
