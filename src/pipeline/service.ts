import type { Api } from "../declare/api.ts";
import { type CompiledApi, compile } from "../declare/compile.ts";
import { type Clock, slewedClock } from "../kernel/clock.ts";
import type { Observe } from "../kernel/observations.ts";
import { openCapture } from "../mail/capture.ts";
import { noMail } from "../mail/none.ts";
import type { MailTransport } from "../mail/transport.ts";
import { type MigrationPlan, planMigration } from "../store/migration.ts";
import { engineOf, openSchema, openStore, type StoreOptions } from "../store/open.ts";
import { type Store, StoreError } from "../store/port.ts";
import { tableOf } from "../store/tables.ts";
import { type Place, type Serving, serving } from "./serving.ts";
import { performer } from "./transaction/perform.ts";
import { Underway } from "./underway.ts";
import { Work } from "./work.ts";
import type { WriterData } from "./writer.ts";

export interface ServiceOptions extends Omit<StoreOptions, "writer" | "observe"> {
  /** Address of the store: a file, which is made where it is not. */
  readonly store: string;
  /**
   * The module whose default export is the API. The writer thread loads it a second time; without
   * it, writes are committed on the main thread, behind the same lane.
   */
  readonly module?: URL | string | undefined;
  /**
   * What to do with a store that is not as declared: make what is missing (`"additive"`, the default),
   * or refuse to start (`"never"`). A new store is always made, and data is never lost by either.
   */
  readonly migrate?: "additive" | "never" | undefined;
  /** Told everything that happens: for logs and metrics. */
  readonly observe?: Observe | undefined;
  /** Milliseconds that a request waits for an earlier one with the same key. Default 5,000. */
  readonly twinWaitMs?: number | undefined;
  /**
   * Where mail goes: `smtp://user:password@host:587`, `"capture"` to keep it in memory and show it at
   * `/mail`, or `"refuse"` to let the jobs wait. Default `"capture"`, and `"refuse"` where `NODE_ENV`
   * is `production`.
   */
  readonly mail?: string | undefined;
  /** Milliseconds that a stop waits for jobs that run; then they are put back. Default 5,000. */
  readonly jobGraceMs?: number | undefined;
  /**
   * Milliseconds between two signs of life of what runs jobs; after three that are missing its jobs
   * are taken over. The same for all processes on a store. Default 5,000.
   */
  readonly beatMs?: number | undefined;
  /** Where the time is read. For tests. */
  readonly clock?: Clock | undefined;
}

/** An API with its store open: everything but HTTP. */
export interface Service {
  readonly serving: Serving;
  readonly store: Store;
  readonly underway: Underway;
  readonly work: Work;
  readonly mail: MailTransport;
  readonly clock: Clock;
  readonly observe: Observe;
  close(): Promise<void>;
}

/** @throws DeclarationError, or StoreError of kind unusable: both are sentences for the operator */
export async function startService(
  api: Api,
  place: Place,
  options: ServiceOptions,
): Promise<Service> {
  const compiled = compile(api);
  const mail = await mailOf(
    options.mail ?? (process.env.NODE_ENV === "production" ? "refuse" : "capture"),
    compiled,
  );
  const { store: address, module, clock = slewedClock() } = options;
  const observe = options.observe ?? (() => {});
  migrateStore(compiled, address, options.migrate ?? "additive");
  const service = serving(compiled, place, engineOf(address));
  const store = await openStore(address, {
    ...options,
    observe,
    writer:
      module === undefined
        ? { place: "here", perform: performer(service) }
        : {
            place: "thread",
            entry: writerEntry,
            above: { module: String(module), place, store: address } satisfies WriterData,
            digest: compiled.digest,
          },
  });
  const underway = new Underway(options.twinWaitMs ?? 5_000);
  const work = new Work({
    serving: service,
    store,
    mail,
    clock,
    observe,
    beatMs: options.beatMs,
  });
  work.start();
  return {
    serving: service,
    store,
    underway,
    work,
    mail,
    clock,
    observe,
    close: async () => {
      await work.stop(options.jobGraceMs ?? 5_000);
      await mail.close();
      await store.close();
    },
  };
}

async function mailOf(address: string, { options }: CompiledApi): Promise<MailTransport> {
  const from = options.mail?.from;
  if (address === "refuse") return noMail;
  if (address === "capture") return openCapture({ from });
  // The library is loaded where it is needed only: a server without it starts sooner.
  const { openMail } = await import("../mail/open.ts");
  return openMail(address, { from });
}

// The same file as source and as built: `.ts` beside us here, `.js` in the package.
const writerEntry = new URL(
  import.meta.url.endsWith(".ts") ? "./writer.ts" : "./writer.js",
  import.meta.url,
);

export interface StorePlan extends MigrationPlan {
  readonly statements: readonly string[];
  /** Whether all that is to be done is to make tables that are not there. */
  readonly fresh: boolean;
  /** Makes the store where it is not, and brings it to the plan: all, or none. */
  apply(): void;
}

/** What a store needs to be as declared. Looking changes nothing, and makes no file. */
export function planStore(
  api: CompiledApi,
  address: string,
  drop: ReadonlySet<string> = new Set(),
): StorePlan {
  const schema = openSchema(address, "read");
  try {
    const { steps, refusals, notes } = planMigration(api.resources.map(tableOf), schema, drop);
    return {
      steps,
      refusals,
      notes,
      statements: steps.flatMap((step) => schema.render(step)),
      fresh: steps.every(({ kind }) => kind === "create-table"),
      apply() {
        const writable = openSchema(address, "write");
        try {
          writable.apply(steps);
        } finally {
          writable.close();
        }
      },
    };
  } finally {
    schema.close();
  }
}

function migrateStore(api: CompiledApi, address: string, mode: "additive" | "never"): void {
  const { refusals, statements, fresh, apply } = planStore(api, address);
  if (refusals.length > 0) {
    const lines = refusals.map(
      ({ where, reason, wayOut }) => `  ${where}: ${reason}\n    ${wayOut}`,
    );
    throw new StoreError(
      "unusable",
      `The database ${address} does not fit the declaration, and changing it could lose data. Nothing was changed.\n${lines.join("\n")}`,
    );
  }
  if (mode === "never" && statements.length > 0 && !fresh) {
    const lines = statements.map((statement) => `  ${statement.replaceAll("\n", "\n  ")};`);
    throw new StoreError(
      "unusable",
      `The database ${address} is not as declared yet. Look at the plan and run it: posthaste migrate\n${lines.join("\n")}`,
    );
  }
  apply();
}
