import { workerData } from "node:worker_threads";
import type { CheckpointerData } from "./checkpointer.ts";
import { SqliteConnection } from "./connection.ts";

/** What the thread of the checkpointer runs: a checkpoint whenever it is asked, until it is to end. */
const { path, cells } = workerData as CheckpointerData;
const connection = new SqliteConnection(path, { readOnly: false });
let asked = 0;
while (Atomics.load(cells, 1) === 0) {
  // The first row says how far it came. What is left is left to the next one.
  connection.execute("PRAGMA wal_checkpoint(PASSIVE)", []);
  Atomics.wait(cells, 0, asked);
  asked = Atomics.load(cells, 0);
}
connection.close();
