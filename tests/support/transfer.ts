import { afterAll, beforeAll } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Config } from '../../src/config/config'
import { openDatabaseBesideServer } from '../../src/opening/open'
import { createProgress } from '../../src/terminal/progress'
import { openSource } from '../../src/transfer/open'
import type { ImportOptions } from '../../src/transfer/options'
import { createReport } from '../../src/transfer/report'
import { runImport } from '../../src/transfer/run'
import { quietLog } from './backup'
import { databaseVariables, redlight } from './command-line'
import { startTestServer, type TestServer } from './server'

export type Fields = Readonly<Record<string, unknown>>
export type Imported = { readonly report: Fields }

export const lines = (rows: readonly unknown[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('')
type Options = Partial<ImportOptions> & { readonly ownerId?: number }
const defaults: ImportOptions = { onDuplicate: 'skip', extraGenres: 'reject', articles: 'keep' }
async function* noInput() {}

/** The counts that aren't 0. */
export const countsOf = ({ report: { reasons: _, ...counts } }: Imported) =>
  Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0))

/** The service without movies for the tests of one file, with imports and exports. */
export function transferService(overrides: Partial<Config> = {}) {
  let server: TestServer
  let folder: string
  let files = 0
  beforeAll(async () => {
    server = await startTestServer(overrides)
    folder = await mkdtemp(join(tmpdir(), 'redlight-test-'))
  })
  afterAll(async () => {
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  })

  const newPath = (name = 'file') => join(folder, `${++files}-${name}`)
  async function write(content: string | Uint8Array | readonly unknown[], name?: string): Promise<string> {
    const path = newPath(name)
    await Bun.write(path, Array.isArray(content) ? lines(content) : (content as string))
    return path
  }
  const env = () => databaseVariables(server.database.config)
  const run = (args: readonly string[], input?: string) => redlight([...args], env(), input)

  /** Imports rows, or the text of a file, in this process; returns the report as --json prints it. */
  async function importAll(content: string | readonly unknown[], options: Options = {}): Promise<Imported> {
    const { config } = server.database
    const path = await write(content)
    const report = createReport()
    const chosen: ImportOptions = { ...defaults, ...options }
    const source = await openSource(path, noInput(), { map: new Map(), ...chosen })
    const database = await openDatabaseBesideServer(config, quietLog)
    try {
      const { db } = database
      const ownerId = options.ownerId ?? 1
      const target = { db, kind: config.kind, uniqueBy: 'title', ownerId } as const
      const author = { actor: null, by: 'tester' }
      const stopped = new Promise<string>(() => {})
      await runImport({
        source,
        target,
        options: chosen,
        report,
        stopped,
        bar: createProgress(undefined)(''),
        author,
      })
    } finally {
      await database.close()
      await source.close()
    }
    return { report: { ...report.counts, reasons: report.reasons() } }
  }
  /** The same as a command. */
  async function importFile(content: string | readonly unknown[], ...options: string[]) {
    const finished = await run(['import', await write(content), '--json', ...options])
    return { ...finished, report: finished.out === '' ? {} : JSON.parse(finished.out) }
  }

  return {
    server: () => server,
    env,
    newPath,
    write,
    run,
    importAll,
    importFile,
    /** All movies as stored, without ids and owners. */
    async movies(): Promise<Fields[]> {
      const rows = await server.sql`
        select title, year, runtime, to_json(genres) as genres, director, to_json("cast") as cast,
          release_date::text, synopsis, poster, imdb_id, external_id, version
        from movies order by id`
      return rows.map((row) => Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)))
    },
    clear: () => server.sql`truncate movies restart identity cascade`,
  }
}
