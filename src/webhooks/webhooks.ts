import { randomUUID } from "node:crypto";
import { type AccessRule, nobody } from "../declare/access.ts";
import { action } from "../declare/action.ts";
import { type Enqueue, type JobContext, JobFailure, job } from "../declare/job.ts";
import { resource } from "../declare/resource.ts";
import { type InputOf, isStandardSchema, type StandardSchema } from "../declare/standard-schema.ts";
import type { TransactionSql } from "../declare/transaction.ts";
import { type Clock, systemClock } from "../kernel/clock.ts";
import { type Duration, millisecondsOf } from "../kernel/duration.ts";
import type { Json } from "../kernel/json.ts";
import { didYouMean } from "../kernel/nearest.ts";
import { type Delivery, deliverWebhook } from "./deliver.ts";
import { DestinationError, type DestinationPolicy, destinationGuard } from "./destination.ts";
import {
  cleaningInputSchema,
  type DeliveryInput,
  deliveryInputSchema,
  deliverySchema,
  type Endpoint,
  endpointSchema,
  newSecretSchema,
  type Secret,
} from "./endpoint-schema.ts";
import { webhookPayload } from "./payload.ts";
import { generateWebhookSecret } from "./secret.ts";

type Events = Readonly<Record<string, StandardSchema>>;

/** The options of `webhooks()`. */
export interface WebhooksConfig<E extends Events> {
  /** What can be listened to, by type: `{ "order.paid": z.object({ … }) }`. */
  readonly events: E;
  /** Who may add, see, change and remove endpoints, and see what was delivered. */
  readonly access: AccessRule;
  /** Where webhooks may go. Default: `https:` on the public Internet. */
  readonly destinations?: DestinationPolicy;
  /** How long the log of deliveries is kept. Default `"30 days"`. */
  readonly keepDeliveries?: Duration;
  /** Where the time is read. For tests. */
  readonly clock?: Clock;
}

/** The place in a transaction where something happens that others want to know. */
export interface Publishing {
  readonly tx: TransactionSql;
  readonly enqueue: Enqueue;
}

/** How long what is sent is signed with a replaced secret as well. */
const ROTATION_MS = 24 * 3_600_000;
/** The current one, and replaced ones that are still valid. */
const MAX_SECRETS = 3;

// Records, so that the compiler tells when an option is added to the types and not here.
const options: Record<keyof WebhooksConfig<Events>, true> = {
  events: true,
  access: true,
  destinations: true,
  keepDeliveries: true,
  clock: true,
};
const destinationOptions: Record<keyof DestinationPolicy, true> = {
  allowHttp: true,
  allowPrivate: true,
  ports: true,
  resolve: true,
};

/**
 * Declares webhooks as of Standard Webhooks: endpoints that clients manage, a job that delivers,
 * and a log of what was delivered. They are ordinary declarations: spread `declarations` into
 * `api({ … })`.
 * @throws TypeError for an option or a type of event that can't be
 */
