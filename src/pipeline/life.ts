import type { OperationKind } from "../declare/operation.ts";
import { admit } from "./admit.ts";
import type { Answer } from "./answer.ts";
import { authenticate } from "./authenticate.ts";
import { transactAndAwait } from "./await-job.ts";
import { cancelJob } from "./cancel.ts";
import { claim } from "./claim.ts";
import { decode } from "./decode.ts";
import type { Received } from "./exchange.ts";
import { readKey } from "./key.ts";
import { readList } from "./list.ts";
import { locate } from "./locate.ts";
import { locateAction } from "./locate-action.ts";
import { readJob } from "./monitor.ts";
import { negotiate } from "./negotiate.ts";
import { precondition } from "./precondition.ts";
import { readRecord } from "./read.ts";
import { transact } from "./transact.ts";
import { readDeletion, readPatch, readReplacement, validate } from "./validate.ts";
import { validateAction } from "./validate-action.ts";

/** What becomes of a request: one line an operation, one column a stage, in the order of work. */
// biome-ignore format: the order of work is a table, and is read as one
const lives: Record<OperationKind, Life> = {
  create:  through(authenticate, admit, negotiate, locate, precondition, decode, validate,        claim, transact),
  replace: through(authenticate, admit, negotiate, locate, precondition, decode, readReplacement, claim, transact),
  patch:   through(authenticate, admit, negotiate, locate, precondition, decode, readPatch,       claim, transact),
  delete:  through(authenticate, admit, negotiate, locate, precondition,         readDeletion,           transact),
  read:    through(authenticate, admit, negotiate, locate,                                               readRecord),
  list:    through(authenticate, admit, negotiate, locate,                                               readList),
  action:  through(authenticate, admit, negotiate, locateAction, precondition, decode, validateAction, claim, transactAndAwait),
  key:     through(authenticate, admit, negotiate,                                                       readKey),
  job:     through(authenticate, admit, negotiate,                                                       readJob),
  cancel:  through(authenticate, admit, negotiate,                                                       cancelJob),
};

export type Life = (exchange: Received) => Promise<Answer>;

export function lifeOf(kind: OperationKind): Life {
  return lives[kind];
}

type Stage<In, Out> = (exchange: In) => Out | Promise<Out>;

function through<A, B, C, D, E, F, G, H>(
  a: Stage<Received, A>,
  b: Stage<A, B>,
  c: Stage<B, C>,
  d: Stage<C, D>,
  e: Stage<D, E>,
  f: Stage<E, F>,
  g: Stage<F, G>,
  h: Stage<G, H>,
  i: Stage<H, Answer>,
): Life;
function through<A, B, C, D, E, F>(
  a: Stage<Received, A>,
  b: Stage<A, B>,
  c: Stage<B, C>,
  d: Stage<C, D>,
  e: Stage<D, E>,
  f: Stage<E, F>,
  g: Stage<F, Answer>,
): Life;
function through<A, B, C>(
  a: Stage<Received, A>,
  b: Stage<A, B>,
  c: Stage<B, C>,
  d: Stage<C, Answer>,
): Life;
function through<A, B, C, D, E>(
  a: Stage<Received, A>,
  b: Stage<A, B>,
  c: Stage<B, C>,
  d: Stage<C, D>,
  e: Stage<D, E>,
  f: Stage<E, Answer>,
): Life;
function through<A, B, C, D>(
  a: Stage<Received, A>,
  b: Stage<A, B>,
  c: Stage<B, C>,
  d: Stage<C, D>,
  e: Stage<D, Answer>,
): Life;
/** Joins stages whose types follow from each other; swapping two does not compile. */
function through(...stages: Stage<never, unknown>[]): Life {
  return async (exchange) => {
    let state: unknown = exchange;
    for (const stage of stages) {
      const next = stage(state as never);
      state = next instanceof Promise ? await next : next;
    }
    return state as Answer;
  };
}
