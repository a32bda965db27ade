import { StoreError, type StoreErrorKind } from "../port.ts";

/** Result codes of SQLite (https://sqlite.org/rescode.html), the extended ones where they differ. */
const kinds: Readonly<Record<number, StoreErrorKind>> = {
  5: "busy",
  6: "busy",
  10: "io",
  13: "full",
  787: "reference",
  1811: "reference",
  1555: "unique",
  2067: "unique",
};

/** Turns what `node:sqlite` throws into the store's own error; anything else passes through. */
export function storeError(error: unknown): unknown {
  if (error instanceof StoreError) return error;
  const code = errorCode(error);
  if (code === undefined) return error;
  const kind = kinds[code] ?? kinds[code & 0xff] ?? "failed";
  const { message } = error as Error;
  return new StoreError(kind, message, {
    cause: error,
    columns: kind === "unique" ? columnsOf(message) : [],
  });
}

/** The extended result code, where the error is one of SQLite's. */
export function errorCode(error: unknown): number | undefined {
  const { code, errcode } = (error ?? {}) as { code?: unknown; errcode?: unknown };
  return code === "ERR_SQLITE_ERROR" && typeof errcode === "number" ? errcode : undefined;
}

/** `UNIQUE constraint failed: users.email, users.tenant` */
function columnsOf(message: string): string[] {
  const list = /constraint failed: (.+)$/.exec(message)?.[1] ?? "";
  return list.split(", ").map((column) => column.slice(column.lastIndexOf(".") + 1));
}

/** A sentence for the operator about a file that can't be used. */
export function openingError(path: string, error: unknown): StoreError {
  const code = errorCode(error);
  const sentence = (() => {
    switch (code === undefined ? undefined : code & 0xff) {
      case 5:
      case 6:
        return `The database ${path} is locked by another process. Stop that process, or choose another file with --store.`;
      case 8:
        return `The database ${path} can't be written: the file or its folder is read-only. Change the permissions, or choose another file with --store.`;
      case 10:
        return `The disk failed while the database ${path} was opened.`;
      case 11:
        return `The database ${path} is damaged. Nothing was changed. Restore it from a backup, or rescue what can be read with: sqlite3 ${path} .recover`;
      case 13:
        return `The disk that holds the database ${path} is full.`;
      case 14:
        return `The database ${path} can't be opened: the folder does not exist, or may not be written. Create the folder, or choose another file with --store.`;
      case 26:
        return `The file ${path} is not a SQLite database. Nothing was changed. Choose another file with --store.`;
      default:
        return `The database ${path} can't be opened: ${(error as Error).message}.`;
    }
  })();
  return new StoreError("unusable", sentence, { cause: error });
}