export function webhooks<const E extends Events>(config: WebhooksConfig<E>) {
  assertUsable(config);
  const guard = destinationGuard(config.destinations);
  const types = Object.keys(config.events);
  const { access, clock = systemClock } = config;

  const endpoints = resource("webhooks", {
    description: "Endpoints that are told of events (Standard Webhooks).",
    schema: endpointSchema(types),
    readOnly: ["disabledBecause"],
    hidden: ["secrets"],
    set: { secrets: () => [{ secret: generateWebhookSecret() }] },
    access: { create: access, read: access, update: access, delete: access },
    timestamps: true,
    example: { url: "https://example.com/hooks", events: types.slice(0, 1) },
    rules: [
      ({ input, fail }) => {
        try {
          guard.check(input.url);
        } catch (error) {
          if (!(error instanceof DestinationError)) throw error;
          fail("/url", "destination", error.message);
        }
      },
    ],
    // Whoever changes an endpoint has looked at it; if it is still gone, it will say so again.
    updated: async ({ row, tx }) => {
      if (row.disabledBecause === undefined) return;
      const served = { disabledBecause: null };
      await tx.updateTable("webhooks").set(served).where("id", "=", row.id).execute();
    },
  });

  const deliveries = resource("webhook-deliveries", {
    description: "What was sent to an endpoint, one record an attempt.",
    parent: { webhook: endpoints },
    schema: deliverySchema,
    access: { create: nobody, read: access, update: nobody, delete: nobody },
    timestamps: true,
    onParentDelete: "cascade",
  });

  const secret = action("secret", {
    description:
      "Gives the endpoint a new secret to verify with. For a day, what is sent is signed with the old one as well.",
    on: endpoints,
    output: newSecretSchema,
    access,
    // A replayed answer would have to keep the secret.
    idempotency: { key: "ignored" },
    run: async ({ row, tx }) => {
      const now = clock.now();
      const made = generateWebhookSecret();
      const until = now + ROTATION_MS;
      const old = validSecrets(row.secrets, now).map((each) => ({ until, ...each }));
      const secrets = JSON.stringify([{ secret: made }, ...old].slice(0, MAX_SECRETS));
      await tx.updateTable("webhooks").set({ secrets }).where("id", "=", row.id).execute();
      return { secret: made, oldUntil: new Date(until).toISOString() };
    },
  });

  const delivery = job("webhook-delivery", {
    description: "Tells one endpoint of one event.",
    input: deliveryInputSchema,
    attempts: 15,
    backoff: { first: "5 seconds", most: "6 hours" },
    timeout: "30 seconds",
    concurrency: 20,
    run: async (context) => {
      const { input, attempt, signal, transaction } = context;
      const endpoint = await endpointOf(context);
      if (endpoint === undefined) return { outcome: "nobody listens any more" };
      const secrets = validSecrets(endpoint.secrets, clock.now()).map((each) => each.secret);
      const { url } = endpoint;
      const { event, body, type, webhook } = input;
      const message = { url, id: event, body, secrets };
      const result = await deliverWebhook(message, { guard, signal, clock });
      await transaction(async ({ tx }) => {
        if ((await endpointRow(tx, webhook)) === undefined) return;
        const { outcome, status = null, milliseconds, detail } = result;
        const record = { event, type, attempt, outcome, status, milliseconds, detail };
        const values = { ...record, webhookId: webhook };
        await tx.insertInto("webhook_deliveries").values(values).execute();
        if (outcome !== "gone") return;
        const disabledBecause = detail;
        await tx
          .updateTable("webhooks")
          .set({ disabledBecause })
          .where("id", "=", webhook)
          .execute();
      });
      return settled(result);
    },
  });

  const cleaning = job("webhook-cleaning", {
    description: "Removes deliveries from the log that are older than it is kept.",
    input: cleaningInputSchema,
    schedule: "17 3 * * *",
    timeout: "10 minutes",
    run: async ({ transaction }) => {
      const before = clock.now() - keptMs(config);
      // A few at a time: others want to write as well.
      while (await transaction(({ tx }) => removeOldest(tx, before)));
    },
  });

  return {
    declarations: {
      webhooks: endpoints,
      webhookDeliveries: deliveries,
      webhookSecret: secret,
      webhookDelivery: delivery,
      webhookCleaning: cleaning,
    },
    /** Tells everyone who listens, if the transaction is committed. */
    publish: async <T extends Extract<keyof E, string>>(
      { tx, enqueue }: Publishing,
      type: T,
      data: InputOf<E[T]>,
    ): Promise<void> => {
      const content = await fitting(config.events[type]!, type, data);
      const listeners = await tx
        .selectFrom("webhooks")
        .select(["id", "events"])
        .where("disabledBecause", "is", null)
        .execute();
      const event = `evt_${randomUUID()}`;
      const body = webhookPayload({ type, at: clock.now(), data: content });
      for (const { id, events } of listeners) {
        if (!(JSON.parse(String(events)) as string[]).includes(type)) continue;
        await enqueue(delivery, { webhook: Number(id), event, type, body });
      }
    },
  };
}

