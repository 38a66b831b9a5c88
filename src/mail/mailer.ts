import { createTransport } from 'nodemailer'
import type { Config } from '../config/config'
import { type Log, MAX_LINE_DELAY_MS } from '../log'
import { isMailAddress } from '../rules/fields'
import { after, pause } from '../waiting'
import type { Letter } from './letter'

export type Mail = { to: string; messageId: string } & Letter
export type Mailer = {
  /** Resolves once the server has accepted the mail; throws a MailFailure when it has not, or may not have. */
  send(mail: Mail): Promise<void>
  /** Aborts mails that are still being sent. */
  close(): void
}
export type SmtpSettings = NonNullable<Config['smtp']>

/** Why a mail did not go out, without its token or a password. */
export class MailFailure extends Error {
  override name = 'MailFailure'
  constructor(
    reason: string,
    /** A retry would end the same way. */
    readonly isFinal = false,
  ) {
    super(reason)
  }
}

// A slow server must be waited for: disconnecting after it took the message would send the message twice.
const timeouts = {
  /** From the host lookup to the end of the greeting. */
  connectMs: 15_000,
  /** Silence. */
  silenceMs: 120_000,
  /** In total, for a server that sends a byte a minute. */
  totalMs: 300_000,
}

/**
 * One connection per mail: mails are few, none waits behind another, and none gets a connection that broke
 * meanwhile. The outbox limits how many run at once.
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
          // Prevents absence notices.
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
    // Without one nodemailer says [127.0.0.1] when the host name has no dot.
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

/** Does all a mail needs but send one: greeting, TLS, sign-in. Throws a MailFailure. */
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
 * Port 465 is TLS from the start; elsewhere STARTTLS is used if offered. A password is sent only to a server
 * with a valid certificate, except to this machine or a name without a dot (a neighbour in a container
 * network). Otherwise an unverified certificate is still better than plain text.
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

/** Fields that nodemailer adds to an error. */
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
  // 530 and 5.7 concern us (sign in first, relaying denied, blocked): the operator can fix that, so it is
  // retried.
  const isAboutUs = /^(530|\d{3}[ -]5\.7\.)/.test(response)
  const where = command === '' || command === 'CONN' || command === 'API' ? '' : `at ${command}`
  // Once the message is sent, the server's words might repeat the token.
  const words = command === 'RCPT TO' ? response : /^\d{3}([ -]\d\.\d+\.\d+)?/.exec(response)?.[0]
  const reason = [code, originalCode, where, words].filter(Boolean).join(' ')
  return new MailFailure(
    reason.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 200),
    isAboutMail && permanent === true && !isAboutUs,
  )
}

/** For a newcomer without an SMTP server: the mail and its token go to the log. */
export function createLogMailer(log: Log): Mailer {
  return {
    async send({ to, subject, text }) {
      log.info('mail', { to, subject, text })
      // A mail counts as sent only once its line is written.
      await pause(MAX_LINE_DELAY_MS)
    },
    close() {},
  }
}
