import { open, realpath, rename, rm, stat } from 'node:fs/promises'
import type { Writable } from 'node:stream'
import { aboutFile } from '../file-problem'

/** Where an export goes. */
export type Sink = {
  /** Resolves once the text is accepted; false if the reader is gone. */
  write(text: string): Promise<boolean>
  /** Completes the output. */
  finish(): Promise<void>
  /** Removes an unfinished file. */
  [Symbol.asyncDispose](): Promise<void>
}

/** A stream such as standard output; its reader may leave, as `head` does. */
export const streamSink = (stream: Writable): Sink => ({
  write: (text) =>
    new Promise((resolve, reject) => {
      stream.write(text, (error) => {
        if (!error) resolve(true)
        else if ('code' in error && error.code === 'EPIPE') resolve(false)
        else reject(aboutFile('write', 'standard output', error))
      })
    }),
  finish: async () => {},
  [Symbol.asyncDispose]: async () => {},
})

/** A file, which gets its name, and replaces another, only when it is complete and on the disk. */
export async function fileSink(path: string): Promise<Sink> {
  const found = await stat(path).catch(() => undefined)
  const isOrdinary = found === undefined || found.isFile()
  // A link, such as /dev/stdout, stays one: the file behind it is replaced.
  const target = found?.isFile() ? await realpath(path) : path
  const unfinished = isOrdinary ? `${target}.${process.pid}.unfinished` : target
  const aboutIt = (error: unknown) => aboutFile('write', path, error)
  const file = await open(unfinished, 'w', found?.mode).catch((error) => {
    throw aboutIt(error)
  })
  let isFinished = false
  return {
    async write(text) {
      await file.appendFile(text).catch((error) => {
        throw aboutIt(error)
      })
      return true
    },
    async finish() {
      try {
        if (isOrdinary) await file.sync()
        await file.close()
        if (isOrdinary) await rename(unfinished, target)
        isFinished = true
      } catch (error) {
        throw aboutIt(error)
      }
    },
    async [Symbol.asyncDispose]() {
      if (isFinished) return
      await file.close().catch(() => {})
      if (isOrdinary) await rm(unfinished, { force: true })
    },
  }
}
