/**
 * Preloaded into the server under torture: what workers do every few seconds, and the housekeeping
 * every minute, they do here many times within one of its short lives. So a dead worker's jobs are
 * taken over within half a second instead of twenty.
 */
const hurried: Readonly<Record<number, number>> = { 5000: 250, 60000: 1_000 };
const { setInterval } = globalThis;

globalThis.setInterval = ((work: () => void, milliseconds = 1, ...rest: []) =>
  setInterval(work, hurried[milliseconds] ?? milliseconds, ...rest)) as typeof setInterval;
