import { Database as LockFile, SQLiteError } from 'bun:sqlite'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { type Duplex, pipeline } from 'node:stream'
import { pathToFileURL } from 'node:url'
import { PGlite } from '@electric-sql/pglite'
import pgliteData from '@electric-sql/pglite/pglite.data' with { type: 'file' }
import pgliteWasm from '@electric-sql/pglite/pglite.wasm' with { type: 'file' }
import unaccentBundle from '../../node_modules/@electric-sql/pglite/dist/unaccent.tar.gz' with {
  type: 'file',
}
import { createBridge } from './bridge'
import packedCluster from './cluster.tar.zst' with { type: 'file' }

export type EmbeddedDatabase = {
  /** The `socket` option of postgres.js. */
  readonly socket: () => Duplex
  /** To be called once the clients are closed: a transaction still open is lost. */
  close(): Promise<void>
}

/** Another process has the folder; its database can be reached at `embeddedSocketPath`. */
export class DataFolderInUse extends Error {
  override readonly name = 'DataFolderInUse'
}

const SETTINGS = ['shared_buffers=16MB', 'max_wal_size=64MB']
/** As many as fit into the address of a Unix socket. */
const MAX_SOCKET_PATH_BYTES = process.platform === 'darwin' ? 103 : 107
const EMPTY_WASM = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)

/**
 * PostgreSQL in this process, with its files in `dataDir`. A write has reached the operating system before it is
 * acknowledged, so it outlives a killed process; nothing is ever forced to the disk, so it may not outlive a power cut.
 */
export async function openEmbedded(dataDir: string): Promise<EmbeddedDatabase> {
  const socketPath = embeddedSocketPath(dataDir)
  await using opened = new AsyncDisposableStack()
  opened.defer(await lockFolder(dataDir))
  const cluster = join(dataDir, 'pgdata')
  await unpackCluster(cluster)
  const pglite = await startPGlite(cluster, dataDir)
  opened.defer(() => pglite.close())
  const socket = createBridge(pglite)
  opened.defer(await serveSocket(socketPath, socket))
  const toClose = opened.move()
  return { socket, close: () => toClose.disposeAsync() }
}

/** The `path` option of postgres.js, for a process beside the one that has the folder open. */
export function embeddedSocketPath(dataDir: string): string {
  const path = join(dataDir, 'redlight.sock')
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES) return path
  throw new Error(
    `The path ${path} is too long for a socket (${MAX_SOCKET_PATH_BYTES} bytes): set DATA_DIR to a shorter or a relative one.`,
  )
}

const heldLocks = new Set<LockFile>()

/** PGlite itself lets two processes ruin one folder. A lock of SQLite's ends with its process, however that ends. */
async function lockFolder(dataDir: string): Promise<() => void> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 })
    const lock = new LockFile(join(dataDir, 'lock'))
    lock.run('pragma journal_mode = off')
    lock.run('begin exclusive')
    // A lock that is collected as garbage is let go.
    heldLocks.add(lock)
    return () => {
      heldLocks.delete(lock)
      lock.close()
    }
  } catch (error) {
    if (error instanceof SQLiteError && error.code === 'SQLITE_BUSY')
      throw new DataFolderInUse(
        `The data folder ${dataDir} is in use by another redlight process: stop that one, or set DATA_DIR to another folder.`,
      )
    throw new Error(
      `The data folder ${dataDir} can't be written (${reason(error)}): let this user write to it, or set DATA_DIR to another.`,
    )
  }
}

/** Only a whole cluster is ever called pgdata, so a start that was killed half-way is simply done again. */
async function unpackCluster(cluster: string): Promise<void> {
  if (existsSync(cluster)) return
  const unfinished = `${cluster}.unfinished`
  await rm(unfinished, { recursive: true, force: true })
  // PGlite lets everyone read its files; this folder lets no one else come near them.
  await mkdir(unfinished, { mode: 0o700 })
  await new Bun.Archive(await Bun.zstdDecompress(await Bun.file(packedCluster).bytes())).extract(unfinished)
  await rename(unfinished, cluster)
}

async function startPGlite(cluster: string, dataDir: string): Promise<PGlite> {
  // PGlite reads the bundle through a stream, which can't be had of a file inside an executable.
  const bundle = join(dataDir, 'unaccent.tar.gz')
  await Bun.write(bundle, Bun.file(unaccentBundle))
  const setup = async () => ({ bundlePath: pathToFileURL(bundle) })
  try {
    return await PGlite.create({
      dataDir: cluster,
      startParams: [...PGlite.defaultStartParams, ...SETTINGS.flatMap((setting) => ['-c', setting])],
      extensions: { unaccent: { name: 'unaccent', setup } },
      fsBundle: Bun.file(pgliteData),
      pgliteWasmModule: await WebAssembly.compile(await Bun.file(pgliteWasm).arrayBuffer()),
      // The cluster comes packed, so initdb never runs; without a module PGlite would go and look for its file.
      initdbWasmModule: new WebAssembly.Module(EMPTY_WASM),
    })
  } catch (error) {
    throw new Error(
      `The embedded database in ${cluster} doesn't start (${reason(error)}): put a backup of the folder in its place.`,
    )
  } finally {
    await rm(bundle, { force: true })
  }
}

function reason(error: unknown): string {
  if (error instanceof Error && 'code' in error) return String(error.code)
  return error instanceof Error ? error.message : String(error)
}

/** Lets commands beside this process use the database; whoever may open the socket may do everything. */
async function serveSocket(path: string, openConnection: () => Duplex): Promise<() => Promise<void>> {
  // The folder is locked, so this can only be the socket of a process that was killed.
  await rm(path, { force: true })
  const clients = new Set<Socket>()
  const server = createServer((client) => {
    clients.add(client)
    pipeline(client, openConnection(), client, () => clients.delete(client))
  })
  const umask = process.umask(0o177)
  server.listen(path)
  process.umask(umask)
  await once(server, 'listening')
  return async () => {
    for (const client of clients) client.destroy()
    server.close()
    await once(server, 'close')
  }
}
