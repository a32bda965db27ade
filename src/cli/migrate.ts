import { compile } from "../declare/compile.ts";
import { planStore } from "../pipeline/service.ts";
import type { MigrationPlan } from "../store/migration.ts";
import { StoreError } from "../store/port.ts";
import { loadApi } from "./load-api.ts";
import { CommandError, painter } from "./terminal.ts";

export interface MigrateOptions {
  readonly store: string;
  readonly plan: boolean;
  readonly drop: readonly string[];
}

/** `posthaste migrate FILE`: shows what has to change in the database, and changes it. */
export async function migrate(file: string, options: MigrateOptions): Promise<void> {
  const { api } = await loadApi(file);
  const paint = painter(process.stdout);
  const print = (text: string) => process.stdout.write(`${text}\n`);
  const plan = planStore(compile(api), options.store, new Set(options.drop));
  for (const note of plan.notes) {
    print(`${paint("dim", "note")}  ${withWholeCommands(note, file, options.store)}`);
  }
  if (plan.refusals.length > 0) {
    const lines = plan.refusals.map(
      ({ where, reason, wayOut }) => `  ${where}: ${reason}\n    ${wayOut}`,
    );
    throw new CommandError(
      `This could lose data, so nothing was changed:\n${withWholeCommands(lines.join("\n"), file, options.store)}`,
    );
  }
  assertAllDropped(plan, options.drop);
  const { statements } = plan;
  if (statements.length === 0) {
    print("The database is as declared. There is nothing to do.");
    return;
  }
  print(paint("bold", options.plan ? "To be done:" : "Doing:"));
  for (const statement of statements) {
    print(`  ${paint("cyan", `${statement};`.replaceAll("\n", "\n  "))}`);
  }
  if (options.plan) return;
  try {
    plan.apply();
  } catch (error) {
    // A sentence about the file is one already.
    if (error instanceof StoreError && error.kind === "unusable") throw error;
    throw new CommandError(
      `The database refused this, so nothing was changed: ${(error as Error).message}.`,
    );
  }
  const count = statements.length === 1 ? "statement" : "statements";
  print(paint("green", `Done: ${statements.length} ${count}, all or none.`));
}

/** A typo must not read like a success. */
function assertAllDropped({ steps }: MigrationPlan, drop: readonly string[]): void {
  const gone = steps.flatMap((step) => {
    if (step.kind === "drop-table") return [step.table];
    return step.kind === "drop-column" ? [`${step.table}.${step.column}`] : [];
  });
  const kept = drop.filter((name) => !gone.includes(name));
  if (kept.length === 0) return;
  throw new CommandError(
    `Nothing was changed: there is no ${kept.join(", no ")} to drop. --drop takes a column (users.age) or a table (users) that is in the database and is not declared any more, or a column whose type has changed.`,
  );
}

/** The store's sentences know neither the file of the API nor the database; commands need both. */
export function withWholeCommands(text: string, file: string, store: string): string {
  const where =
    store === (process.env.POSTHASTE_STORE || "posthaste.db") ? "" : ` --store ${store}`;
  return text.replaceAll("posthaste migrate", `posthaste migrate ${file}${where}`);
}
