import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import type { Api } from "posthaste";
import { compile } from "../../src/declare/compile.ts";
import type { Operation } from "../../src/declare/operation.ts";
import documents from "../fixtures/documents.ts";
import library from "../fixtures/library.ts";
import values from "../fixtures/values.ts";
import { exchange, type RawAnswer, RawConnection, request } from "../support/raw-http.ts";
import { type Served, servedFor } from "../support/scenario.ts";

const RUNS = 4_000;
const SEED = Number(process.env.POSTHASTE_SEED ?? 20_260_202);
