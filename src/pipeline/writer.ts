import { isApi } from "../declare/api.ts";
import { compile } from "../declare/compile.ts";
import { engineOf, serveWriter, threadData } from "../store/open.ts";
import { type Place, serving } from "./serving.ts";
import { performer } from "./transaction/perform.ts";

/** What the writer thread is started with. */
export interface WriterData {
  /** URL of the module whose default export is the API. It is loaded here a second time. */
  readonly module: string;
  readonly place: Place;
  /** Address of the store; its engine decides how statements are written. */
  readonly store: string;
}

const { module, place, store } = threadData() as WriterData;
const { default: api } = (await import(module)) as { default: unknown };
if (!isApi(api)) throw new Error(`${module} does not export an API as default.`);
const compiled = compile(api);
serveWriter(compiled.digest, performer(serving(compiled, place, engineOf(store))));
