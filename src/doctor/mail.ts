import type { Config } from '../config/config'
import { createSmtpMailer, MailFailure, verifySmtp } from '../mail/mailer'
import { type Finding, fail, ok, warn } from './finding'

const AREA = 'mail'
const TIMEOUTS = { connectMs: 4000, silenceMs: 4000, totalMs: 6000 }
const FIX =
  'correct SMTP_HOST, SMTP_PORT, SMTP_USERNAME and SMTP_PASSWORD, or check the log of the mail server'

/** Greets the mail server and signs in; sends a mail only to a given address. */
export async function checkMail(
  { smtp, database, publicUrl }: Config,
  testAddress?: string,
): Promise<Finding[]> {
  if (smtp === undefined) {
    const what = 'SMTP_HOST is not set: mails, with their tokens, go to the log'
    if (testAddress !== undefined) return [fail(AREA, what, 'set SMTP_HOST to send a test mail')]
    return [database.kind === 'postgres' ? warn(AREA, what, 'set SMTP_HOST') : ok(AREA, what)]
  }
  const where = `${smtp.host}:${smtp.port}`
  try {
    await verifySmtp(smtp, TIMEOUTS)
    const verified = ok(
      AREA,
      `${where} answers${smtp.username === undefined ? '' : ', and accepts the password'}`,
    )
    if (testAddress === undefined) return [verified]
    await createSmtpMailer(smtp, TIMEOUTS).send({
      to: testAddress,
      messageId: `<doctor-${crypto.randomUUID()}@${new URL(publicUrl).hostname}>`,
      subject: 'Redlight: a test mail',
      text: `This mail was sent by "redlight doctor" for ${publicUrl}. Mail works.\n`,
      html: `<p>This mail was sent by <code>redlight doctor</code> for ${Bun.escapeHTML(publicUrl)}. Mail works.</p>`,
    })
    return [verified, ok(AREA, `the test mail to ${testAddress} was accepted`)]
  } catch (error) {
    const reason = error instanceof MailFailure ? error.message : 'it failed'
    return [fail(AREA, `${where}: ${reason}`, FIX)]
  }
}
