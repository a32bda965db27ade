import type { MailReceipt } from "../declare/mail.ts";
import { type Clock, systemClock } from "../kernel/clock.ts";
import { type Mailbox, parseMailbox } from "./address.ts";
import { MailError } from "./mail-error.ts";
import { checkMail, type Mail, type Message } from "./message.ts";
import type { MailTransport, SendOptions } from "./transport.ts";

/** A mail that was not sent but kept, to be looked at. */
export interface CapturedMail {
  /** Counts from 1, and is never given twice. */
  readonly id: number;
  /** Milliseconds since the Unix epoch, when it was sent. */
  readonly at: number;
  readonly message: Message;
}

export interface MailCaptureOptions {
  /** The sender of mails that name none. Default `posthaste@localhost`. */
  readonly from?: Mailbox | undefined;
  /** Mails that are kept; the oldest goes first. Default 200. */
  readonly maxMails?: number;
  /** Bytes of content that are kept, though the newest mail always is. Default 33,554,432. */
  readonly maxBytes?: number;
  readonly clock?: Clock;
}

/**
 * @param from `Shop <shop@example.com>`
 * @throws MailError with a sentence for the operator, if the sender is none
 */
export function openCapture({
  from,
  ...options
}: Omit<MailCaptureOptions, "from"> & { readonly from: string | undefined }): MailCapture {
  return new MailCapture({
    ...options,
    from: from === undefined ? undefined : parseMailbox(from, "from"),
  });
}

/** In development nothing is sent: mails are checked as if, and kept in memory. */
export class MailCapture implements MailTransport {
  readonly #from: Mailbox;
  readonly #maxMails: number;
  readonly #maxBytes: number;
  readonly #clock: Clock;
  /** Newest first. */
  #mails: readonly CapturedMail[] = [];
  #last = 0;
  #closed = false;

  constructor(options: MailCaptureOptions = {}) {
    this.#from = options.from ?? { name: "", address: "posthaste@localhost" };
    this.#maxMails = options.maxMails ?? 200;
    this.#maxBytes = options.maxBytes ?? 32 * 1_048_576;
    this.#clock = options.clock ?? systemClock;
  }

  async send(mail: Mail, { signal }: SendOptions = {}): Promise<MailReceipt> {
    const message = checkMail(mail, this.#from);
    if (signal?.aborted || this.#closed) {
      const why = this.#closed ? "the server is stopping" : "it was stopped";
      throw new MailError(`The mail was not sent: ${why}.`, { permanent: false });
    }
    this.#last += 1;
    const captured = { id: this.#last, at: this.#clock.now(), message: copied(message) };
    this.#mails = this.#within([captured, ...this.#mails]);
    return {
      messageId: message.messageId,
      accepted: message.to.map(({ address }) => address),
      rejected: [],
    };
  }

  /** Newest first. */
  list(): readonly CapturedMail[] {
    return this.#mails;
  }

  find(id: number): CapturedMail | undefined {
    return this.#mails.find((mail) => mail.id === id);
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  #within(mails: readonly CapturedMail[]): readonly CapturedMail[] {
    let bytes = 0;
    const tooMuch = mails.findIndex(({ message }, index) => {
      bytes += bytesOf(message);
      return index > 0 && (index >= this.#maxMails || bytes > this.#maxBytes);
    });
    return tooMuch === -1 ? mails : mails.slice(0, tooMuch);
  }
}

/** Whoever sent it may use the same bytes again. */
function copied(message: Message): Message {
  return {
    ...message,
    attachments: message.attachments.map((attachment) =>
      typeof attachment.content === "string"
        ? attachment
        : { ...attachment, content: Uint8Array.from(attachment.content) },
    ),
  };
}

function bytesOf({ text, html = "", attachments }: Message): number {
  return attachments.reduce(
    (sum, { content }) => sum + Buffer.byteLength(content),
    Buffer.byteLength(text) + Buffer.byteLength(html),
  );
}
