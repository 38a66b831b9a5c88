/**
 * Makes cluster.tar.zst, the empty database that every embedded database starts from, unless there is one of
 * this version of PGlite (decision 21). Run it as `bun run pack`: without JavaScriptCore's slowest compiler,
 * one-time work takes a third less time.
 */
import { chmod, mkdtemp, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { constants, zstdCompress } from 'node:zlib'
import pglitePackage from '../../node_modules/@electric-sql/pglite/package.json'

const packedFile = join(import.meta.dir, 'cluster.tar.zst')
const versionFile = 'pglite_version'
const FIRST_SEGMENT = 'pg_wal/000000010000000000000001'

// The window covers all of it: the same rows stand in several places.
const COMPRESSION = { [constants.ZSTD_c_compressionLevel]: 9, [constants.ZSTD_c_windowLog]: 24 }

if (!(await isPacked())) {
  console.log('Packing the embedded database (once per version of PGlite, takes a few seconds)')
  await pack()
}

/** The version is inside the archive, because a separate file could be left over from another one. */
async function isPacked(): Promise<boolean> {
  const packed = Bun.file(packedFile)
  if (!(await packed.exists())) return false
  const archive = new Bun.Archive(await Bun.zstdDecompress(await packed.bytes()))
  const [version] = (await archive.files(`**/${versionFile}`)).values()
  return (await version?.text()) === pglitePackage.version
}

async function pack(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'redlight-cluster-'))
  try {
    const cluster = join(folder, 'pgdata')
    await makeCluster(cluster)
    // The real tar keeps the empty folders that PostgreSQL requires; Bun.Archive can't write them.
    const tar = await Bun.$`tar -cf - -C ${cluster} .`.quiet().arrayBuffer()
    const packed = await promisify(zstdCompress)(tar, { params: COMPRESSION })
    // Two builds may run at once; each renames a complete file into place.
    const unfinished = `${packedFile}.${process.pid}`
    await writeFile(unfinished, packed)
    await rename(unfinished, packedFile)
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function makeCluster(folder: string): Promise<void> {
  const { PGlite } = await import('@electric-sql/pglite')
  const { unaccent } = await import('@electric-sql/pglite/contrib/unaccent')
  const pglite = await PGlite.create({ dataDir: folder, extensions: { unaccent } })
  await pglite.exec('create extension unaccent')
  // No other database is ever created here, and the templates would be two thirds of what a first start unpacks.
  await pglite.exec('update pg_database set datistemplate = false')
  for (const name of ['template0', 'template1']) await pglite.exec(`drop database ${name}`)
  await pglite.close()
  await cutZeros(join(folder, FIRST_SEGMENT))
  await writeFile(join(folder, versionFile), pglitePackage.version)
  await chmod(folder, 0o700)
}

/** Cuts the zeros off the end of a file; `unpackCluster` puts them back as a hole. */
async function cutZeros(path: string): Promise<void> {
  const bytes = await readFile(path)
  let end = bytes.length
  while (bytes[end - 1] === 0) end--
  await truncate(path, end)
}