function assertUsable(config: {
  readonly events?: object;
  readonly destinations?: object | undefined;
  readonly keepDeliveries?: Duration | undefined;
}): void {
  assertKnown("webhooks()", config, options);
  assertKnown("destinations of webhooks()", config.destinations ?? {}, destinationOptions);
  if (config.keepDeliveries !== undefined && !millisecondsOf(config.keepDeliveries)) {
    throw new TypeError(
      'keepDeliveries of webhooks() is no duration. Write keepDeliveries: "30 days".',
    );
  }
  assertDestinations(config.destinations ?? {});
  const types = Object.keys(config.events ?? {});
  if (types.length === 0) {
    throw new TypeError(
      'webhooks() has no events to tell of. Write events: { "order.paid": z.object({ … }) }.',
    );
  }
  for (const [type, schema] of Object.entries(config.events ?? {})) {
    webhookPayload({ type, at: 0, data: null });
    if (!isStandardSchema(schema)) {
      throw new TypeError(
        `The event "${type}" of webhooks() has no schema. Write z.object({ … }).`,
      );
    }
  }
}

/** What guards the network is never guessed: "false" is not false. */
function assertDestinations({ allowHttp, allowPrivate, ports }: DestinationPolicy): void {
  const wrong = (name: string, expected: string) => {
    throw new TypeError(`${name} of destinations of webhooks() has to be ${expected}.`);
  };
  if (allowHttp !== undefined && typeof allowHttp !== "boolean")
    wrong("allowHttp", "true or false");
  if (allowPrivate !== undefined && !Array.isArray(allowPrivate))
    wrong("allowPrivate", 'an array of addresses and subnets, such as ["10.0.0.0/8"]');
  const isPort = (port: unknown) =>
    Number.isInteger(port) && Number(port) > 0 && Number(port) < 65_536;
  if (ports !== undefined && !(Array.isArray(ports) && ports.every(isPort)))
    wrong("ports", "an array of ports");
}

function assertKnown(of: string, given: object, known: Readonly<Record<string, true>>): void {
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(known, name)) continue;
    throw new TypeError(
      `"${name}" is not an option of ${of}.${didYouMean(name, Object.keys(known))}`,
    );
  }
}

const REMOVED_AT_ONCE = 500;

/** @returns whether there may be more */
async function removeOldest(tx: TransactionSql, before: number): Promise<boolean> {
  // By id, which is by age: there is no index on the time.
  const oldest = await tx
    .selectFrom("webhook_deliveries")
    .select(["id", "_created"])
    .orderBy("id")
    .limit(REMOVED_AT_ONCE)
    .execute();
  const old = oldest.filter(({ _created }) => Number(_created) < before).map(({ id }) => id);
  if (old.length > 0) await tx.deleteFrom("webhook_deliveries").where("id", "in", old).execute();
  return old.length === REMOVED_AT_ONCE;
}

const KEEP_MS = 30 * 86_400_000;

function keptMs({ keepDeliveries }: { readonly keepDeliveries?: Duration | undefined }): number {
  return keepDeliveries === undefined ? KEEP_MS : (millisecondsOf(keepDeliveries) ?? KEEP_MS);
}

/** `undefined` where the endpoint was removed. */
function endpointRow(tx: TransactionSql, id: number) {
  const columns = ["url", "secrets", "disabledBecause"] as const;
  return tx.selectFrom("webhooks").select(columns).where("id", "=", id).executeTakeFirst();
}

/** `undefined` where nobody listens there any more. */
async function endpointOf({
  input,
  transaction,
}: JobContext<DeliveryInput>): Promise<Pick<Endpoint, "url" | "secrets"> | undefined> {
  const row = await transaction(({ tx }) => endpointRow(tx, input.webhook));
  if (row === undefined || row.disabledBecause !== null) return undefined;
  return { url: String(row.url), secrets: JSON.parse(String(row.secrets)) as Secret[] };
}

function validSecrets(secrets: readonly Secret[], now: number): Secret[] {
  return secrets.filter(({ until }) => until === undefined || until > now);
}

function settled({ outcome, detail, retryAfterMs }: Delivery): { readonly outcome: string } {
  if (outcome === "refused") throw new JobFailure("destination-refused", detail);
  if (outcome === "retry") throw Object.assign(new Error(detail), { retryAfterMs });
  return { outcome };
}

/** What the schema makes of the data: what it does not know stays here. */
async function fitting(schema: StandardSchema, type: string, data: unknown): Promise<Json> {
  const result = await schema["~standard"].validate(data);
  if (result.issues === undefined) return result.value as Json;
  const faults = result.issues.map(({ message }) => message);
  throw new Error(
    `The data of the webhook "${type}" does not fit its schema: ${faults.join("; ")}`,
  );
}
