import { MailError } from "./mail-error.ts";
import type { MailTransport } from "./transport.ts";

/** Where nobody said how mail is sent, none is lost: it stays with the job, and is tried again. */
export const noMail: MailTransport = {
  send: async () => {
    const error = new MailError(
      "The server was started without a mail server: give it one with --mail smtp://user:password@host:587.",
      { permanent: false },
    );
    // The job waits, however long that takes, and no attempt of it is counted.
    throw Object.assign(error, { postponeMs: 60_000 });
  },
  close: async () => {},
};
