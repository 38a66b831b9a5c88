/**
 * Lets postgres.js, and whoever comes through the Unix socket, talk to PGlite in PostgreSQL's own protocol
 * (https://www.postgresql.org/docs/current/protocol-flow.html).
 *
 * PGlite is one PostgreSQL session, so connections take turns: a turn begins with a connection's first message and
 * ends when the session is idle again, outside a transaction. What belongs to a session belongs to all of them:
 * - `set` and session-level advisory locks reach everyone: use `set local` and `pg_advisory_xact_lock`. Settings in a
 *   connection's start-up message do nothing.
 * - `listen` subscribes everyone, and one connection's `unlisten` ends it for all.
 * - Prepared statements share their names. postgres.js draws a random prefix for every connection, so its names
 *   never meet; other clients need theirs unnamed. The statements of a closed connection are dropped.
 * - A transaction that waits for a query outside itself waits for ever, so one that stays idle is rolled back.
 */
import { Duplex } from 'node:stream'
import type { PGlite } from '@electric-sql/pglite'
import {
  CLOSE_STATEMENT,
  connectionError,
  ENCRYPTION_REFUSED,
  failure,
  frame,
  MESSAGE,
  messageLength,
  messagesIn,
  REQUEST,
  STATUS_IDLE,
  textAt,
} from './wire'

const COPY_IN = /^\s*copy\b.*\bfrom\s+stdin\b/is

type Session = {
  readonly pglite: PGlite
  readonly takeTurn: () => Promise<() => void>
  /** The connections that are past their start-up message. */
  readonly started: Set<Duplex>
  readonly idleInTransactionMs: number
}

/** The `socket` option of postgres.js: every call opens a connection. */
export function createBridge(pglite: PGlite, idleInTransactionMs = 30_000): () => Duplex {
  const session = { pglite, takeTurn: createTurns(), started: new Set<Duplex>(), idleInTransactionMs }
  return () => openConnection(session)
}

/** A queue for the one session: each caller gets it when all before it have given it back. */
function createTurns(): () => Promise<() => void> {
  let last = Promise.resolve()
  return async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const before = last
    last = promise
    await before
    return resolve
  }
}

