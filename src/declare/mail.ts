/** A file that goes with a mail. */
export interface Attachment {
  /** Without a folder: `invoice.pdf`. */
  readonly filename: string;
  /** A string is sent in UTF-8. */
  readonly content: string | Uint8Array;
  /** Media type without parameters: `application/pdf`. Default: by the file's name. */
  readonly contentType?: string;
}

/** A mail as users write it. */
export interface Mail {
  /** One address or up to 100: `alice@example.com` or `Alice <alice@example.com>`. */
  readonly to: string | readonly string[];
  /** Default: the sender that the API names. */
  readonly from?: string;
  readonly replyTo?: string;
  /** One line of at most 900 characters. */
  readonly subject: string;
  /** What is read where HTML isn't; at most 1 MiB in UTF-8. */
  readonly text: string;
  /** At most 1 MiB in UTF-8. */
  readonly html?: string;
  /** At most 20, with 10 MiB together. */
  readonly attachments?: readonly Attachment[];
  /** Further header fields: `{ "List-Unsubscribe": "<https://example.com/u/7>" }`. */
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * What makes this mail one and the same when it is sent again; 1 to 255 characters. Default: the
   * key of the job or step, and which of its mails it is.
   */
  readonly idempotencyKey?: string;
}

/** Sends mails, where jobs do: at least once, and with the same `Message-ID` every time. */
export interface Mailer {
  /** Settles when the mail server has taken the mail over, for one recipient at least. */
  readonly send: (mail: Mail) => Promise<MailReceipt>;
}

/** What a mail server took over. */
export interface MailReceipt {
  /** With its angle brackets. */
  readonly messageId: string;
  readonly accepted: readonly string[];
  /**
   * Recipients that the server refused while it took the mail for others. To send again would send
   * it twice to those: give each recipient a mail of their own where that matters.
   */
  readonly rejected: readonly RejectedRecipient[];
}

export interface RejectedRecipient {
  readonly address: string;
  readonly permanent: boolean;
  /** What the server said. */
  readonly detail: string;
}
