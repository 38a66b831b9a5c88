import { createTransport } from 'nodemailer'
import type { Config } from '../config/config'
import { type Log, MAX_LINE_DELAY_MS } from '../log'
import { isMailAddress } from '../rules/fields'
import { after, pause } from '../waiting'
import type { Letter } from './letter'

export type Mail = { to: string; messageId: string } & Letter
export type Mailer = {
  /** Resolves once the mail is in other hands; throws a MailFailure when it is not, or may not be. */
  send(mail: Mail): Promise<void>
  /** Breaks off what is still being sent. */
  close(): void
}
export type SmtpSettings = NonNullable<Config['smtp']>

/** Why a mail did not go out, in words that hold neither its token nor a password. */
export class MailFailure extends Error {
  override name = 'MailFailure'
  constructor(
    reason: string,
    /** Trying again would end the same way. */
    readonly isFinal = false,
  ) {
    super(reason)
  }
}

// A server that is merely slow must be waited for: hanging up on it after it took the message sends that twice.
const timeouts = {
  /** From the lookup of the host to the end of its greeting. */
  connectMs: 15_000,
  /** Without a byte. */
  silenceMs: 120_000,
  /** All in all, for a server that answers a byte a minute. */
  totalMs: 300_000,
}

/**
 * One connection for each mail: mails are few, no mail waits behind another's, and none inherits a connection that
 * broke meanwhile. How many there are at once is the outbox's to say.
 */
export function createSmtpMailer(smtp: SmtpSettings, overrides: Partial<typeof timeouts> = {}): Mailer {
  const { totalMs } = { ...timeouts, ...overrides }
  const running = new Set<AbortController>()
  const transport = transportTo(smtp, overrides)
  return {
    async send({ to, ...mail }) {
      // A line break or a second address in it would be an attack.
      if (!isMailAddress(to)) throw new MailFailure('the address is not valid', true)
      const abort = new AbortController()
      running.add(abort)
      const callOff = after(totalMs, () => abort.abort())
      try {
        await transport.sendMail({
          ...mail,
          from: smtp.sender,
          to: { name: '', address: to },
          // Keeps absence notices from coming back.
          headers: { 'Auto-Submitted': 'auto-generated' },
          signal: abort.signal,
        })
      } catch (error) {
        throw mailFailure(error)
      } finally {
        callOff()
        running.delete(abort)
      }
    },
    close() {
      for (const abort of running) abort.abort()
      transport.close()
    },
  }
}

function transportTo(smtp: SmtpSettings, overrides: Partial<typeof timeouts>) {
  const { connectMs, silenceMs } = { ...timeouts, ...overrides }
  return createTransport({
    host: smtp.host,
    port: smtp.port,
    // Without one nodemailer says [127.0.0.1] where the name of the machine has no dot.
    name: smtp.name,
    ...security(smtp),
    connectionTimeout: connectMs,
    greetingTimeout: connectMs,
    dnsTimeout: connectMs,
    socketTimeout: silenceMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
}

/** Goes as far as a mail would, without one: greeting, TLS, sign-in. Throws a MailFailure. */
export async function verifySmtp(
  smtp: SmtpSettings,
  overrides: Partial<typeof timeouts> = {},
): Promise<void> {
  const transport = transportTo(smtp, overrides)
  try {
    await transport.verify()
  } catch (error) {
    throw mailFailure(error)
  } finally {
    transport.close()
  }
}

/**
 * Port 465 speaks TLS from the start; elsewhere STARTTLS is used where it is offered. A password goes only to a server
 * that proves its name, unless that is this machine or a name without a dot (a neighbour in a container network).
 * Without a password, and without TLS being asked for, an unknown certificate is still better than plain text.
 */
function security({ host, port, username, password }: SmtpSettings) {
  const auth = username === undefined ? undefined : { user: username, pass: password ?? '' }
  const secure = port === 465
  const isLocal = /^(127\.[\d.]+|::1|\[::1\]|[^.:]+)$/.test(host)
  const isStrict = !isLocal && (secure || auth !== undefined)
  return {
    auth,
    secure,
    requireTLS: isStrict,
    opportunisticTLS: !isStrict,
    tls: { rejectUnauthorized: isStrict },
  }
}

/** What nodemailer adds to an error. */
type SmtpError = Error & {
  code?: string
  originalCode?: string
  command?: string
  response?: string
  permanent?: boolean
}

function mailFailure(error: unknown): MailFailure {
  if (!(error instanceof Error)) return new MailFailure(typeof error)
  const { code = error.name, originalCode = '', command = '', response = '', permanent }: SmtpError = error
  const isAboutMail = command === 'RCPT TO' || command === 'DATA'
  // 530 and 5.7 are about us (sign in first, relaying denied, blocked): the operator can fix that, so it is retried.
  const isAboutUs = /^(530|\d{3}[ -]5\.7\.)/.test(response)
  const where = command === '' || command === 'CONN' || command === 'API' ? '' : `at ${command}`
  // Before the message is sent the server can't know the token; after that its words might repeat it.
  const words = command === 'RCPT TO' ? response : /^\d{3}([ -]\d\.\d+\.\d+)?/.exec(response)?.[0]
  const reason = [code, originalCode, where, words].filter(Boolean).join(' ')
  return new MailFailure(
    reason.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 200),
    isAboutMail && permanent === true && !isAboutUs,
  )
}

/** For a newcomer without an SMTP server: the mail, with its token, is in the log. */
export function createLogMailer(log: Log): Mailer {
  return {
    async send({ to, subject, text }) {
      log.info('mail', { to, subject, text })
      // A mail counts as sent only once its line is out.
      await pause(MAX_LINE_DELAY_MS)
    },
    close() {},
  }
}
