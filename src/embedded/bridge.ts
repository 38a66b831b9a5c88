/**
 * Lets postgres.js, and clients of the Unix socket, talk to PGlite in PostgreSQL's protocol
 * (https://www.postgresql.org/docs/current/protocol-flow.html). PGlite is one PostgreSQL session, so
 * connections take turns: a turn begins with a connection's first message and ends when the session is idle
 * outside a transaction. All connections therefore share session state. `set` and session-level advisory
 * locks affect everyone: use `set local` and `pg_advisory_xact_lock`; settings in a startup message have no
 * effect. `listen` subscribes everyone, and one `unlisten` ends it for all. Prepared statements share their
 * names: postgres.js uses a random prefix per connection, so its names never clash; other clients must use
 * unnamed ones; a closed connection's statements are dropped. A transaction that waits for a query outside
 * itself would wait forever, so an idle transaction is rolled back.
 */
import { Duplex } from 'node:stream'
import type { PGlite } from '@electric-sql/pglite'
import { ask, createTurns, type Session } from './session'
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

type Bridge = {
  /** The `socket` option of postgres.js: each call opens a connection. */
  readonly socket: () => Duplex
  /** Resolves if PostgreSQL panics; PGlite must not be used any more, not even to close it. */
  readonly panicked: Promise<Error>
}

export function createBridge(pglite: PGlite, idleInTransactionMs = 30_000): Bridge {
  const { promise: panicked, resolve: onPanic } = Promise.withResolvers<Error>()
  const session = {
    pglite,
    takeTurn: createTurns(),
    started: new Set<Duplex>(),
    idleInTransactionMs,
    panic: undefined,
    onPanic,
  }
  return { socket: () => openConnection(session), panicked }
}

type Connection = {
  readonly session: Session
  readonly duplex: Duplex
  /** Names of its prepared statements. */
  readonly statements: Set<string>
  received: Buffer[]
  missingBytes: number
  endTurn: (() => void) | undefined
  idleTimer: NodeJS.Timeout | undefined
}

function openConnection(session: Session): Duplex {
  const duplex = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      receive(connection, chunk).then(
        () => done(),
        (error) => done(connectionError(error)),
      )
    },
    final(done) {
      duplex.destroy()
      done()
    },
    destroy(error, done) {
      socket.readyState = 'closed'
      session.started.delete(duplex)
      // Fails only if PGlite is broken or closed, when there is nothing left to clean up.
      cleanUp(connection).catch(() => {})
      done(error)
    },
  })
  // Without it, postgres.js would neither send Terminate nor notice the end.
  const socket = Object.assign(duplex, { readyState: 'open' })
  const connection: Connection = {
    session,
    duplex,
    statements: new Set(),
    received: [],
    missingBytes: 8,
    endTurn: undefined,
    idleTimer: undefined,
  }
  return socket
}

async function receive(connection: Connection, chunk: Buffer) {
  const { session, duplex, received } = connection
  received.push(chunk)
  connection.missingBytes -= chunk.length
  // Checked first: joining the chunks of a large message one by one would copy it over and over.
  if (connection.missingBytes > 0) return
  let bytes: Buffer = Buffer.concat(received)
  if (!session.started.has(duplex)) bytes = await greet(connection, bytes)
  if (session.started.has(duplex)) bytes = await converse(connection, bytes)
  connection.received = [bytes]
}

/** Handles what comes before the first message; returns the bytes after it. */
async function greet(connection: Connection, bytes: Buffer): Promise<Buffer> {
  const { session, duplex } = connection
  const length = bytes.length < 8 ? 8 : bytes.readUInt32BE(0)
  connection.missingBytes = length - bytes.length
  if (connection.missingBytes > 0) return bytes
  const rest = bytes.subarray(length)
  const request = bytes.readUInt32BE(4)
  if (request === REQUEST.tls || request === REQUEST.gssEncryption) {
    duplex.push(ENCRYPTION_REFUSED)
    return greet(connection, rest)
  }
  // PGlite can't cancel: it finishes a query before it reads anything else.
  if (request === REQUEST.cancel) duplex.destroy()
  else await execute(connection, bytes.subarray(0, length), true)
  if (!duplex.destroyed) session.started.add(duplex)
  return rest
}

/** Executes all messages up to the last one the client awaits an answer to; returns the bytes after it. */
async function converse(connection: Connection, bytes: Buffer): Promise<Buffer> {
  const { duplex } = connection
  let [start, end] = [0, 0]
  for (const message of messagesIn(bytes)) {
    const type = message[0]
    if (type === MESSAGE.terminate) duplex.destroy()
    if (duplex.destroyed) return bytes
    inspect(connection, message)
    end += message.length
    if (type !== MESSAGE.query && type !== MESSAGE.sync && type !== MESSAGE.flush) continue
    await execute(connection, bytes.subarray(start, end), type !== MESSAGE.flush)
    start = end
  }
  connection.missingBytes = end + messageLength(bytes, end) - bytes.length
  return bytes.subarray(start)
}

function inspect({ statements }: Connection, message: Buffer) {
  const type = message[0]
  if (type === MESSAGE.close && message[5] === CLOSE_STATEMENT) statements.delete(textAt(message, 6))
  if (type !== MESSAGE.parse && type !== MESSAGE.query) return
  const name = type === MESSAGE.parse ? textAt(message, 5) : ''
  if (name !== '') statements.add(name)
  const sqlStart = type === MESSAGE.parse ? 6 + Buffer.byteLength(name) : 5
  if (COPY_IN.test(message.toString('latin1', sqlStart, sqlStart + 300)))
    throw failure('0A000', 'COPY FROM STDIN would end the embedded database.')
}

async function execute(connection: Connection, messages: Buffer, readyFollows: boolean) {
  const { session, duplex } = connection
  clearTimeout(connection.idleTimer)
  connection.endTurn ??= await session.takeTurn()
  if (duplex.destroyed) return passTurn(connection)
  const answer = await ask(session, messages)
  if (duplex.destroyed) return
  let status: number | undefined
  for (const message of messagesIn(answer)) {
    if (message[0] === MESSAGE.readyForQuery) status = message[5]
    if (message[0] === MESSAGE.notification)
      for (const other of session.started) if (other !== duplex) other.push(message)
  }
  if (status === undefined && readyFollows) throw new Error('it gave no answer')
  if (status === STATUS_IDLE) passTurn(connection)
  else connection.idleTimer = setTimeout(giveUp, session.idleInTransactionMs, duplex).unref()
  duplex.push(answer)
}

function passTurn(connection: Connection) {
  connection.endTurn?.()
  connection.endTurn = undefined
}

function giveUp(duplex: Duplex) {
  duplex.destroy(failure('25P03', 'A transaction in the embedded database was idle for too long.'))
}

/** Resets the session to what it was without this connection. */
async function cleanUp({ session, statements, endTurn, idleTimer }: Connection) {
  clearTimeout(idleTimer)
  if (!endTurn && statements.size === 0) return
  const release = endTurn ?? (await session.takeTurn())
  const closes = [...statements].map((name) => frame('C', `S${name}\0`))
  // A Sync alone would commit what ran outside a transaction and wasn't synced yet; but after a failed
  // message, PostgreSQL skips everything up to a Sync, including the first rollback.
  const messages = [frame('Q', 'rollback\0'), frame('S'), frame('Q', 'rollback\0'), ...closes, frame('S')]
  await ask(session, Buffer.concat(messages)).finally(release)
}
