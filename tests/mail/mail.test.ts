import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { createServer, type Server } from 'node:net'
import { text as readText } from 'node:stream/consumers'
import { $ } from 'bun'
import { eq, ne, sql } from 'drizzle-orm'
import type { SMTPServerOptions } from 'smtp-server'
import { findTokenOwner, issueToken } from '../../src/access/mail-token-store'
import { BUILT_IN_USER_ID, type MailKind, mails, users } from '../../src/db/schema'
import { createLog } from '../../src/log'
import { activationLetter } from '../../src/mail/activation'
import type { OutboxTimings } from '../../src/mail/delivery'
import { createLogMailer, createSmtpMailer, type Mailer, type SmtpSettings } from '../../src/mail/mailer'
import { startOutbox } from '../../src/mail/outbox'
import { passwordResetLetter } from '../../src/mail/password-reset'
import { claimMail, countMails, purgeMails, recordMail } from '../../src/mail/store'
import { migrate } from '../../src/migrations/migrate'
import { type OpenDatabase, openDatabase } from '../../src/opening/open'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { listenOn, parseMail, type ReceivedMail, startSmtp } from '../support/smtp'

const logLines: string[] = []
const log = createLog('info', (line) => logLines.push(line()))

let testDatabase: TestDatabase
let database: OpenDatabase
beforeAll(async () => {
  testDatabase = await createTestDatabase()
  database = await openDatabase(testDatabase.config, log)
  await migrate(database.db)
})
afterAll(async () => {
  await database.close()
  await testDatabase.drop()
})

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
  await database.db.delete(users).where(ne(users.id, BUILT_IN_USER_ID))
  logLines.length = 0
})

/** Ends with the test. */
async function startSmtpServer(options: SMTPServerOptions = {}, port = 0) {
  const server = await startSmtp(options, port)
  undo.push(server.stop)
  return server
}

async function listen(server: Server) {
  const listening = await listenOn(server)
  undo.push(listening.stop)
  return listening
}

function smtpMailer(port: number, smtp: Partial<SmtpSettings> = {}, timeouts = {}) {
  const settings = { host: '127.0.0.1', port, sender: 'Redlight <no-reply@redlight.example>', ...smtp }
  const mailer = createSmtpMailer(settings, { connectMs: 300, silenceMs: 5000, ...timeouts })
  undo.push(() => mailer.close())
  return mailer
}

const quick = { firstPauseMs: 60, longestPauseMs: 60, pollMs: 40, leaseMs: 600, stopMs: 2000 }

function start(mailer: Mailer, timings: Partial<OutboxTimings> = {}) {
  const { db } = database
  const outbox = startOutbox(
    {
      db,
      mailer,
      issueToken: (userId, scope) => issueToken(db, userId, scope),
      publicUrl: 'https://films.example/api/',
      log,
    },
    { ...quick, ...timings },
  )
  undo.push(() => outbox.stop())
  return outbox
}

async function record(
  email: string,
  { kind = 'activation', name = 'Alice' }: { kind?: MailKind; name?: string } = {},
) {
  return database.db.transaction(async (tx) => {
    const known = await tx.select({ id: users.id }).from(users).where(eq(users.email, email))
    const added =
      known[0] ??
      (await tx.insert(users).values({ name, email, passwordHash: '' }).returning({ id: users.id }))[0]
    const userId = added?.id ?? 0
    await recordMail(tx, { userId, kind })
    return userId
  })
}

async function until(isSo: () => unknown, patienceMs = 15_000) {
  for (const end = performance.now() + patienceMs; !(await isSo()); await Bun.sleep(10))
    if (performance.now() > end) throw new Error(`not within ${patienceMs} ms: ${isSo}`)
}

const isDone = async () => (await countMails(database.db)).waiting === 0
const theMail = async () => (await database.db.select().from(mails))[0]
const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  )

