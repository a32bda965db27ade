import { copyFileSync, existsSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { engineOf, type WriterPlace } from "../../src/store/open.ts";
import { performTestUnits } from "../fixtures/store-units.ts";
import { DIGEST, type TestWriterData } from "../fixtures/store-writer.ts";
import { countThingsElsewhere, databaseIn, type StoreDriver } from "./contract.ts";

const entry = new URL("../fixtures/store-writer.ts", import.meta.url);

export function threadWriter(data: TestWriterData): WriterPlace {
  return { place: "thread", entry, digest: DIGEST, above: data };
}

/** The file alone, without the log beside it: what is not folded in is not in a backup. */
function countInFile(address: string): number {
  const copy = `${address}.copy`;
  if (existsSync(`${address}-wal`)) throw new Error("The write-ahead log is still there.");
  copyFileSync(address, copy);
  const database = new DatabaseSync(copy, { readOnly: true });
  try {
    return Number(database.prepare("SELECT count(*) AS n FROM things").get()?.n);
  } finally {
    database.close();
    rmSync(copy);
  }
}

const onFile = {
  address: databaseIn,
  countFromAnotherProcess: countThingsElsewhere,
  countInBackup: countInFile,
};

/** Every driver of the store, with the cases that can't hold for it. */
export const drivers: readonly StoreDriver[] = [
  {
    name: "sqlite, writer in a thread",
    ...onFile,
    writer: (address) => threadWriter({ address }),
  },
  {
    name: "sqlite, writer here",
    ...onFile,
    writer: (address) => ({ place: "here", perform: performTestUnits(engineOf(address)) }),
    skip: {
      "who holds the lane with one long statement is told in time":
        "The statement runs in the very thread that would have to end it.",
      "a unit that forgets to await a statement does no harm to others":
        "What nobody awaits is told to the process, which is the host's.",
    },
  },
];
