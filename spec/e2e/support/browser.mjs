// Windows of headless Chromium on the chat's page.
import { chromium } from "playwright-core";

const args = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];

/** A browser process of its own, with a fresh profile. CHROMIUM names another binary. */
export async function launch() {
  const server = await chromium.launchServer({
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium", headless: true, args,
  });
  const browser = await chromium.connect(server.wsEndpoint());
  return {
    browser,
    close: () => server.close(),
    /** As a crash or an impatient user would: the whole process group, no goodbye. */
    async killHard() {
      const child = server.process();
      const gone = new Promise((done) => child.once("exit", done));
      process.kill(-child.pid, "SIGKILL");
      await gone;
    },
  };
}

/** Complaints of a page that are not about a server that was stopped on purpose. */
function watchErrors(page) {
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(`${error.name}: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error" && !message.text().includes("ERR_CONNECTION_REFUSED")) {
      complaints.push(message.text());
    }
  });
  return complaints;
}

/**
 * A window (with storage of its own) in which `name` has entered the room. `sameStorageAs`: a
 * further tab of another window's browser session.
 */
export async function enter(browser, server, name, { room = "lobby", viewport, sameStorageAs } = {}) {
  const context = sameStorageAs?.context()
    ?? await browser.newContext({ viewport: viewport ?? { width: 1280, height: 800 } });
  const page = await context.newPage();
  page.complaints = watchErrors(page);
  await page.goto(`${server.url}/#${encodeURIComponent(room)}`);
  await page.fill("#name", name);
  await page.click("#name-go");
  await page.waitForSelector(personSelector(name), { state: "attached" });
  return page;
}

export const personSelector = (name) => `.person[data-name=${JSON.stringify(name)}]:not(.going)`;

/** Resolves with the wall clock's time at which the page first shows (or no longer shows) a person. */
export function whenSeen(page, name, isThere = true) {
  return page.evaluate(([selector, wanted]) => new Promise((accept) => {
    const check = () => (document.querySelector(selector) !== null) === wanted;
    const list = document.getElementById("people-list");
    const observer = new MutationObserver(() => {
      if (!check()) return;
      observer.disconnect();
      accept(performance.timeOrigin + performance.now());
    });
    observer.observe(list, { childList: true, subtree: true, attributes: true });
    if (check()) {
      observer.disconnect();
      accept(performance.timeOrigin + performance.now());
    }
  }), [personSelector(name), isThere]);
}

export async function say(page, text) {
  await page.fill("#message", text);
  await page.press("#message", "Enter");
}