describe('a mail', () => {
  test('arrives in text and HTML, with a token that works, and leaves no token in the log', async () => {
    const server = await startSmtpServer()
    const userId = await record('alice@example.com')
    const mail = await theMail()
    const outbox = start(smtpMailer(server.port))
    await until(isDone)
    const [received] = server.received
    expect(received?.to).toBe('alice@example.com')
    expect(received?.header).toContain('multipart/alternative')
    expect(received?.header).toContain('From: Redlight <no-reply@redlight.example>')
    expect(received?.header).toContain('Subject: Activate your Redlight account')
    expect(received?.messageId).toBe(`<mail-${mail?.id}.${mail?.createdAt.getTime()}@films.example>`)
    const token = received?.token ?? ''
    expect((await findTokenOwner(database.db, 'activation', token))?.id).toBe(userId)
    expect(received?.text).toContain(`\nhttps://films.example/api/activate#token=${token}\n`)
    expect(received?.html).toContain(`href="https://films.example/api/activate#token=${token}"`)
    expect(received?.html).toContain(`>${token}</pre>`)
    expect(outbox.counts).toEqual({ sent: 1, retried: 0, failed: 0 })
    expect(logLines.join('')).not.toContain(token)
  })

  test('is not sent when what it is about is rolled back', async () => {
    const server = await startSmtpServer()
    const userId = await record('first@example.com')
    const rolledBack = database.db.transaction(async (tx) => {
      await recordMail(tx, { userId, kind: 'password-reset' })
      throw new Error('no')
    })
    expect(await failureOf(rolledBack)).toBeInstanceOf(Error)
    start(smtpMailer(server.port))
    await until(isDone)
    expect(server.received).toHaveLength(1)
  })

  test('is not sent when the user has been activated meanwhile', async () => {
    const server = await startSmtpServer()
    const userId = await record('alice@example.com')
    await database.db.update(users).set({ activated: true }).where(eq(users.id, userId))
    start(smtpMailer(server.port))
    await until(isDone)
    expect(server.received).toHaveLength(0)
  })

  test('goes out at once when the outbox is told of it', async () => {
    const server = await startSmtpServer()
    const outbox = start(smtpMailer(server.port), { pollMs: 60_000 })
    await Bun.sleep(50)
    await record('alice@example.com')
    outbox.wake()
    await until(isDone)
    expect(server.received).toHaveLength(1)
  })

  test('is removed a week after it was sent', async () => {
    for (const email of ['old@example.com', 'new@example.com', 'waiting@example.com']) await record(email)
    const sentAgo = (email: string, ago: string) =>
      database.db.execute(
        sql`update mails set sent_at = now() - ${ago}::interval from users where users.id = user_id and email = ${email}`,
      )
    await sentAgo('old@example.com', '7 days 1 hour')
    await sentAgo('new@example.com', '6 days')
    await purgeMails(database.db)
    expect(await database.db.$count(mails)).toBe(2)
    expect((await countMails(database.db)).waiting).toBe(1)
  })
})

