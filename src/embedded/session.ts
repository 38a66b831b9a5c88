import type { Duplex } from 'node:stream'
import type { PGlite } from '@electric-sql/pglite'

/** The one PostgreSQL session of PGlite, which connections use in turn. */
export type Session = {
  readonly pglite: PGlite
  readonly takeTurn: () => Promise<() => void>
  /** The connections that are past their start-up message. */
  readonly started: Set<Duplex>
  readonly idleInTransactionMs: number
}

/** A queue for the one session: each caller gets it when all before it have given it back. */
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

/** PGlite has executed the messages before this returns to the event loop. */
export async function ask(pglite: PGlite, messages: Buffer): Promise<Buffer> {
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
