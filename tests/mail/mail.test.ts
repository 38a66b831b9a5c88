import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { createServer } from 'node:net'
import { text as readText } from 'node:stream/consumers'
import { eq, isNull, ne, sql } from 'drizzle-orm'
import type { SMTPServerOptions } from 'smtp-server'
import { findTokenOwner, issueToken } from '../../src/access/mail-token-store'
import { BUILT_IN_USER_ID, type MailKind, mails, users } from '../../src/db/schema'
import { createLog } from '../../src/log'
import type { OutboxTimings } from '../../src/mail/delivery'
import type { Mailer } from '../../src/mail/mailer'
import { startOutbox } from '../../src/mail/outbox'
import { claimMail, countMails, purgeMails, recordMail } from '../../src/mail/store'
import { type OpenDatabase, openDatabase } from '../../src/opening/open'
import { createFilledDatabase, type TestDatabase } from '../support/database'
import { failureOf } from '../support/embedded'
import { holdRcpt, mailing, reply } from '../support/mailing'
import { parseMail, type ReceivedMail } from '../support/smtp'
import { until } from '../support/until'

const logLines: string[] = []
const log = createLog('info', (line) => logLines.push(line()))

let testDatabase: TestDatabase
let database: OpenDatabase
beforeAll(async () => {
  testDatabase = await createFilledDatabase()
  database = await openDatabase(testDatabase.config, log)
})
afterAll(async () => {
  await database.close()
  await testDatabase.drop()
})

const { undo, startSmtpServer, listen, smtpMailer } = mailing()
afterEach(async () => {
  await database.db.delete(users).where(ne(users.id, BUILT_IN_USER_ID))
  logLines.length = 0
})

const quick = { firstPauseMs: 60, longestPauseMs: 60, pollMs: 40, leaseMs: 30_000, stopMs: 20_000 }

