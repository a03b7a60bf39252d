// Waiting for what must come, within a generous bound, with an error that says what did not.

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** Resolves with the first truthy result of `probe`; fails after `withinMs`. */
export async function until(what, probe, withinMs = 10_000) {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const result = await probe();
    if (result) return result;
    if (performance.now() > deadline) throw new Error(`within ${withinMs} ms there was no ${what}`);
    await sleep(10);
  }
}
