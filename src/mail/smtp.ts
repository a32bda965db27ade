import nodemailer, { type NodemailerError, type SendMailOptions } from "nodemailer";
import type { MailReceipt } from "../declare/mail.ts";
import { type Clock, systemClock } from "../kernel/clock.ts";
import type { Mailbox } from "./address.ts";
import { MailError } from "./mail-error.ts";
import { checkMail, type Message } from "./message.ts";
import type { SmtpAddress } from "./smtp-address.ts";
import { smtpFailure, smtpReply } from "./smtp-failure.ts";
import type { MailTransport } from "./transport.ts";

export interface SmtpOptions {
  /** The sender of mails that name none. */
  readonly from?: Mailbox | undefined;
  /** Connections at most. Default 5. */
  readonly maxConnections?: number;
  /** Milliseconds to connect: names, TCP, and TLS from the first byte. Default 10,000. */
  readonly connectTimeoutMs?: number;
  /** Milliseconds that the server may be silent. Default 60,000. */
  readonly replyTimeoutMs?: number;
  /** Milliseconds for a mail as a whole, the wait for a free connection included. Default 120,000. */
  readonly sendTimeoutMs?: number;
  /** Certificates (PEM) to trust instead of the usual authorities. */
  readonly ca?: string;
  readonly clock?: Clock;
}

/** Opens connections when there is something to send, and keeps them for what comes next. */
export function smtpTransport(server: SmtpAddress, options: SmtpOptions = {}): MailTransport {
  const clock = options.clock ?? systemClock;
  const sendTimeoutMs = options.sendTimeoutMs ?? 120_000;
  const replyTimeoutMs = options.replyTimeoutMs ?? 60_000;
  const connectTimeoutMs = options.connectTimeoutMs ?? 10_000;
  const pool = nodemailer.createTransport({
    pool: true,
    host: server.host,
    port: server.port,
    secure: server.implicitTls,
    requireTLS: server.requireTls,
    ...(server.login && { auth: { user: server.login.user, pass: server.login.password } }),
    tls: { minVersion: "TLSv1.2", ...(options.ca !== undefined && { ca: options.ca }) },
    maxConnections: options.maxConnections ?? 5,
    // A connection that is lost after the last line would deliver twice; the job tries again, later.
    maxRequeues: 0,
    connectionTimeout: connectTimeoutMs,
    dnsTimeout: connectTimeoutMs,
    greetingTimeout: replyTimeoutMs,
    socketTimeout: replyTimeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  // Every failure is that of a mail, and is thrown there.
  pool.on("error", () => {});
  const sending = new Set<Promise<MailReceipt>>();
  let closed = false;

  const transmit = async (message: Message, signal?: AbortSignal): Promise<MailReceipt> => {
    // The pool's own time-outs are those of silence: a server that trickles would hold on for ever.
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), sendTimeoutMs);
    const stop = signal ? AbortSignal.any([signal, deadline.signal]) : deadline.signal;
    try {
      const info = await pool.sendMail({ ...composed(message, clock), signal: stop });
      return {
        messageId: message.messageId,
        accepted: info.accepted ?? [],
        rejected: (info.rejectedErrors ?? []).map((error) => ({
          address: error.recipient ?? "",
          ...smtpReply(error, server),
        })),
      };
    } catch (error) {
      if (signal?.aborted) throw stopped();
      if (deadline.signal.aborted) {
        throw new MailError(
          `The mail server at ${server.host}:${server.port} did not take the mail within ${sendTimeoutMs} ms.`,
          { permanent: false },
        );
      }
      throw smtpFailure(error as NodemailerError, server);
    } finally {
      clearTimeout(timer);
    }
  };

  return {
    async send(mail, { signal } = {}) {
      const message = checkMail(mail, options.from);
      if (signal?.aborted) throw stopped();
      if (closed) {
        throw new MailError("The mail was not sent: the server is stopping.", { permanent: false });
      }
      const under = transmit(message, signal);
      sending.add(under);
      try {
        return await under;
      } finally {
        sending.delete(under);
      }
    },
    async close() {
      closed = true;
      pool.close();
      await Promise.allSettled(sending);
    },
  };
}

function stopped(): MailError {
  return new MailError("The sending of the mail was stopped.", { permanent: false });
}

/** Addresses are given in parts, and the envelope by itself: nothing is parsed a second time. */
function composed(message: Message, clock: Clock): SendMailOptions {
  const { from, to, replyTo, html } = message;
  return {
    messageId: message.messageId,
    date: new Date(clock.now()),
    from,
    to: [...to],
    ...(replyTo && { replyTo }),
    envelope: { from: from.address, to: to.map(({ address }) => address) },
    subject: message.subject,
    text: message.text,
    ...(html !== undefined && { html }),
    attachments: message.attachments.map(({ filename, content, contentType }) => ({
      filename,
      content: typeof content === "string" ? content : Buffer.from(content),
      ...(contentType !== undefined && { contentType }),
    })),
    headers: { ...message.headers },
  };
}
