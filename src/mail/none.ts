import { MailError } from "./mail-error.ts";
import type { MailTransport } from "./transport.ts";

/** Where nobody said how mail is sent, none is lost: it stays with the job, and is tried again. */
export const noMail: MailTransport = {
  send: async () => {
    throw new MailError(
      "The server was started without a mail server: give it one with --mail smtp://user:password@host:587.",
      { permanent: false },
    );
  },
  close: async () => {},
};
