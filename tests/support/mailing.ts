import { afterEach } from 'bun:test'
import type { Server } from 'node:net'
import type { SMTPServerOptions } from 'smtp-server'
import { createSmtpMailer, type SmtpSettings } from '../../src/mail/mailer'
import { listenOn, startSmtp } from './smtp'

/** SMTP servers and mailers that end with the test, in reverse order. */
export function mailing() {
  const undo: (() => unknown)[] = []
  afterEach(async () => {
    for (const step of undo.splice(0).reverse()) await step()
  })
  return {
    undo: (step: () => unknown) => undo.push(step),
    async startSmtpServer(options: SMTPServerOptions = {}, port = 0) {
      const server = await startSmtp(options, port)
      undo.push(server.stop)
      return server
    },
    async listen(server: Server) {
      const listening = await listenOn(server)
      undo.push(listening.stop)
      return listening
    },
    smtpMailer(port: number, smtp: Partial<SmtpSettings> = {}, timeouts = {}) {
      const unset = { username: undefined, password: undefined, name: undefined }
      const sender = 'Redlight <no-reply@redlight.example>'
      const settings = { host: '127.0.0.1', port, sender, ...unset, ...smtp }
      const mailer = createSmtpMailer(settings, timeouts)
      undo.push(() => mailer.close())
      return mailer
    },
  }
}

export function reply(words: string): Error {
  return Object.assign(new Error(words.slice(4)), { responseCode: Number(words.slice(0, 3)) })
}

type Rcpt = NonNullable<SMTPServerOptions['onRcptTo']>
/** A server that delays its reply to RCPT TO for addresses with this prefix, until they are released. */
export function holdRcpt(prefix = '') {
  const held: (() => void)[] = []
  let isOpen = false
  const onRcptTo: Rcpt = ({ address }, _session, callback) => {
    if (isOpen || !address.startsWith(prefix)) callback()
    else held.push(callback)
  }
  return {
    onRcptTo,
    held: () => held.length,
    release() {
      isOpen = true
      for (const callback of held.splice(0)) callback()
    },
  }
}
