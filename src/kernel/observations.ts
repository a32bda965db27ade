/**
 * Everything that the framework has to say about itself, as data. Code emits observations; the
 * logger chooses what to show and metrics what to count.
 */
export type Observation =
  | {
      readonly event: "request.answered";
      readonly requestId: string;
      readonly method: string;
      /** The path as sent, without its query. */
      readonly path: string;
      /** Id of the operation, where one was found. */
      readonly operation?: string;
      readonly status: number;
      readonly milliseconds: number;
      /** Type of the problem that was answered. */
      readonly problem?: string;
    }
  | { readonly event: "request.failed"; readonly requestId: string; readonly error: unknown }
  | { readonly event: "writer.complained"; readonly error: unknown }
  | { readonly event: "writer.died"; readonly error: unknown; readonly unitsLost: number }
  | { readonly event: "writer.restarted"; readonly milliseconds: number }
  | { readonly event: "writer.gave-up"; readonly error: unknown }
  | { readonly event: "store.failed"; readonly error: unknown; readonly units: number }
  | { readonly event: "server.listening"; readonly url: string }
  | { readonly event: "server.draining"; readonly requestsInFlight: number }
  | { readonly event: "server.stopped" };

export type Observe = (observation: Observation) => void;
