import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import postgres from 'postgres'
import { scratchFolder } from './scratch'
import { copyTemplateTo } from './template'

const clients: postgres.Sql[] = []
const folders: string[] = []

export async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(scratchFolder, 'redlight-test-'))
  folders.push(folder)
  return folder
}

/** A data folder as after a first start. */
export async function newFilledFolder(): Promise<string> {
  const folder = await newFolder()
  await copyTemplateTo(folder)
  return folder
}

export async function removeFolders() {
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true })))
}

export function clientOf(target: { socket: () => Duplex } | { path: string }, max = 1): postgres.Sql {
  const quiet = { backoff: () => 0, onnotice: () => {} }
  // postgres.js has an option `socket`, which its types lack.
  const options = { ...target, ...quiet, max, database: 'postgres', username: 'postgres' }
  const client = postgres(options)
  clients.push(client)
  return client
}

export async function endClients() {
  await Promise.all(clients.splice(0).map((client) => client.end({ timeout: 0 })))
}

/** `expect().rejects` would check the promise only once a second. */
export async function failureOf(promise: PromiseLike<unknown>): Promise<Error> {
  try {
    await promise
  } catch (error) {
    if (error instanceof Error) return error
  }
  throw new Error('it did not fail')
}