describe('a mail survives', () => {
  test('a server whose port is closed', async () => {
    const gone = await startSmtpServer()
    await gone.stop()
    await record('alice@example.com')
    const outbox = start(smtpMailer(gone.port))
    await until(() => outbox.counts.retried >= 2)
    expect((await theMail())?.lastError).toContain('ECONNREFUSED')
    const server = await startSmtpServer({}, gone.port)
    await until(isDone)
    expect(server.received).toHaveLength(1)
    expect(await theMail()).toMatchObject({ lastError: null, failedAt: null })
  })

  test.each([
    ['451 4.7.1 greylisted', 'onRcptTo'],
    ['550 5.7.1 relaying denied', 'onRcptTo'],
    ['550 sender unknown', 'onMailFrom'],
  ] as const)('"%s" from %s', async (words, hook) => {
    let refusals = 2
    const refuse: SMTPServerOptions['onRcptTo'] = (_address, _session, callback) =>
      callback(refusals-- > 0 ? reply(words) : null)
    const server = await startSmtpServer({ [hook]: refuse })
    await record('alice@example.com')
    const outbox = start(smtpMailer(server.port))
    await until(isDone)
    expect(server.received).toHaveLength(1)
    expect(outbox.counts).toEqual({ sent: 1, retried: 2, failed: 0 })
  })

  test('a server that takes the message and hangs up: sent again as the same mail, with a token of its own', async () => {
    const taken: ReceivedMail[] = []
    const server = await startSmtpServer({
      onData(stream, _session, callback) {
        readText(stream).then((raw) => {
          taken.push(parseMail(raw, ''))
          if (taken.length > 1) return callback()
          for (const socket of server.sockets) socket.destroy()
        }, callback)
      },
    })
    await record('alice@example.com')
    start(smtpMailer(server.port))
    await until(isDone)
    const [first, second] = taken
    expect(taken).toHaveLength(2)
    expect(second?.messageId).toBe(first?.messageId ?? '')
    for (const { token } of taken)
      expect(await findTokenOwner(database.db, 'activation', token)).toBeDefined()
    expect(second?.token).not.toBe(first?.token ?? '')
  })

  test('a process that was killed with the mail in its hands', async () => {
    const server = await startSmtpServer()
    await record('alice@example.com')
    expect(await claimMail(database.db, [], 400)).toMatchObject({ email: 'alice@example.com', attempts: 1 })
    start(smtpMailer(server.port))
    await Bun.sleep(200)
    expect(server.received).toHaveLength(0)
    await until(isDone)
    expect(server.received).toHaveLength(1)
  })

  test('a database that is away while the mail is being sent, and is sent once', async () => {
    const server = await startSmtpServer({ onRcptTo: afterMs(150) })
    const outbox = start(smtpMailer(server.port))
    await record('alice@example.com')
    await until(() => server.sockets.size === 1)
    await database.db.execute(sql`alter table mails rename to mails_away`)
    await until(() => server.received.length === 1)
    await Bun.sleep(200)
    await database.db.execute(sql`alter table mails_away rename to mails`)
    await record('bob@example.com')
    await until(isDone)
    expect(server.received.map(({ to }) => to)).toEqual(['alice@example.com', 'bob@example.com'])
    expect(outbox.counts).toEqual({ sent: 2, retried: 0, failed: 0 })
    expect(logLines.filter((line) => line.includes('does not answer'))).toHaveLength(1)
  })

  test('a stop, which waits for it and takes up no other', async () => {
    const server = await startSmtpServer({ onRcptTo: afterMs(300) })
    const outbox = start(smtpMailer(server.port), { lanes: 1 })
    await record('alice@example.com')
    await record('bob@example.com')
    await until(() => server.sockets.size === 1)
    await outbox.stop()
    expect(server.received).toHaveLength(1)
    expect(await countMails(database.db)).toEqual({ waiting: 1, failed: 0 })
  })
})

describe('a mail is given up, kept and counted', () => {
  test('at once when its mailbox is refused for good, while another goes out', async () => {
    const server = await startSmtpServer({
      onRcptTo: ({ address }, _session, callback) =>
        callback(address.startsWith('nobody') ? reply('550 5.1.1 no such mailbox') : null),
    })
    await record('nobody@example.com')
    await record('alice@example.com')
    const outbox = start(smtpMailer(server.port), { leaseMs: 100 })
    await until(isDone)
    await Bun.sleep(250)
    expect(server.received.map(({ to }) => to)).toEqual(['alice@example.com'])
    expect(await countMails(database.db)).toEqual({ waiting: 0, failed: 1 })
    expect(outbox.counts).toEqual({ sent: 1, retried: 0, failed: 1 })
    expect(logLines.join('')).toContain('5.1.1 no such mailbox')
  })

  test('after the last try at a server that accepts and says nothing', async () => {
    const server = await listen(createServer())
    await record('alice@example.com')
    const outbox = start(smtpMailer(server.port, {}, { connectMs: 100 }), { maxTries: 3 })
    await until(isDone)
    expect(outbox.counts).toEqual({ sent: 0, retried: 2, failed: 1 })
    expect(await theMail()).toMatchObject({
      attempts: 3,
      sentAt: null,
      lastError: expect.stringContaining('TIME'),
    })
  })

  test('after the last try at a server that answers too slowly to ever end', async () => {
    const server = await listen(
      createServer((socket) => {
        const timer = setInterval(() => socket.write('2'), 20)
        socket.on('error', () => {}).on('close', () => clearInterval(timer))
      }),
    )
    await record('alice@example.com')
    start(smtpMailer(server.port, {}, { connectMs: 60_000, totalMs: 150 }), { maxTries: 2 })
    await until(isDone)
    expect((await theMail())?.lastError).toContain('EABORT')
  })

  test.each([
    'alice@example.com\r\nRCPT TO:<eve@example.com>',
    'alice@example.com, eve@example.com',
    'alice',
  ])('when its address is %j', async (address) => {
    const server = await startSmtpServer()
    await record(address)
    start(smtpMailer(server.port))
    await until(isDone)
    expect(server.sockets.size).toBe(0)
    expect(await countMails(database.db)).toEqual({ waiting: 0, failed: 1 })
  })
})