function openConnection(session: Session): Duplex {
  const statements = new Set<string>()
  let received: Buffer[] = []
  let missingBytes = 8
  let endTurn: (() => void) | undefined
  let idleTimer: NodeJS.Timeout | undefined

  const duplex = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      receive(chunk).then(
        () => done(),
        (error) => done(connectionError(error)),
      )
    },
    final(done) {
      duplex.destroy()
      done()
    },
    destroy(error, done) {
      connection.readyState = 'closed'
      session.started.delete(duplex)
      // Only a PGlite that is broken or closed refuses, and then there is nothing left to tidy.
      cleanUp().catch(() => {})
      done(error)
    },
  })
  // Without it, postgres.js would neither say goodbye nor notice the end.
  const connection = Object.assign(duplex, { readyState: 'open' })
  return connection

  async function receive(chunk: Buffer) {
    received.push(chunk)
    missingBytes -= chunk.length
    // A message of megabytes comes in many chunks, and joining them at each one would copy it over and over.
    if (missingBytes > 0) return
    let bytes: Buffer = Buffer.concat(received)
    if (!session.started.has(duplex)) bytes = await greet(bytes)
    if (session.started.has(duplex)) bytes = await converse(bytes)
    received = [bytes]
  }

  /** Takes what comes before the first message; returns the bytes behind it. */
  async function greet(bytes: Buffer): Promise<Buffer> {
    const length = bytes.length < 8 ? 8 : bytes.readUInt32BE(0)
    missingBytes = length - bytes.length
    if (missingBytes > 0) return bytes
    const rest = bytes.subarray(length)
    const request = bytes.readUInt32BE(4)
    if (request === REQUEST.tls || request === REQUEST.gssEncryption) {
      duplex.push(ENCRYPTION_REFUSED)
      return greet(rest)
    }
    // Nothing can be cancelled: PGlite finishes a query before it listens to anyone else.
    if (request === REQUEST.cancel) duplex.destroy()
    else await execute(bytes.subarray(0, length), true)
    if (!duplex.destroyed) session.started.add(duplex)
    return rest
  }

  /** Executes everything up to the last message after which the client waits; returns the bytes behind it. */
  async function converse(bytes: Buffer): Promise<Buffer> {
    let [start, end] = [0, 0]
    for (const message of messagesIn(bytes)) {
      const type = message[0]
      if (type === MESSAGE.terminate) duplex.destroy()
      if (duplex.destroyed) return bytes
      inspect(message)
      end += message.length
      if (type !== MESSAGE.query && type !== MESSAGE.sync && type !== MESSAGE.flush) continue
      await execute(bytes.subarray(start, end), type !== MESSAGE.flush)
      start = end
    }
    missingBytes = end + messageLength(bytes, end) - bytes.length
    return bytes.subarray(start)
  }

  function inspect(message: Buffer) {
    const type = message[0]
    if (type === MESSAGE.close && message[5] === CLOSE_STATEMENT) statements.delete(textAt(message, 6))
    if (type !== MESSAGE.parse && type !== MESSAGE.query) return
    const name = type === MESSAGE.parse ? textAt(message, 5) : ''
    if (name !== '') statements.add(name)
    const sqlStart = type === MESSAGE.parse ? 6 + Buffer.byteLength(name) : 5
    if (COPY_IN.test(message.toString('latin1', sqlStart, sqlStart + 300)))
      throw failure('0A000', 'COPY FROM STDIN would end the embedded database.')
  }

  async function execute(messages: Buffer, readyFollows: boolean) {
    clearTimeout(idleTimer)
    endTurn ??= await session.takeTurn()
    if (duplex.destroyed) return passTurn()
    const answer = await ask(session.pglite, messages)
    if (duplex.destroyed) return
    let status: number | undefined
    for (const message of messagesIn(answer)) {
      if (message[0] === MESSAGE.readyForQuery) status = message[5]
      if (message[0] === MESSAGE.notification)
        for (const other of session.started) if (other !== duplex) other.push(message)
    }
    if (status === undefined && readyFollows) throw new Error('it gave no answer')
    if (status === STATUS_IDLE) passTurn()
    else idleTimer = setTimeout(giveUp, session.idleInTransactionMs).unref()
    duplex.push(answer)
  }

  function passTurn() {
    endTurn?.()
    endTurn = undefined
  }

  function giveUp() {
    duplex.destroy(failure('25P03', 'A transaction in the embedded database was idle for too long.'))
  }

  /** Leaves the session as if this connection had never been. */
  async function cleanUp() {
    clearTimeout(idleTimer)
    if (!endTurn && statements.size === 0) return
    const release = endTurn ?? (await session.takeTurn())
    const closes = [...statements].map((name) => frame('C', `S${name}\0`))
    // A Sync alone would commit what ran outside a transaction and was not yet synced; after a failed message,
    // though, PostgreSQL skips everything up to a Sync, the first rollback included.
    const messages = [frame('Q', 'rollback\0'), frame('S'), frame('Q', 'rollback\0'), ...closes, frame('S')]
    await ask(session.pglite, Buffer.concat(messages)).finally(release)
  }
}

/** PGlite has executed the messages before this returns to the event loop. */
async function ask(pglite: PGlite, messages: Buffer): Promise<Buffer> {
  if (!pglite.ready) throw new Error('it is closed')
  const answers: Buffer[] = []
  const onRawData = (bytes: Uint8Array) => {
    // A copy, because the bytes lie in PGlite's memory, which it goes on to overwrite.
    answers.push(Buffer.from(bytes))
  }
  // On a real file system there is nothing to sync: every write has already reached the operating system.
  await pglite.execProtocolRawStream(messages, { syncToFs: false, onRawData })
  return Buffer.concat(answers)
}
