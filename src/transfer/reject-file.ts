import { type FileHandle, open, rm } from 'node:fs/promises'
import { OperatorError } from '../errors'
import { aboutFile } from '../file-problem'
import type { Rejected } from './report'

export type RejectFile = {
  add(rejected: readonly Rejected[]): Promise<void>
  /** Removes the file again if nothing is in it. */
  close(): Promise<void>
}

/** NDJSON for the same import once its rows are corrected; only its owner may read it. */
export async function openRejectFile(path: string): Promise<RejectFile> {
  const file = await create(path)
  let size = 0
  return {
    async add(rejected) {
      if (rejected.length === 0) return
      const bytes = Buffer.from(rejected.map(line).join(''))
      try {
        for (let done = 0; done < bytes.length; ) done += (await file.write(bytes, done)).bytesWritten
        size += bytes.length
      } catch (error) {
        // Half a row would be an error in the file's own import.
        await file.truncate(size).catch(() => {})
        throw aboutFile('write', path, error)
      }
    },
    async close() {
      await file.close()
      if (size === 0) await rm(path, { force: true })
    },
  }
}

async function create(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'wx', 0o600)
  } catch (error) {
    const exists = error instanceof Error && 'code' in error && error.code === 'EEXIST'
    throw exists
      ? new OperatorError(`${path} exists already: name another --reject-file`)
      : aboutFile('write', path, error)
  }
}

function line({ row: { line, fields, exported, text }, problems }: Rejected): string {
  const errors: Record<string, string> = {}
  for (const { field, message } of problems) errors[field] ??= message
  const content = text === undefined ? { row: { ...exported, ...fields } } : { row: null, text }
  return `${JSON.stringify({ line, errors, ...content })}\n`
}
