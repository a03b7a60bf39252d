// What a name looks like: its initials, its colour, and how a machine and a time are called.

const segmenter = Intl.Segmenter ? new Intl.Segmenter(undefined, { granularity: "grapheme" }) : null;

/** What a person sees as characters: an emoji with its modifiers is one. */
export function graphemes(text) {
  return segmenter ? Array.from(segmenter.segment(text), (part) => part.segment) : Array.from(text);
}

/** A name as it is used: one line, nothing that cannot be seen or sent, bounded. */
export function cleanName(text, maxGraphemes = 48) {
  const whole = (some) => some.replace(/\p{Surrogate}/gu, "");
  const line = whole(String(text).normalize("NFC"))
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, " ")
    .replace(/\p{Bidi_Control}/gu, "")
    .trim();
  // Bounded in code units too: one grapheme may hold any number of combining marks.
  return whole(graphemes(line).slice(0, maxGraphemes).join("").slice(0, 64)).trim();
}

/** A room's name in an address: lower case, dashes for spaces. */
export function cleanRoomName(text) {
  const name = cleanName(text, 32).toLocaleLowerCase().replace(/^#+/, "").trim();
  return name.replace(/\s+/g, "-");
}

/** One or two characters that stand for a name. */
export function initials(name) {
  const words = name.split(/[\s._-]+/u).filter((word) => /[\p{L}\p{N}\p{Emoji}]/u.test(word));
  if (words.length === 0) return graphemes(name.trim())[0] ?? "?";
  const first = graphemes(words[0])[0];
  if (words.length === 1 || /\p{Extended_Pictographic}/u.test(first)) return first.toLocaleUpperCase();
  return (first + graphemes(words[words.length - 1])[0]).toLocaleUpperCase();
}

// Hues that stay apart from each other and readable under white letters.
const hues = [5, 25, 45, 70, 100, 130, 150, 168, 190, 212, 235, 255, 275, 295, 320, 342];

/** The same name has the same colour on every screen (FNV-1a over its UTF-16 units). */
export function hue(name) {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) {
    hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  }
  return hues[((hash >>> 16) ^ (hash & 0xffff)) % hues.length];
}

const adjectives = ["Quiet", "Brave", "Sunny", "Curious", "Gentle", "Swift", "Merry", "Clever", "Calm", "Bright"];
const animals = ["Otter", "Heron", "Badger", "Lynx", "Puffin", "Marten", "Wren", "Hare", "Ibex", "Newt"];

export function suggestName(random = Math.random) {
  const pick = (list) => list[Math.floor(random() * list.length)];
  return `${pick(adjectives)} ${pick(animals)}`;
}

const browsers = [[/Edg\//, "Edge"], [/OPR\//, "Opera"], [/Firefox\//, "Firefox"], [/Chrom(e|ium)\//, "Chrome"], [/Safari\//, "Safari"]];
const systems = [[/iPhone/, "iPhone"], [/iPad/, "iPad"], [/Android/, "Android"], [/Windows/, "Windows"], [/Mac OS X/, "Mac"], [/CrOS/, "ChromeOS"], [/Linux/, "Linux"]];

/** "Firefox on Linux": what this window runs on, in words. */
export function deviceName(userAgent) {
  const find = (table, other) => table.find(([pattern]) => pattern.test(userAgent))?.[1] ?? other;
  return `${find(browsers, "Browser")} on ${find(systems, "some device")}`;
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });

export function clockTime(ms) {
  return clock.format(ms);
}

/** "just now", "since 14:32", "since 3 May": how long somebody has been here. */
export function since(ms, now = Date.now()) {
  const age = now - ms;
  if (age < 60_000) return "just now";
  return age < 18 * 3_600_000 ? `since ${clock.format(ms)}` : `since ${day.format(ms)}`;
}

/** "Ann", "Ann and Ben", "Ann, Ben and 3 others". */
export function joinNames(names, most = 3) {
  if (names.length === 1) return names[0];
  if (names.length <= most) return `${names.slice(0, -1).join(", ")} and ${names[names.length - 1]}`;
  const others = names.length - most + 1;
  return `${names.slice(0, most - 1).join(", ")} and ${others} others`;
}
