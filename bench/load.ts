/**
 * The load generator, a process of its own. It shares the machine's cores with the server under
 * test, so what it spends on a request is part of every figure: that of Node's HTTP client, or as
 * little as can be (`raw`).
 *
 * Usage: `node load.ts '<LoadOrder as JSON>'`; prints a LoadReport as JSON, or fails.
 */

import { type ClientEvents, type LoadClient, RawClient } from "./client.ts";
import { NodeClient } from "./node-client.ts";
import { percentile } from "./statistics.ts";
import type { SteadyFigures } from "./steady-figures.ts";
import type { RequestTarget } from "./unique-request.ts";

export interface LoadOrder extends RequestTarget {
  /** `node`: Node's own HTTP client. `raw`: bare sockets. */
  client: "node" | "raw";
  /**
   * `steady`: every connection is answered once, then all run for the warm-up and the measured
   * time. `ramp`: all connect at once and keep sending until each of them was answered once.
   */
  mode: "steady" | "ramp";
  connections: number;
  warmupMs: number;
  measureMs: number;
  /** After so long the run fails. */
  timeoutMs: number;
}

export interface LoadReport {
  /** All answers, also those outside of the measured time. */
  answered: number;
  /** From the first connect until every connection had its first answer. */
  lastFirstAnswerMs: number;
  /** `undefined` for a ramp. */
  steady?: SteadyFigures;
}

const MOST_REQUESTS_PER_SECOND = 200_000;

class Load {
  readonly #order: LoadOrder;
  readonly #done: (report: LoadReport) => void;
  readonly #failed: (reason: Error) => void;
  readonly #clients: LoadClient[] = [];
  readonly #latencies: Float64Array;
  readonly #startedAt = performance.now();
  #answers = 0;
  #measured = 0;
  #outstanding = 0;
  #waitingForFirst: number;
  #lastFirstAnswerMs = 0;
  #measureFrom = Number.POSITIVE_INFINITY;
  #measureUntil = Number.POSITIVE_INFINITY;
  #cpuBefore: NodeJS.CpuUsage | undefined;
  #cpuSpent: NodeJS.CpuUsage | undefined;

  constructor(
    order: LoadOrder,
    done: (report: LoadReport) => void,
    failed: (reason: Error) => void,
  ) {
    this.#order = order;
    this.#done = done;
    this.#failed = failed;
    this.#waitingForFirst = order.connections;
    this.#latencies = new Float64Array((order.measureMs / 1000) * MOST_REQUESTS_PER_SECOND);
    this.#connectNext();
  }

  /**
   * One connection per turn of the event loop, so that a client sends as soon as it is connected,
   * as clients of their own would. With all connects in one turn, every request would wait for
   * the last connect, and the server under test would find them neatly one after the other.
   */
  #connectNext(): void {
    const events: ClientEvents = {
      answered: (answered, sentAt) => this.#answered(answered, sentAt),
      failed: this.#failed,
    };
    const client =
      this.#order.client === "node"
        ? new NodeClient(this.#order, events)
        : new RawClient(this.#order, events);
    this.#clients.push(client);
    this.#send(client, performance.now());
    if (this.#clients.length < this.#order.connections) setImmediate(() => this.#connectNext());
  }

  #send(client: LoadClient, now: number): void {
    this.#outstanding += 1;
    client.send(now);
  }

  #answered(client: LoadClient, sentAt: number): void {
    const now = performance.now();
    this.#answers += 1;
    this.#outstanding -= 1;
    if (this.#waitingForFirst > 0) {
      this.#gather(client, now);
    } else if (now >= this.#measureUntil) {
      this.#drain();
    } else {
      if (now >= this.#measureFrom) {
        this.#cpuBefore ??= process.cpuUsage();
        this.#latencies[this.#measured++] = now - sentAt;
      }
      this.#send(client, now);
    }
  }

  #gather(client: LoadClient, now: number): void {
    const isRamp = this.#order.mode === "ramp";
    if (!client.wasAnswered) {
      client.wasAnswered = true;
      this.#waitingForFirst -= 1;
    }
    if (this.#waitingForFirst > 0) {
      // libuv accepts one connection per turn of its loop, so clients that are being served
      // hold up those who are not yet. A ramp is there to show it, the steady state is not.
      if (isRamp) this.#send(client, now);
      return;
    }
    this.#lastFirstAnswerMs = now - this.#startedAt;
    if (isRamp) {
      this.#measureUntil = now;
      this.#drain();
    } else {
      this.#measureFrom = now + this.#order.warmupMs;
      this.#measureUntil = this.#measureFrom + this.#order.measureMs;
      for (const each of this.#clients) this.#send(each, now);
    }
  }

  /** Waits for every answer: only so can the answers be compared with the rows of the store. */
  #drain(): void {
    if (this.#cpuBefore !== undefined) this.#cpuSpent ??= process.cpuUsage(this.#cpuBefore);
    if (this.#outstanding > 0) return;
    for (const client of this.#clients) client.close();
    const report = { answered: this.#answers, lastFirstAnswerMs: this.#lastFirstAnswerMs };
    const isRamp = this.#order.mode === "ramp";
    this.#done(isRamp ? report : { ...report, steady: this.#steadyFigures() });
  }

  #steadyFigures(): SteadyFigures {
    if (this.#cpuSpent === undefined) throw new Error("No answer in the measured time");
    if (this.#measured > this.#latencies.length) throw new Error("No room for so many answers");
    const latencies = this.#latencies.subarray(0, this.#measured).sort();
    return {
      requestsPerSecond: this.#measured / (this.#order.measureMs / 1000),
      p50: percentile(latencies, 0.5),
      p99: percentile(latencies, 0.99),
      max: percentile(latencies, 1),
      generatorMicroseconds: (this.#cpuSpent.user + this.#cpuSpent.system) / this.#measured,
    };
  }
}

const order = JSON.parse(process.argv[2]!) as LoadOrder;
const { promise, resolve, reject } = Promise.withResolvers<LoadReport>();
setTimeout(() => reject(new Error(`No end after ${order.timeoutMs} ms`)), order.timeoutMs);
new Load(order, resolve, reject);
try {
  const report = JSON.stringify(await promise);
  process.stdout.write(report, () => process.exit(0));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`, () =>
    process.exit(1),
  );
}
