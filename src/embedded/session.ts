import type { Duplex } from 'node:stream'
import type { PGlite } from '@electric-sql/pglite'

/** PGlite's only PostgreSQL session, which connections use in turn. */
export type Session = {
  readonly pglite: PGlite
  readonly takeTurn: () => Promise<() => void>
  /** Connections past their startup message. */
  readonly started: Set<Duplex>
  readonly idleInTransactionMs: number
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

/** PGlite executes the messages before this yields to the event loop. */
export async function ask(pglite: PGlite, messages: Buffer): Promise<Buffer> {
  if (!pglite.ready) throw new Error('it is closed')
  const answers: Buffer[] = []
  const onRawData = (bytes: Uint8Array) => {
    // Copied, because PGlite goes on to overwrite this memory.
    answers.push(Buffer.from(bytes))
  }
  // Nothing to sync on a real file system: every write has already reached the operating system.
  await pglite.execProtocolRawStream(messages, { syncToFs: false, onRawData })
  return Buffer.concat(answers)
}
