import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, rename, rm, truncate } from 'node:fs/promises'
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
import { OperatorError } from '../errors'
import { createBridge } from './bridge'
import packedCluster from './cluster.tar.zst' with { type: 'file' }
import { diskFull, type Folder, isFull, openFolder, reason, unusable } from './folder'

export type EmbeddedDatabase = {
  /** The `socket` option of postgres.js. */
  readonly socket: () => Duplex
  readonly servesAt: Folder['servesAt']
  /** Resolves if the database can't go on until it is opened again. */
  readonly failed: Promise<Error>
  /** Close the clients first: an open transaction is lost. */
  close(): Promise<void>
}

const SETTINGS = ['shared_buffers=16MB', 'max_wal_size=64MB']
/** The limit on a Unix socket's path. */
const MAX_SOCKET_PATH_BYTES = process.platform === 'darwin' ? 103 : 107
/** Of the write-ahead log. */
const FIRST_SEGMENT = 'pg_wal/000000010000000000000001'
const SEGMENT_BYTES = 16 * 1_048_576
const EMPTY_WASM = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)

/**
 * PostgreSQL in this process, with its files in `dataDir`. A write reaches the operating system before it is
 * acknowledged, so it survives a killed process; nothing is fsynced, so it may not survive a power cut.
 */
export async function openEmbedded(dataDir: string): Promise<EmbeddedDatabase> {
  const socketPath = embeddedSocketPath(dataDir)
  await using opened = new AsyncDisposableStack()
  const folder = await openFolder(dataDir)
  opened.defer(() => folder.release())
  const cluster = join(dataDir, 'pgdata')
  await unpackCluster(cluster, dataDir, folder)
  const pglite = await startPGlite(cluster, dataDir)
  const { socket, panicked } = createBridge(pglite)
  let hasPanicked = false
  const failed = panicked.then((panic) => {
    hasPanicked = true
    return panic
  })
  opened.defer(async () => {
    if (!hasPanicked) await pglite.close()
  })
  opened.defer(await serveSocket(socketPath, socket))
  const toClose = opened.move()
  return { socket, servesAt: folder.servesAt, failed, close: () => toClose.disposeAsync() }
}

/** The `path` option of postgres.js, for another process than the one that has the folder open. */
export function embeddedSocketPath(dataDir: string): string {
  const path = join(dataDir, 'redlight.sock')
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES) return path
  throw new OperatorError(
    `The path ${path} is too long for a socket (${MAX_SOCKET_PATH_BYTES} bytes): set DATA_DIR to a shorter or a relative one.`,
    { isFinal: true },
  )
}

/** Only a complete cluster is named pgdata, so a killed first start is simply repeated. */
async function unpackCluster(cluster: string, dataDir: string, folder: Folder): Promise<void> {
  if (existsSync(cluster)) return
  const unfinished = `${cluster}.unfinished`
  await rm(unfinished, { recursive: true, force: true })
  const packed = await Bun.zstdDecompress(await Bun.file(packedCluster).bytes())
  try {
    // PGlite makes its files readable by everyone; the folder's mode keeps others out.
    await mkdir(unfinished, { mode: 0o700 })
    await new Bun.Archive(packed).extract(unfinished)
    // Packed without the zeros at its end.
    await truncate(join(unfinished, FIRST_SEGMENT), SEGMENT_BYTES)
    await rename(unfinished, cluster)
  } catch (error) {
    const problem = unusable(dataDir, error)
    await rm(unfinished, { recursive: true, force: true })
    await folder.undo()
    throw problem
  }
}

let compiled: Promise<WebAssembly.Module> | undefined
/** Takes 0.2 s, so a process that opens several databases does it once. */
function compileOnce(): Promise<WebAssembly.Module> {
  compiled ??= Bun.file(pgliteWasm)
    .arrayBuffer()
    .then((bytes) => WebAssembly.compile(bytes))
  return compiled
}

async function startPGlite(cluster: string, dataDir: string): Promise<PGlite> {
  // PGlite reads the bundle as a stream, which Bun can't make of a file inside an executable.
  const bundle = join(dataDir, 'unaccent.tar.gz')
  const setup = async () => ({ bundlePath: pathToFileURL(bundle) })
  try {
    await Bun.write(bundle, Bun.file(unaccentBundle))
    return await PGlite.create({
      dataDir: cluster,
      startParams: [...PGlite.defaultStartParams, ...SETTINGS.flatMap((setting) => ['-c', setting])],
      extensions: { unaccent: { name: 'unaccent', setup } },
      fsBundle: Bun.file(pgliteData),
      pgliteWasmModule: await compileOnce(),
      // The cluster is prebuilt, so initdb never runs; without a module PGlite would look for its file.
      initdbWasmModule: new WebAssembly.Module(EMPTY_WASM),
    })
  } catch (error) {
    if (isFull(dataDir, reason(error))) throw diskFull(dataDir)
    throw new OperatorError(
      `The embedded database in ${cluster} doesn't start (${reason(error)}): put a backup of the folder in its place.`,
      { isFinal: true },
    )
  } finally {
    await rm(bundle, { force: true })
  }
}

/** Lets commands of other processes use the database; access to the socket is full access. */
async function serveSocket(path: string, openConnection: () => Duplex): Promise<() => Promise<void>> {
  // The folder is locked, so this socket can only be a killed process's.
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