describe('many mails', () => {
  test('are shared by workers on one database, each sent once', async () => {
    const server = await startSmtpServer({ onRcptTo: afterMs(5) })
    const addresses = Array.from({ length: 40 }, (_, index) => `user${index}@example.com`)
    for (const address of addresses) await record(address)
    const outboxes = [1, 2, 3].map(() => start(smtpMailer(server.port), { lanes: 3 }))
    await until(isDone)
    expect(server.received.map(({ to }) => to).sort()).toEqual(addresses.sort())
    for (const { counts } of outboxes) expect(counts.sent).toBeGreaterThan(0)
  })

  test('to one slow mailbox hold up no other', async () => {
    const slowly = afterMs(1000)
    const server = await startSmtpServer({
      onRcptTo: (address, session, callback) =>
        address.address.startsWith('slow') ? slowly(address, session, callback) : callback(),
    })
    for (const kind of ['activation', 'password-reset', 'activation'] as const)
      await record('slow@example.com', { kind })
    await record('quick@example.com')
    start(smtpMailer(server.port), { lanes: 2 })
    await until(() => server.received.length === 1, 800)
    expect(server.received[0]?.to).toBe('quick@example.com')
  })

  test('that outlast their lease are not taken up by another worker', async () => {
    // Long enough that a machine with much else to do still renews it in time.
    const server = await startSmtpServer({ onRcptTo: afterMs(2700) })
    await record('alice@example.com')
    const outboxes = [1, 2].map(() => start(smtpMailer(server.port), { leaseMs: 900 }))
    await until(isDone)
    await Promise.all(outboxes.map((outbox) => outbox.stop()))
    expect(server.received).toHaveLength(1)
  })

  test('that were tried before let a new one go first', async () => {
    await record('tried@example.com')
    await database.db.update(mails).set({ attempts: 3, dueAt: sql`now() - interval '1 hour'` })
    await record('new@example.com')
    expect(await claimMail(database.db, [], 1000)).toMatchObject({ email: 'new@example.com' })
  })
})

