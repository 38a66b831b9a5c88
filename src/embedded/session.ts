import type { Duplex } from 'node:stream'
import type { PGlite } from '@electric-sql/pglite'
import { failure, messagesIn, panicIn } from './wire'

/** PGlite's only PostgreSQL session, which connections use in turn. */
export type Session = {
  readonly pglite: PGlite
  readonly takeTurn: () => Promise<() => void>
  /** Connections past their startup message. */
  readonly started: Set<Duplex>
  readonly idleInTransactionMs: number
  /** Why PostgreSQL panicked, such as a full disk; nothing more can be asked. */
  panic: Error | undefined
  readonly onPanic: (panic: Error) => void
}

/** A queue for the session: a caller gets it once all earlier ones have released it. */
export function createTurns(): () => Promise<() => void> {
  let last = Promise.resolve()
  return async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const before = last
    last = promise
    await before
    return resolve
  }
}

/**
 * Functions of PGlite's module after it was aborted. PGlite would repeat the same step forever, so the first
 * one that it calls throws, where that isn't caught.
 */
const broken = {
  stackRestore() {
    throw new Error('it was aborted')
  },
  _PostgresSendReadyForQueryIfNecessary() {},
  _pgl_pq_flush() {},
}

/** PGlite executes the messages before this yields to the event loop. */
export async function ask(session: Session, messages: Buffer): Promise<Buffer> {
  const { pglite } = session
  if (session.panic !== undefined) throw session.panic
  if (!pglite.ready) throw new Error('it is closed')
  const answers: Buffer[] = []
  const onRawData = (bytes: Uint8Array) => {
    // Copied, because PGlite goes on to overwrite this memory.
    answers.push(Buffer.from(bytes))
  }
  // Nothing to sync on a real file system: every write has already reached the operating system.
  let isAborted = false
  const onAbort = () => {
    isAborted = true
    Object.assign(pglite.Module, broken)
  }
  Object.assign(pglite.Module, { onAbort })
  await pglite.execProtocolRawStream(messages, { syncToFs: false, onRawData }).catch((error) => {
    if (!isAborted) throw error
  })
  const answer = Buffer.concat(answers)
  if (!isAborted) return answer
  for (const message of messagesIn(answer)) session.panic ??= panicIn(message)
  session.panic ??= failure('57P02', 'the embedded database crashed')
  session.onPanic(session.panic)
  throw session.panic
}