function start(mailer: Mailer, timings: Partial<OutboxTimings> = {}) {
  const { db } = database
  const outbox = startOutbox(
    {
      db,
      mailer,
      issueToken: (userId, scope) => issueToken(db, userId, scope),
      publicUrl: 'https://movies.example/api/',
      site: { name: 'Redlight', url: 'https://movies.example' },
      log,
    },
    { ...quick, ...timings },
  )
  undo(() => outbox.stop())
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

const isDone = async () => (await countMails(database.db)).waiting === 0
const theMail = async () => (await database.db.select().from(mails))[0]
describe('a mail', () => {
  test('arrives in text and HTML, with a token that works, and leaves no token in the log', async () => {
    const server = await startSmtpServer()
    const userId = await record('alice@example.com')
    const mail = await theMail()
    const outbox = start(smtpMailer(server.port))
    await until(() => outbox.counts.sent === 1)
    const [received] = server.received
    expect(received?.to).toBe('alice@example.com')
    expect(received?.header).toContain('multipart/alternative')
    expect(received?.header).toContain('From: Redlight <no-reply@redlight.example>')
    expect(received?.header).toContain('Subject: Activate your Redlight account')
    expect(received?.messageId).toBe(`<mail-${mail?.id}.${mail?.createdAt.getTime()}@movies.example>`)
    const token = received?.token ?? ''
    expect((await findTokenOwner(database.db, 'activation', token))?.id).toBe(userId)
    expect(received?.text).toContain(`\nhttps://movies.example/api/activate#token=${token}\n`)
    expect(received?.html).toContain(`href="https://movies.example/api/activate#token=${token}"`)
    expect(received?.html).toContain(`>${token}</pre>`)
    expect(outbox.counts).toEqual({ sent: 1, retried: 0, failed: 0 })
    expect(logLines.join('')).not.toContain(token)
  })

  test('is not sent if its cause is rolled back', async () => {
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

  test('is not sent if the user has been activated meanwhile', async () => {
    const server = await startSmtpServer()
    const userId = await record('alice@example.com')
    await database.db.update(users).set({ activated: true }).where(eq(users.id, userId))
    start(smtpMailer(server.port))
    await until(isDone)
    expect(server.received).toHaveLength(0)
  })

  test('is sent at once when the outbox is notified', async () => {
    const server = await startSmtpServer()
    const outbox = start(smtpMailer(server.port), { pollMs: 60_000 })
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
    await until(() => outbox.counts.sent === 1)
    expect(server.received).toHaveLength(1)
    expect(outbox.counts).toEqual({ sent: 1, retried: 2, failed: 0 })
  })

  test('a server that takes the message and closes the connection: sent again as the same mail, with a new token', async () => {
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

  test('a process that was killed while sending it', async () => {
    const server = await startSmtpServer()
    await record('alice@example.com')
    expect(await claimMail(database.db, [], 30_000)).toMatchObject({
      recipient: 'alice@example.com',
      attempts: 1,
    })
    start(smtpMailer(server.port))
    await record('bob@example.com')
    await until(() => server.received.length > 0)
    expect(server.received.map(({ to }) => to)).toEqual(['bob@example.com'])
    // As if the lease had ended.
    await database.db.update(mails).set({ dueAt: sql`now()` }).where(isNull(mails.sentAt))
    await until(isDone)
    expect(server.received.map(({ to }) => to)).toEqual(['bob@example.com', 'alice@example.com'])
  })

  test('a database that is away while the mail is being sent, and is sent once', async () => {
    const { onRcptTo, held, release } = holdRcpt()
    const server = await startSmtpServer({ onRcptTo })
    const outbox = start(smtpMailer(server.port))
    await record('alice@example.com')
    await until(() => held() === 1)
    await database.db.execute(sql`alter table mails rename to mails_away`)
    release()
    await until(() => server.received.length === 1)
    await until(() => logLines.some((line) => line.includes('does not answer')))
    await database.db.execute(sql`alter table mails_away rename to mails`)
    await record('bob@example.com')
    await until(() => outbox.counts.sent === 2)
    expect(server.received.map(({ to }) => to)).toEqual(['alice@example.com', 'bob@example.com'])
    expect(outbox.counts).toEqual({ sent: 2, retried: 0, failed: 0 })
    expect(logLines.filter((line) => line.includes('does not answer'))).toHaveLength(1)
  })

  test('a stop, which waits for it and starts no other', async () => {
    const { onRcptTo, held, release } = holdRcpt()
    const server = await startSmtpServer({ onRcptTo })
    const outbox = start(smtpMailer(server.port), { lanes: 1 })
    await record('alice@example.com')
    await record('bob@example.com')
    await until(() => held() === 1)
    const stopped = outbox.stop()
    release()
    await stopped
    expect(server.received).toHaveLength(1)
    expect(await countMails(database.db)).toEqual({ waiting: 1, failed: 0 })
  })
})

describe('a mail is given up, kept and counted', () => {
  test('at once if its mailbox is refused permanently, while another is sent', async () => {
    const server = await startSmtpServer({
      onRcptTo: ({ address }, _session, callback) =>
        callback(address.startsWith('nobody') ? reply('550 5.1.1 no such mailbox') : null),
    })
    await record('nobody@example.com')
    await record('alice@example.com')
    const outbox = start(smtpMailer(server.port))
    await until(() => outbox.counts.sent + outbox.counts.failed === 2)
    await database.db.update(mails).set({ dueAt: sql`now()` })
    expect(await claimMail(database.db, [], 30_000)).toBeUndefined()
    expect(server.received.map(({ to }) => to)).toEqual(['alice@example.com'])
    expect(await countMails(database.db)).toEqual({ waiting: 0, failed: 1 })
    expect(outbox.counts).toEqual({ sent: 1, retried: 0, failed: 1 })
    expect(logLines.join('')).toContain('5.1.1 no such mailbox')
  })

  test('after the last try at a silent server', async () => {
    const server = await listen(createServer())
    await record('alice@example.com')
    const outbox = start(smtpMailer(server.port, {}, { connectMs: 100 }), { maxTries: 3 })
    await until(() => outbox.counts.failed === 1)
    expect(outbox.counts).toEqual({ sent: 0, retried: 2, failed: 1 })
    expect(await theMail()).toMatchObject({
      attempts: 3,
      sentAt: null,
      lastError: expect.stringContaining('TIME'),
    })
  })

  test('after the last try at a server that never finishes its reply', async () => {
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
  test('are divided among workers on one database, each sent once', async () => {
    const { onRcptTo, held, release } = holdRcpt()
    const server = await startSmtpServer({ onRcptTo })
    const addresses = Array.from({ length: 40 }, (_, index) => `user${index}@example.com`)
    for (const address of addresses) await record(address)
    const outboxes = [1, 2, 3].map(() => start(smtpMailer(server.port), { lanes: 3 }))
    // More than two workers can hold, so each has taken some.
    await until(() => held() > 6)
    release()
    await until(isDone)
    expect(server.received.map(({ to }) => to).sort()).toEqual(addresses.sort())
    await Promise.all(outboxes.map((outbox) => outbox.stop()))
    for (const { counts } of outboxes) expect(counts.sent).toBeGreaterThan(0)
  })

  test('to one slow mailbox do not delay others', async () => {
    const { onRcptTo, held, release } = holdRcpt('slow')
    const server = await startSmtpServer({ onRcptTo })
    for (const kind of ['activation', 'password-reset', 'activation'] as const)
      await record('slow@example.com', { kind })
    await record('quick@example.com')
    start(smtpMailer(server.port), { lanes: 2 })
    await until(() => server.received.length === 1 && held() === 1)
    expect(server.received[0]?.to).toBe('quick@example.com')
    release()
  })

  test('that take longer than their lease are not sent by another worker', async () => {
    const { onRcptTo, held, release } = holdRcpt()
    const server = await startSmtpServer({ onRcptTo })
    await record('alice@example.com')
    start(smtpMailer(server.port), { leaseMs: 6000 })
    await until(() => held() === 1)
    const first = (await theMail())?.dueAt ?? new Date()
    await until(async () => ((await theMail())?.dueAt ?? first) > first)
    expect(await claimMail(database.db, [], 6000)).toBeUndefined()
    release()
    await until(isDone)
    expect(server.received).toHaveLength(1)
  })

  test('that were tried before come after new ones', async () => {
    await record('tried@example.com')
    await database.db.update(mails).set({ attempts: 3, dueAt: sql`now() - interval '1 hour'` })
    await record('new@example.com')
    expect(await claimMail(database.db, [], 1000)).toMatchObject({ recipient: 'new@example.com' })
  })
})
