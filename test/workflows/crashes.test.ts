import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { suite, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { cleanEnvironment } from "../support/command.ts";
import { temporaryFolder } from "../support/folder.ts";
import { look } from "../support/jobs.ts";
import { eventually, within } from "../support/time.ts";

const module = new URL("../fixtures/settlements.ts", import.meta.url).href;
const script = fileURLToPath(new URL("../support/job-server.ts", import.meta.url));
const CLIENTS = 4;

interface Life {
  readonly origin: string;
  readonly child: ChildProcess;
  readonly exited: Promise<unknown>;
  complaints(): string;
}

/** A server in a process of its own. */
async function live(t: TestContext, store: string, outside: string, place: string): Promise<Life> {
  const child = spawn(
    process.execPath,
    ["--conditions=posthaste-source", script, module, store, place],
    { env: { ...cleanEnvironment(), OUTSIDE: outside }, stdio: ["ignore", "pipe", "pipe"] },
  );
  const exited = once(child, "exit");
  t.after(async () => {
    child.kill("SIGKILL");
    await exited;
  });
  let said = "";
  child.stderr!.on("data", (chunk) => {
    said += String(chunk);
  });
  const [line] = await within(
    20_000,
    "it serves",
    Promise.race([
      once(child.stdout!, "data"),
      exited.then(() => assert.fail(`It did not start. ${said}`)),
    ]),
  );
  return { origin: String(line).trim(), child, exited, complaints: () => said };
}

/** Asks for one after the other until the server is gone. @returns what it acknowledged */
async function payUntilGone(origin: string, path: string, next: () => number): Promise<number[]> {
  const acknowledged: number[] = [];
  for (;;) {
    const number = next();
    const status = await fetch(`${origin}/api/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ number }),
    }).then(
      (answer) => answer.status,
      () => 0,
    );
    if (status === 0) return acknowledged;
    assert.ok(status === 202 || status === 201, `${status}`);
    acknowledged.push(number);
  }
}

suite("A server that is killed, with jobs and workflows under way", () => {
  for (const [place, kills] of [
    ["thread", 20],
    ["here", 6],
  ] as const) {
    test(`${kills} times, and started again: what was acknowledged is done, transactions exactly once (writer: ${place})`, {
      timeout: 180_000,
    }, async (t) => {
      const folder = temporaryFolder(t);
      const store = join(folder, "store.db");
      const outside = join(folder, "outside.log");
      let last = 0;
      const next = () => ++last;
      const paid: number[] = [];
      const written: number[] = [];
      for (let kill = 0; kill < kills; kill++) {
        const { origin, child, exited, complaints } = await live(t, store, outside, place);
        if (kill === 0) {
          await fetch(`${origin}/api/totals`, {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: JSON.stringify({ booked: 0 }),
          });
        }
        const clients = [
          ...Array.from({ length: CLIENTS }, () => payUntilGone(origin, "pay", next)),
          payUntilGone(origin, "letters", next),
        ];
        await sleep(randomInt(5, 400));
        child.kill("SIGKILL");
        const answered = await Promise.all(clients);
        written.push(...answered.pop()!);
        paid.push(...answered.flat());
        await exited;
        assert.doesNotMatch(complaints(), /jobs\.failed/);
      }
      const { child, exited } = await live(t, store, outside, place);
      await eventually(60_000, "everything has ended", () => {
        const [row] = look(
          store,
          "SELECT count(*) AS n FROM posthaste_jobs WHERE finished_at IS NULL",
        );
        return row?.n === 0;
      });
      child.kill("SIGTERM");
      assert.deepEqual(await exited, [0, null]);

      // Every job that there ever was has succeeded.
      const jobs = look(
        store,
        "SELECT id, kind, state, attempt, input, result FROM posthaste_jobs",
      );
      assert.deepEqual(
        jobs.filter(({ state }) => state !== "done"),
        [],
      );
      const numberOf = (row: Record<string, unknown>) =>
        JSON.parse(String(row.input)).number as number;
      const settled = jobs.filter(({ kind }) => kind === "settle");
      const mails = jobs.filter(({ kind }) => kind === "mail");
      const settledNumbers = settled.map(numberOf).sort((a, b) => a - b);
      assert.deepEqual(
        paid.filter((number) => !settledNumbers.includes(number)),
        [],
        "none is lost",
      );
      assert.equal(new Set(settledNumbers).size, settledNumbers.length);

      // Steps in the database happened exactly once for each, and with them what they enqueued.
      for (const table of ["bookings", "receipts"]) {
        const numbers = look(store, `SELECT number FROM ${table} ORDER BY number`).map(
          (row) => row.number,
        );
        assert.deepEqual(numbers, settledNumbers, table);
      }
      assert.equal(look(store, "SELECT booked FROM totals")[0]?.booked, settled.length);
      const letters = look(store, "SELECT number FROM letters").map(({ number }) => Number(number));
      assert.deepEqual(
        written.filter((number) => !letters.includes(number)),
        [],
      );
      assert.deepEqual(
        mails.map(numberOf).sort((a, b) => a - b),
        [...settledNumbers, ...letters].sort((a, b) => a - b),
      );

      // Outside, each step happened at least once, always under the same key.
      const lines = existsSync(outside) ? readFileSync(outside, "utf8").trim().split("\n") : [];
      const keys = new Map<string, Set<string>>();
      for (const line of lines) {
        const [step = "", key = "", number = ""] = line.split(" ");
        if (step === "mail") continue;
        const name = `${step} ${number}`;
        keys.set(name, (keys.get(name) ?? new Set()).add(key));
      }
      for (const row of settled) {
        for (const step of ["authorise", "notify"])
          assert.deepEqual(
            [...(keys.get(`${step} ${numberOf(row)}`) ?? [])],
            [`${row.id}:${step}`],
          );
        assert.equal(JSON.parse(String(row.result)).by, `${row.id}:authorise`);
      }
      const ended = new Set(
        lines.filter((line) => line.startsWith("mail ends")).map((line) => line.split(" ")[2]),
      );
      assert.deepEqual(
        mails.filter(({ id }) => !ended.has(String(id))),
        [],
      );

      const again = jobs.filter(({ attempt }) => Number(attempt) > 1).length;
      const outsideTwice =
        lines.length - new Set(lines.map((line) => line.replace(/ \d+$/, ""))).size;
      assert.ok(again > 0, "no kill broke off an attempt, so nothing was proven");
      t.diagnostic(
        `${settled.length} workflows (${paid.length} acknowledged), ${mails.length} jobs, ${kills} kills; ${again} were run again, ${outsideTwice} lines outside came again`,
      );
    });
  }
});
