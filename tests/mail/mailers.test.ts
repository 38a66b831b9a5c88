import { describe, expect, test } from 'bun:test'
import { createServer } from 'node:net'
import { text as readText } from 'node:stream/consumers'
import type { SMTPServerOptions } from 'smtp-server'
import { createLog } from '../../src/log'
import { createLogMailer } from '../../src/mail/mailer'
import { failureOf } from '../support/embedded'
import { mailing, reply } from '../support/mailing'
import { until } from '../support/until'

const { startSmtpServer, listen, smtpMailer } = mailing()

describe('mailers', () => {
  const mail = {
    to: 'alice@example.com',
    messageId: '<mail-1.1@movies.example>',
    subject: 'Hi',
    text: 'a token',
    html: '',
  }

  test('without an SMTP server write the whole mail to the log', async () => {
    const logLines: string[] = []
    await createLogMailer(createLog('info', (line) => logLines.push(line()))).send(mail)
    expect(JSON.parse(logLines[0] ?? '')).toMatchObject({
      level: 'info',
      message: 'mail',
      to: 'alice@example.com',
      subject: 'Hi',
      text: 'a token',
    })
  })

  const signIn: SMTPServerOptions = {
    authOptional: false,
    disabledCommands: [],
    onAuth: ({ username, password }, _session, callback) =>
      callback(null, username === 'redlight' && password === 'pa55word' ? { user: 1 } : {}),
  }

  test('sign in over STARTTLS', async () => {
    const server = await startSmtpServer(signIn)
    await smtpMailer(server.port, { username: 'redlight', password: 'pa55word' }).send(mail)
    expect(server.received).toHaveLength(1)
  })

  test('report a wrong password without repeating it, and may retry', async () => {
    const server = await startSmtpServer(signIn)
    const mailer = smtpMailer(server.port, { username: 'redlight', password: 'wrong-secret' })
    const failure = await failureOf(mailer.send(mail))
    expect(failure).toMatchObject({ isFinal: false, message: expect.stringContaining('EAUTH') })
    expect(String(failure)).not.toContain('wrong-secret')
  })

  test('send no password to a distant server without a valid certificate', async () => {
    let signIns = 0
    const server = await startSmtpServer({ ...signIn, onAuth: () => signIns++ })
    const distant = { host: '::ffff:127.0.0.1', username: 'redlight', password: 'pa55word' }
    const failure = await failureOf(smtpMailer(server.port, distant).send(mail))
    expect(failure).toMatchObject({ message: expect.stringContaining('CERT') })
    expect(signIns).toBe(0)
  })

  test('do not repeat what a server says about the message', async () => {
    const server = await startSmtpServer({
      onData(stream, _session, callback) {
        readText(stream).then(
          (raw) => callback(reply(`554 5.6.0 spam: ${raw.replace(/\s+/g, ' ')}`)),
          callback,
        )
      },
    })
    const failure = await failureOf(smtpMailer(server.port).send(mail))
    expect(failure).toMatchObject({ isFinal: true, message: 'EMESSAGE at DATA 554 5.6.0' })
  })

  test('abort mails in progress when they are closed', async () => {
    const server = await listen(createServer())
    const mailer = smtpMailer(server.port, {}, { connectMs: 60_000 })
    const failure = failureOf(mailer.send(mail))
    await until(() => server.sockets.size === 1)
    mailer.close()
    expect(await failure).toMatchObject({ isFinal: false })
  })
})
