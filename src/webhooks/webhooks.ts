import { randomUUID } from "node:crypto";
import { type AccessRule, nobody } from "../declare/access.ts";
import { action } from "../declare/action.ts";
import { type Enqueue, type JobContext, JobFailure, job } from "../declare/job.ts";
import { resource } from "../declare/resource.ts";
import type { InputOf, StandardSchema } from "../declare/standard-schema.ts";
import type { TransactionSql } from "../declare/transaction.ts";
import type { Json } from "../kernel/json.ts";
import { type Delivery, deliverWebhook } from "./deliver.ts";
import { DestinationError, type DestinationPolicy, destinationGuard } from "./destination.ts";
import {
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
}

/** The place in a transaction where something happens that others want to know. */
export interface Publishing {
  readonly tx: TransactionSql;
  readonly enqueue: Enqueue;
}

/** How long what is sent is signed with a replaced secret as well. */
const ROTATION_MS = 24 * 3_600_000;

/**
 * Declares webhooks as of Standard Webhooks: endpoints that clients manage, a job that delivers,
 * and a log of what was delivered. They are ordinary declarations: spread `declarations` into
 * `api({ … })`.
 */
export function webhooks<const E extends Events>(config: WebhooksConfig<E>) {
  const guard = destinationGuard(config.destinations);
  const types = Object.keys(config.events);
  const { access } = config;

  const endpoints = resource("webhooks", {
    description: "Endpoints that are told of events (Standard Webhooks).",
    schema: endpointSchema(types),
    readOnly: ["disabledBecause"],
    hidden: ["secrets"],
    set: { secrets: () => [{ secret: generateWebhookSecret() }] },
    access: { create: access, read: access, update: access, delete: access },
    timestamps: true,
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
    run: async ({ row, tx, now }) => {
      const made = generateWebhookSecret();
      const until = now + ROTATION_MS;
      const old = validSecrets(row.secrets, now).map((each) => ({ until, ...each }));
      const secrets = JSON.stringify([{ secret: made }, ...old].slice(0, 3));
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
      const secrets = validSecrets(endpoint.secrets, Date.now()).map((each) => each.secret);
      const { url } = endpoint;
      const { event, body, type, webhook } = input;
      const result = await deliverWebhook({ url, id: event, body, secrets }, { guard, signal });
      await transaction(async ({ tx }) => {
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

  return {
    declarations: {
      webhooks: endpoints,
      webhookDeliveries: deliveries,
      webhookSecret: secret,
      webhookDelivery: delivery,
    },
    /** Tells everyone who listens, if the transaction is committed. */
    publish: async <T extends Extract<keyof E, string>>(
      { tx, enqueue }: Publishing,
      type: T,
      data: InputOf<E[T]>,
    ): Promise<void> => {
      await assertFits(config.events[type]!, type, data);
      const listeners = await tx
        .selectFrom("webhooks")
        .select(["id", "events"])
        .where("disabledBecause", "is", null)
        .execute();
      const event = `evt_${randomUUID()}`;
      const body = webhookPayload({ type, at: Date.now(), data: data as Json });
      for (const { id, events } of listeners) {
        if (!(JSON.parse(String(events)) as string[]).includes(type)) continue;
        await enqueue(delivery, { webhook: Number(id), event, type, body });
      }
    },
  };
}

async function endpointOf({
  input,
  transaction,
}: JobContext<DeliveryInput>): Promise<Pick<Endpoint, "url" | "secrets"> | undefined> {
  const row = await transaction(({ tx }) =>
    tx
      .selectFrom("webhooks")
      .select(["url", "secrets"])
      .where("id", "=", input.webhook)
      .where("disabledBecause", "is", null)
      .executeTakeFirst(),
  );
  if (row === undefined) return undefined;
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

async function assertFits(schema: StandardSchema, type: string, data: unknown): Promise<void> {
  const result = await schema["~standard"].validate(data);
  if (result.issues === undefined) return;
  const faults = result.issues.map(({ message }) => message);
  throw new Error(
    `The data of the webhook "${type}" does not fit its schema: ${faults.join("; ")}`,
  );
}
