import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { suite, type TestContext, test } from "node:test";
import { cleanEnvironment } from "../support/command.ts";
import { temporaryFolder } from "../support/folder.ts";
import { eventually, within } from "../support/time.ts";
import { Customer } from "./customer.ts";

const root = resolve(import.meta.dirname, "../..");

interface Started {
  readonly customer: Customer;
  readonly npm: ChildProcess;
  readonly store: string;
  /** Processes that `npm start` has made, by what they run. */
  readonly tour: number;
  readonly gateway: number;
  /** Those of them that still run. */
  left(): number[];
}

/** `npm start`, in a group of processes of its own, as a terminal would have it. */
async function start(t: TestContext): Promise<Started> {
  const store = join(temporaryFolder(t), "tour.db");
  const npm = spawn("npm", ["start"], {
    cwd: root,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...cleanEnvironment(), PORT: "0", POSTHASTE_STORE: store },
  });
  let made: number[] = [];
  const left = () => made.filter(runs);
  t.after(() => {
    for (const pid of left()) process.kill(pid, "SIGKILL");
  });
  let said = "";
  npm.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  npm.stderr.resume();
  const origin = await eventually(20_000, "the banner", () => {
    made = descendants(npm.pid!);
    if (npm.exitCode !== null) throw new Error(said);
    return /Docs +(http:\/\/127\.0\.0\.1:\d+)\/docs/.exec(said)?.[1];
  });
  const running = (module: string) => {
    const found = made.filter((pid) => commandOf(pid).includes(module));
    assert.ok(found.length > 0, `${module} is not among ${made.map(commandOf).join("\n")}`);
    return found.at(-1)!;
  };
  const gateway = await eventually(5_000, "the gateway", () => {
    made = descendants(npm.pid!);
    return made.find((pid) => commandOf(pid).includes("gateway.ts"));
  });
  return {
    customer: new Customer(origin),
    npm,
    store,
    tour: running("examples/tour/start.ts"),
    gateway,
    left,
  };
}

/** A process and all that it has started, and those have. */
function descendants(pid: number): number[] {
  const parents = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const parent = statOf(Number(name))?.parent;
      return parent === undefined ? [] : [{ child: Number(name), parent }];
    });
  const below = (of: number): number[] => [
    of,
    ...parents.filter(({ parent }) => parent === of).flatMap(({ child }) => below(child)),
  ];
  return below(pid);
}

function statOf(pid: number): { readonly state: string; readonly parent: number } | undefined {
  try {
    // proc_pid_stat(5): a name in parentheses may have anything in it.
    const [state, parent] = readFileSync(`/proc/${pid}/stat`, "utf8")
      .split(") ")
      .at(-1)!
      .split(" ");
    return { state: state!, parent: Number(parent) };
  } catch {
    return undefined;
  }
}

function runs(pid: number): boolean {
  const state = statOf(pid)?.state;
  return state !== undefined && state !== "Z" && state !== "X";
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}

const ended = ({ left }: Started) =>
  eventually(5_000, "no process is left over", () => left().length === 0);

suite("npm start", {
  concurrency: 2,
  skip: existsSync("/proc/self/stat") ? false : "no /proc",
}, () => {
  test("serves the tour with a gateway that takes payments, and Ctrl+C ends both", async (t) => {
    const started = await start(t);
    const { customer, store, npm } = started;
    assert.ok(existsSync(store), "in the store that POSTHASTE_STORE names");
    const productId = await customer.make("/products", { name: "Pen", price: 4_900, stock: 10 });
    const email = "alice@example.com";
    const order = await customer.make("/orders", { productId, quantity: 2, email });
    const paid = await customer.pay(order);
    assert.equal(paid.body.state, "succeeded", JSON.stringify(paid.body));
    assert.equal((await customer.get(`/orders/${order}`)).body.state, "paid");
    assert.deepEqual(await customer.mails(), [`Receipt for order ${order}`]);

    const gone = once(npm, "exit");
    // What a terminal does: the signal goes to every process of the group.
    process.kill(-npm.pid!, "SIGINT");
    await within(10_000, "npm has ended", gone);
    await ended(started);
    assert.ok(!existsSync(`${store}-wal`), "the store was closed in order");
  });

  // package.json: the shell that npm puts between (dash) does not hand the signal on; "exec node …" would.
  test("ends with its gateway when npm is told to stop", async (t) => {
    const started = await start(t);
    const gone = once(started.npm, "exit");
    started.npm.kill("SIGTERM");
    await within(10_000, "npm has ended", gone);
    await ended(started);
  });

  test("leaves no gateway behind when the tour is killed", async (t) => {
    const started = await start(t);
    assert.notEqual(started.tour, started.gateway);
    process.kill(started.tour, "SIGKILL");
    await ended(started);
  });
});