describe('letters', () => {
  const now = new Date('2025-11-21T10:44:00Z')
  const values = {
    name: 'Alice',
    token: 'A'.repeat(26),
    expiresAt: new Date('2025-11-24T10:44:00Z'),
    publicUrl: 'http://localhost:4000',
  }

  const reset = passwordResetLetter({ ...values, expiresAt: new Date('2025-11-21T11:29:00Z') }, now)
  const activation = activationLetter(values, now)

  test('say how the link and the token are used and when they expire', () => {
    expect(activation.text).toStartWith('Hello Alice,\n\n')
    expect(activation.text).toContain(`\n\nhttp://localhost:4000/activate#token=${values.token}\n\n`)
    expect(activation.text).toContain(`\n\n${values.token}\n\n`)
    expect(activation.text).toContain('expires in 3 days (Mon, 24 Nov 2025 10:44 UTC).')
    expect(reset.text).toContain(`\n\nhttp://localhost:4000/reset-password#token=${values.token}\n\n`)
    expect(reset.text).toContain('expires in 45 minutes (Fri, 21 Nov 2025 11:29 UTC).')
  })

  test.each([
    ['activation', activation, '/v1/users/activated', { token: values.token }],
    ['reset', reset, '/v1/users/password', { password: 'your new password', token: values.token }],
  ])('hold a command that a shell understands: %s', async (_, { text }, path, body) => {
    const [command = ''] = /^curl [\s\S]*?(?=\n\n)/m.exec(text) ?? []
    const printed =
      await $`bash -c ${`curl() { printf '%s\n' "$1" "$2" "$3" "$4"; echo "$5"; }; ${command}`}`.text()
    const [option, method, url, json, ...data] = printed.split('\n')
    expect([option, method, url, json]).toEqual(['-X', 'PUT', `http://localhost:4000${path}`, '--json'])
    expect(JSON.parse(data.join('\n'))).toEqual(body)
  })

  test.each([
    ['activation', activation],
    ['reset', reset],
  ])('say the same in text, at 72 columns, and in HTML that asks no server for anything: %s', (_, letter) => {
    const lines = letter.text.split('\n')
    expect(lines.filter((line) => line.length > 72 && !line.startsWith('http'))).toEqual([])
    const shown = letter.html
      .replace(/<(head|style)>[\s\S]*?<\/\1>/g, '')
      .replace(/<h1>.*?<\/h1>|<p><a class="button".*<\/p>/g, '')
      .replace(/<[^>]+>/g, ' ')
    const words = (text: string) => text.split(/\s+/).filter(Boolean)
    expect(words(shown)).toEqual(words(Bun.escapeHTML(letter.text)))
    expect(letter.html).not.toMatch(/<img|<link|<script|url\(|@import|\ssrc=/)
    expect([...letter.html.matchAll(/href="([^"#]+)/g)].map(([, href]) => href)).toHaveLength(1)
  })

  test.each([
    ['<b>"Bob" & \'Eve\'</b> 👩‍🚀', 'Hello <b>"Bob" & \'Eve\'</b> 👩‍🚀,'],
    ['Bob\r\n\r\nYour token:\u2028X\u0000', 'Hello Bob Your token: X,'],
    ['\u202egnp.live', 'Hello,'],
    ['win at https://evil', 'Hello,'],
    ['see evil.example', 'Hello,'],
    ['J. R. R. Tolkien', 'Hello J. R. R. Tolkien,'],
    ['😀'.repeat(500), `Hello ${'😀'.repeat(60)}…,`],
  ])('greet safely: %#', (name, greeting) => {
    const { subject, text, html } = activationLetter({ ...values, name }, now)
    expect(text.split('\n')[0]).toBe(greeting)
    expect(html).toContain(`>${Bun.escapeHTML(greeting)}</p>`)
    expect(html).not.toContain('<b>')
    expect(subject).toBe('Activate your Redlight account')
  })
})

describe('mailers', () => {
  const mail = {
    to: 'alice@example.com',
    messageId: '<mail-1.1@films.example>',
    subject: 'Hi',
    text: 'a token',
    html: '',
  }

  test('without an SMTP server, the log has the mail whole', async () => {
    await createLogMailer(log).send(mail)
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

  test('are told of a wrong password without repeating it, and may try again', async () => {
    const server = await startSmtpServer(signIn)
    const mailer = smtpMailer(server.port, { username: 'redlight', password: 'wrong-secret' })
    const failure = await failureOf(mailer.send(mail))
    expect(failure).toMatchObject({ isFinal: false, message: expect.stringContaining('EAUTH') })
    expect(String(failure)).not.toContain('wrong-secret')
  })

  test('show a password to no distant server without a proven name', async () => {
    let signIns = 0
    const server = await startSmtpServer({ ...signIn, onAuth: () => signIns++ })
    const distant = { host: '::ffff:127.0.0.1', username: 'redlight', password: 'pa55word' }
    const failure = await failureOf(smtpMailer(server.port, distant).send(mail))
    expect(failure).toMatchObject({ message: expect.stringContaining('CERT') })
    expect(signIns).toBe(0)
  })

  test('keep what a server says of the message to themselves', async () => {
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

  test('break off what is being sent when they are closed', async () => {
    const server = await listen(createServer())
    const mailer = smtpMailer(server.port, {}, { connectMs: 60_000 })
    const failure = failureOf(mailer.send(mail))
    await Bun.sleep(50)
    mailer.close()
    expect(await failure).toMatchObject({ isFinal: false })
  })
})

function reply(words: string): Error {
  return Object.assign(new Error(words.slice(4)), { responseCode: Number(words.slice(0, 3)) })
}

function afterMs(milliseconds: number): NonNullable<SMTPServerOptions['onRcptTo']> {
  return (_address, _session, callback) => setTimeout(callback, milliseconds)
}
