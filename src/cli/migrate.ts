import { compile } from "../declare/compile.ts";
import { planStore } from "../pipeline/service.ts";
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
  const { plan, statements, apply, close } = planStore(
    compile(api),
    options.store,
    new Set(options.drop),
  );
  try {
    for (const note of plan.notes) print(`${paint("dim", "note")}  ${note}`);
    if (plan.refusals.length > 0) {
      const lines = plan.refusals.map(
        ({ where, reason, wayOut }) => `  ${where}: ${reason}\n    ${wayOut}`,
      );
      throw new CommandError(`This could lose data, so nothing was changed:\n${lines.join("\n")}`);
    }
    const sql = statements();
    if (sql.length === 0) {
      print("The database is as declared. There is nothing to do.");
      return;
    }
    print(paint("bold", options.plan ? "To be done:" : "Doing:"));
    for (const statement of sql)
      print(`  ${paint("cyan", `${statement};`.replaceAll("\n", "\n  "))}`);
    if (options.plan) return;
    apply();
    print(
      paint(
        "green",
        `Done: ${sql.length} ${sql.length === 1 ? "statement" : "statements"}, all or none.`,
      ),
    );
  } finally {
    close();
  }
}
